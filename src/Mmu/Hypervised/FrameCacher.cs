namespace FastXen.Mmu;

/// <summary>
/// Names who keeps a translation of a guest frame, so that it can be told when the frame goes: a vCPU (from 1 on; 0 is nobody), bits 31:12, and in it a place of the
/// engines' TLB for loads and stores, or anything.
/// </summary>
public readonly record struct FrameCacher(uint Name)
{
    // A place: region 10:8, and the pages' index in the tables in groups of a frame of 16 KiB, 7:0.
    private const int VcpuShift = 12, RegionShift = 8, FrameShift = 14;
    private const uint Place = 1 << 11, GroupMask = (FastTables.TableEntries >> FrameShift - FastTables.PageShift) - 1;

    /// <summary>More than one keeps it: anybody may.</summary>
    public static readonly FrameCacher Many = new(uint.MaxValue);

    /// <summary>The vCPU, wherever it keeps the translation.</summary>
    public static FrameCacher Of(uint vcpu) => new(vcpu << VcpuShift);

    /// <summary>What a reference to an address by a vCPU may leave behind.</summary>
    public static FrameCacher Of(uint vcpu, ulong va, AccessKind kind) => (kind & AccessKind.Fetch) != 0
        ? Of(vcpu) : new(vcpu << VcpuShift | Place | (uint)(va >> 61) << RegionShift | (uint)(va >> FrameShift) & GroupMask);

    /// <summary>The vCPU, from 1 on.</summary>
    public uint Vcpu => Name >> VcpuShift;

    /// <summary>Only a place of the TLB for loads and stores has it; otherwise anything of the vCPU's may.</summary>
    public bool IsPlace => (Name & Place) != 0;

    internal int Region => (int)(Name >> RegionShift) & 7;

    /// <summary>Index of the first page in the tables.</summary>
    internal int FirstEntry => (int)(Name & GroupMask) << FrameShift - FastTables.PageShift;

    /// <summary>Pages of a place.</summary>
    internal const int Entries = 1 << FrameShift - FastTables.PageShift;
}
