namespace FastXen.Platform.Virtio;

/// <summary>A piece of guest memory that a descriptor names; the device holds all of it until the request is completed.</summary>
public readonly record struct Segment(ulong Address, int Length)
{
    /// <summary>Where it is.</summary>
    internal nint Host { get; init; }
}
