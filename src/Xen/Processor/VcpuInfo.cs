using System.Runtime.InteropServices;

namespace FastXen.Xen.Processor;

/// <summary>A vCPU's part of shared_info (xen.h, <c>vcpu_info</c>).</summary>
[StructLayout(LayoutKind.Explicit, Size = Bytes)]
public struct VcpuInfo
{
    /// <summary>Bytes of the structure.</summary>
    public const int Bytes = 48;

    /// <summary>Set by the hypervisor, cleared by the guest: an event is pending.</summary>
    [FieldOffset(0)] public byte UpcallPending;

    /// <summary>The inverse of the virtual PSR.i.</summary>
    [FieldOffset(1)] public byte UpcallMask;

    /// <summary>Words of the pending bitmap that have a bit.</summary>
    [FieldOffset(8)] public ulong PendingSelector;
}
