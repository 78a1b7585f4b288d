namespace FastXen.Platform.Block;

/// <summary>A piece of memory that stays where it is, for vectored transfers: struct iovec of the host.</summary>
public readonly unsafe struct IoVector(byte* address, int length)
{
    private readonly byte* address = address;
    private readonly nuint length = (nuint)length;

    /// <summary>Bytes.</summary>
    public int Length => (int)length;

    /// <summary>The memory.</summary>
    public Span<byte> Span => new(address, (int)length);
}
