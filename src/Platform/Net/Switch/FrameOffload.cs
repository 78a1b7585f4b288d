namespace FastXen.Platform.Net.Switch;

/// <summary>What is known of the checksum of a frame's TCP or UDP.</summary>
public enum FrameChecksum : byte
{
    /// <summary>It is there; who cares has to check it.</summary>
    Unchecked,

    /// <summary>It is there and right.</summary>
    Validated,

    /// <summary>It was left out: the frame never crossed a wire.</summary>
    Blank,
}

/// <summary>What the sender of a frame left to others.</summary>
/// <param name="Checksum">The checksum of TCP or UDP.</param>
/// <param name="SegmentSize">
/// 0 for a frame as it is; else the frame is a large TCP segment on IPv4, to be cut into segments with so many bytes of payload.
/// </param>
public readonly record struct FrameOffload(FrameChecksum Checksum, ushort SegmentSize = 0);

/// <summary>What a taker of frames can deal with itself.</summary>
[Flags]
public enum LinkFeatures
{
    /// <summary>Frames as on a wire.</summary>
    None = 0,

    /// <summary>Frames with <see cref="FrameChecksum.Blank"/>.</summary>
    BlankChecksums = 1,

    /// <summary>Frames with a <see cref="FrameOffload.SegmentSize"/>.</summary>
    LargeSegments = 2,
}
