using FastXen.Platform.Block;

namespace FastXen.Xen.Backends.Block;

/// <summary>A disk for a domain.</summary>
/// <param name="Name">What the guest is to call it: xvda to xvdz, hda to hdd, sda to sdp, or a number.</param>
/// <param name="Image">The content. Used by one domain at a time.</param>
public sealed record DiskAttachment(string Name, IBlockBackend Image)
{
    /// <summary>The guest may not write, even where the image can be written.</summary>
    public bool IsReadOnly { get; init; }

    /// <summary>The guest sees a CD.</summary>
    public bool IsCdrom { get; init; }

    /// <summary>The image is disposed when the disk is detached.</summary>
    public bool OwnsImage { get; init; } = true;
}
