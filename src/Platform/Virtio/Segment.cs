namespace FastXen.Platform.Virtio;

/// <summary>A piece of guest memory that a descriptor names; all of it is RAM.</summary>
public readonly record struct Segment(ulong Address, int Length);
