namespace FastXen.Xen.Memory;

/// <summary>What lies behind a guest frame number.</summary>
public enum FrameKind
{
    /// <summary>Nothing.</summary>
    Hole,

    /// <summary>The domain's own memory, in its arena.</summary>
    Ram,

    /// <summary>A page of the hypervisor's in the window of the domain: shared_info, mapped_regs, grant table.</summary>
    Fixed,

    /// <summary>Another domain's frame, mapped through a grant. Only unmap_grant_ref takes it away.</summary>
    Granted,

    /// <summary>Another domain's frame, mapped by a privileged domain.</summary>
    Foreign,

    /// <summary>Device registers; there is no host memory.</summary>
    Mmio,
}

/// <summary>
/// One translation of a <see cref="DomainMemory"/>, in a word that is read and replaced as a whole: kind 2:0, writable 3,
/// host frame address 47:14, a version 63:48 that counts the changes.
/// </summary>
public readonly unsafe record struct P2mEntry
{
    private const ulong KindMask = 7, WritableBit = 8;
    private const ulong HostMask = (1UL << 48) - 1 & ~(ulong)(Frame.Size - 1);
    private const int VersionShift = 48;

    internal P2mEntry(ulong word) => Word = word;

    internal ulong Word { get; }

    /// <summary>What it is.</summary>
    public FrameKind Kind => (FrameKind)(Word & KindMask);

    /// <summary>The domain may write.</summary>
    public bool IsWritable => (Word & WritableBit) != 0;

    /// <summary>Host address of the frame, or null.</summary>
    public byte* Host => (byte*)(Word & HostMask);

    /// <summary>Memory of the domain itself, which it keeps for as long as it lives.</summary>
    public bool IsOwn => Kind is FrameKind.Ram or FrameKind.Fixed;

    /// <summary>The entry that replaces this one: the version goes up.</summary>
    internal P2mEntry Next(FrameKind kind, byte* host, bool writable) =>
        new((Word >> VersionShift) + 1 << VersionShift | (ulong)host & HostMask | (writable ? WritableBit : 0) | (uint)kind);
}
