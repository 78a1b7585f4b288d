using System.Numerics;

namespace FastXen.Xen.EventChannels;

/// <summary>
/// The event words of a shared_info page (public header xen.h), which the hypervisor and the guest change at the same time:
/// pending and mask bits by port, and for each vCPU the selector, the pending byte and the mask byte of the upcall.
/// </summary>
internal readonly unsafe struct SharedInfo(byte* page)
{
    private const int VcpuInfoSize = 48, SelectorOffset = 8;
    private const int PendingOffset = 0xc00, MaskOffset = 0xe00;

    /// <summary>A new domain takes no upcalls before it asks for them.</summary>
    public void MaskAllUpcalls()
    {
        for (int vcpu = 0; vcpu < XenDomain.MaximumVcpus; vcpu++)
            page[VcpuInfoSize * vcpu + 1] = 1;
    }

    /// <summary>Sets a channel's pending bit; false when it was set.</summary>
    public bool SetPending(int port) => (Interlocked.Or(ref Word(PendingOffset, port), Bit(port)) & Bit(port)) == 0;

    /// <summary>Clears a channel's pending bit.</summary>
    public void ClearPending(int port) => Interlocked.And(ref Word(PendingOffset, port), ~Bit(port));

    /// <summary>The channel's pending bit.</summary>
    public bool IsPending(int port) => (Volatile.Read(ref Word(PendingOffset, port)) & Bit(port)) != 0;

    /// <summary>The channel's mask bit.</summary>
    public bool IsMasked(int port) => (Volatile.Read(ref Word(MaskOffset, port)) & Bit(port)) != 0;

    /// <summary>Clears a channel's mask bit; false when it was clear.</summary>
    public bool ClearMask(int port) => (Interlocked.And(ref Word(MaskOffset, port), ~Bit(port)) & Bit(port)) != 0;

    /// <summary>
    /// Shows a vCPU that a channel's word has a pending bit. True when its pending byte went from 0 to 1: the vCPU is to be told.
    /// Both steps stop at what is set already, since whoever set it went on.
    /// </summary>
    public bool Raise(int vcpu, int port)
    {
        byte* info = page + VcpuInfoSize * vcpu;
        ulong selected = 1UL << (port >> 6);
        return (Interlocked.Or(ref *(ulong*)(info + SelectorOffset), selected) & selected) == 0
            && (Interlocked.Exchange(ref *info, 1) & 1) == 0;
    }

    /// <summary>The upcall is pending and not masked.</summary>
    public bool NeedsDelivery(int vcpu)
    {
        byte* info = page + VcpuInfoSize * vcpu;
        return Volatile.Read(ref info[0]) != 0 && Volatile.Read(ref info[1]) == 0;
    }

    /// <summary>Writes the mask byte of a vCPU's upcall.</summary>
    public void SetUpcallMask(int vcpu, bool masked) => Volatile.Write(ref page[VcpuInfoSize * vcpu + 1], masked ? (byte)1 : (byte)0);

    private ref ulong Word(int offset, int port) => ref *(ulong*)(page + offset + (port >> 6) * sizeof(ulong));

    private static ulong Bit(int port) => BitOperations.RotateLeft(1UL, port);
}
