using System.Runtime.CompilerServices;
using FastXen.Core.Decode;
using FastXen.Core.Float;
using FastXen.Core.State;

namespace FastXen.Core.Interpret;

/// <summary>What the floating-point handlers have in common: the checks before an operation and its completion.</summary>
public static unsafe class FloatingAccess
{
    private const ulong Disabled = Psr.Dfl | Psr.Dfh;

    /// <summary>
    /// The faults of an F-unit instruction's operands: f0 or f1 as the target, disabled registers. <see cref="Step.Next"/> when there is none.
    /// Fields that the format does not have are zero, which is f0.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Check(VcpuState* s, Instruction* i)
    {
        if (i->R1 >= 2 && (s->PsrValue & Disabled) == 0)
            return Step.Next;

        return i->R1 < 2 ? Fault.IllegalOperation(s, i) : CheckDisabled(s, i, i->R1, i->R2, i->R3, i->R4);
    }

    /// <summary>Disabled Floating-Point Register fault where PSR.dfl or PSR.dfh covers an operand (volume 3, fp_reg_disabled).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int CheckEnabled(VcpuState* s, Instruction* i, uint fa, uint fb) =>
        (s->PsrValue & Disabled) == 0 ? Step.Next : CheckDisabled(s, i, fa, fb, 0, 0);

    /// <summary>Writes the target and the flags, or delivers the fault; traps come after the write.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Complete(VcpuState* s, Instruction* i, FloatRegister result, in FloatStatus status)
    {
        if (status.Fault != 0)
            return Fault.FloatingPointFault(s, i, status.Fault);

        Registers.SetFr(s, i->R1, result);
        MergeFlags(s, i, status.Flags);
        return status.Trap == 0 ? Step.Next : Fault.FloatingPointTrap(s, i, FloatPair.IsrTrapCode(status));
    }

    /// <summary>As the scalar one, for both halves of a parallel operation.</summary>
    public static int Complete(VcpuState* s, Instruction* i, FloatRegister result, in FloatStatus high, in FloatStatus low)
    {
        uint fault = FloatPair.IsrFaultCode(high, low);
        if (fault != 0)
            return Fault.FloatingPointFault(s, i, fault);

        Registers.SetFr(s, i->R1, result);
        MergeFlags(s, i, high.Flags | low.Flags);
        uint trap = FloatPair.IsrTrapCode(high, low);
        return trap == 0 ? Step.Next : Fault.FloatingPointTrap(s, i, trap);
    }

    /// <summary>Ors flags into the instruction's status field.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void MergeFlags(VcpuState* s, Instruction* i, uint flags)
    {
        if (flags != 0)
            s->Ar[Ar.Fpsr] = FloatStatus.Merge(s->Ar[Ar.Fpsr], i->Selector, flags);
    }

    /// <summary>The environment of the instruction's status field.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FloatStatus Status(VcpuState* s, Instruction* i) => new(s->Ar[Ar.Fpsr], i->Selector);

    private static int CheckDisabled(VcpuState* s, Instruction* i, uint f1, uint f2, uint f3, uint f4)
    {
        uint used = Partition(f1) | Partition(f2) | Partition(f3) | Partition(f4);
        uint disabled = (uint)(s->PsrValue / Psr.Dfl) & 3;
        return (used & disabled) == 0 ? Step.Next : Fault.DisabledFpRegister(s, i, used & disabled);
    }

    /// <summary>1 for f2-f31, 2 for f32-f127, 0 for the constants.</summary>
    private static uint Partition(uint f) => f < 2 ? 0u : f < 32 ? 1u : 2u;
}
