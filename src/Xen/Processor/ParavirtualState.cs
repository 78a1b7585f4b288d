using FastXen.Core.State;

namespace FastXen.Xen.Processor;

/// <summary>What the hypervisor keeps of a paravirtualized vCPU, unmanaged: what its entry points need without a managed object.</summary>
public unsafe struct ParavirtualState
{
    /// <summary>Privilege level of the guest's kernel (arch-ia64.h: CPL0_EMUL).</summary>
    public const int KernelLevel = 1;

    /// <summary>Bits of region identifiers that a guest has.</summary>
    public const int RidBits = 18;

    /// <summary>The registers that are shared with the guest.</summary>
    public MappedRegisters* Registers;

    /// <summary>The vCPU's part of shared_info.</summary>
    public VcpuInfo* Info;

    /// <summary>GCHandle of the managed part.</summary>
    public nint Owner;

    /// <summary>Number of the vCPU in its domain.</summary>
    public int Number;

    /// <summary>Break immediate of hypercalls.</summary>
    public uint HypercallImmediate;

    /// <summary>CR.IVA as the guest set it.</summary>
    public ulong Iva;

    /// <summary>Where events are delivered; 0 while the guest has not said.</summary>
    public ulong EventCallback;

    /// <summary>Requests of the interrupt controller that the guest has before it registers its callback.</summary>
    public fixed ulong Irr[4];

    /// <summary>Interrupts of that controller in service.</summary>
    public fixed ulong InService[4];

    /// <summary>Region registers as the guest set them (the shared ones are copies for it to read).</summary>
    public fixed ulong RegionRegisters[8];

    /// <summary>CR.ITM for which the timer's event was sent last.</summary>
    public ulong SignalledItm;

    /// <summary>Address and slot of a hypercall that is to be executed again; 0: none is.</summary>
    public ulong ContinuesAt;

    /// <summary>How far that hypercall is.</summary>
    public ulong Progress;

    /// <summary>How far the hypercall is that it is at, where it is a list of hypercalls.</summary>
    public ulong InnerProgress;

    /// <summary>CR.ITM was reached, and no event told so yet.</summary>
    public bool TimerExpired;

    /// <summary>Not 0 while the vCPU is down: it waits at its next look-point. Any thread.</summary>
    public int Down;

    /// <summary>Not 0 where the vCPU is to begin anew when it comes up. Any thread.</summary>
    public int Restarts;

    /// <summary>Set while the hypervisor lets a handler of the interpreter do a privileged instruction for the guest: PSR.cpl is 0 in between.</summary>
    public bool Emulates;

    /// <summary>What it asked of the hypervisor last.</summary>
    internal RecentHypercalls Recent;

    /// <summary>A region register as the guest set it.</summary>
    public readonly ulong Rr(int region) => RegionRegisters[region];

    /// <summary>The state of a vCPU.</summary>
    public static ParavirtualState* Of(VcpuState* s) => (ParavirtualState*)s->Hypervised;
}
