namespace FastXen.Xen.Memory;

/// <summary>Sizes of the Xen/ia64 interface's frames. A guest physical address (gpa) is a frame number (gpfn) and an offset.</summary>
public static class Frame
{
    /// <summary>Log2 of a frame's bytes.</summary>
    public const int Shift = 14;

    /// <summary>Bytes of a frame: 16 KiB.</summary>
    public const int Size = 1 << Shift;

    /// <summary>Implemented bits of a guest physical address.</summary>
    public const int AddressBits = 50;

    /// <summary>Frame numbers are lower.</summary>
    public const ulong Limit = 1UL << (AddressBits - Shift);

    /// <summary>INVALID_MFN: no machine frame.</summary>
    public const ulong Invalid = ~0UL;

    /// <summary>First frame of the window in which the hypervisor puts its own pages: gpa 1 &lt;&lt; 40.</summary>
    public const ulong WindowStart = 1UL << (40 - Shift);

    /// <summary>Frames of the window: shared_info, mapped_regs of 64 vCPUs, grant table frames.</summary>
    public const int WindowFrames = 128;
}
