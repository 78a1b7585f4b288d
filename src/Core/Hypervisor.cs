using FastXen.Core.Decode;
using FastXen.Core.State;

namespace FastXen.Core;

/// <summary>
/// Where a vCPU comes to its hypervisor: the points at which a processor under a virtual machine monitor would have entered it. Function pointers,
/// so that a break reaches its hypercall with no virtual call. One for all vCPUs of a personality.
/// </summary>
public unsafe struct Hypervisor
{
    /// <summary>What <see cref="Break"/> and <see cref="Privileged"/> answer when the instruction is none of theirs.</summary>
    public const int NotTaken = -1;

    /// <summary>A break with an immediate. Answers as a handler does (<see cref="Interpret.Step"/>), or <see cref="NotTaken"/>: it is an interruption.</summary>
    public delegate*<VcpuState*, Instruction*, int> Break;

    /// <summary>A privileged instruction or register at a level above 0. Answers as <see cref="Break"/>.</summary>
    public delegate*<VcpuState*, Instruction*, int> Privileged;

    /// <summary>
    /// An interruption: ip and slot are those that it returns to; ISR and the bundle for IIPA are given, IFA, ITIR, IHA and IIM are in
    /// their control registers. Sets ip, slot and PSR.
    /// </summary>
    public delegate*<VcpuState*, Vector, ulong, ulong, void> Interruption;

    /// <summary>A look-point: delivers what is pending, in the place of the local SAPIC.</summary>
    public delegate*<VcpuState*, void> Attend;

    /// <summary>A slice of the vCPU begins, on this thread (<see cref="Vcpu.RunSlice"/>).</summary>
    public delegate*<VcpuState*, void> Entered;

    /// <summary>A slice of the vCPU has ended, on this thread, and why.</summary>
    public delegate*<VcpuState*, VcpuPause, void> Left;
}
