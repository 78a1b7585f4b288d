using FastXen.Core.State;
using FastXen.Mmu;

namespace FastXen.Core;

/// <summary>The managed owner of one <see cref="VcpuState"/>: everything that the slow paths need.</summary>
public sealed unsafe partial class Vcpu
{
    /// <summary>The unmanaged state.</summary>
    public VcpuState* State { get; private set; }

    /// <summary>The domain's physical address space.</summary>
    public PhysicalMemory Memory { get; }

    /// <summary>Firmware services, or null on a bare machine.</summary>
    public IFirmware? Firmware { get; set; }

    /// <summary>Makes a vCPU in the reset state.</summary>
    public Vcpu(PhysicalMemory memory) => Memory = memory;

    /// <summary>
    /// Copies guest-virtual memory as the vCPU would see it now (data translation by PSR.dt, at CPL 0), for firmware services with pointer arguments.
    /// False when some byte is not mapped to RAM; no fault is delivered.
    /// </summary>
    public bool TryRead(ulong address, Span<byte> destination) => throw new NotImplementedException();

    /// <summary>As <see cref="TryRead"/>, writing.</summary>
    public bool TryWrite(ulong address, ReadOnlySpan<byte> source) => throw new NotImplementedException();

    /// <summary>Reads register r32 + <paramref name="index"/> (stacked argument), 0 to 7.</summary>
    public ulong Argument(int index) => State->FrameBase[32 + index];

    /// <summary>Posts an external interrupt (sets its IRR bit and wakes the vCPU). Any thread.</summary>
    public void PostInterrupt(byte vector) => throw new NotImplementedException();

    /// <summary>Blocks the vCPU until an unmasked or masked interrupt is pending or its timer fires (PAL_HALT_LIGHT).</summary>
    public void WaitForInterrupt() => throw new NotImplementedException();

    /// <summary>Drops all translation caches and decoded code (PAL cache and TLB services).</summary>
    public void FlushTranslations() => throw new NotImplementedException();

    /// <summary>Asks the run loop to leave with this request (reset, power-off, halt).</summary>
    public void RequestStop(VcpuStop reason) => throw new NotImplementedException();
}

/// <summary>Why a vCPU left its run loop.</summary>
public enum VcpuStop
{
    /// <summary>Still running.</summary>
    None,
    /// <summary>The guest powered the machine off.</summary>
    PowerOff,
    /// <summary>The guest asked for a reset.</summary>
    Reboot,
    /// <summary>The guest halted this processor for good.</summary>
    Halted,
    /// <summary>The host asked.</summary>
    Requested,
    /// <summary>The stop address or step limit of a bare run was reached.</summary>
    Limit,
    /// <summary>An internal invariant broke; the domain is stopped with a dump.</summary>
    Crashed,
}
