using System.Runtime.CompilerServices;
using FastXen.Core.Decode;
using FastXen.Core.State;

namespace FastXen.Core.Interpret;

/// <summary>Operands and result of the instructions that compute one general register from others.</summary>
/// <remarks>
/// Sources are read before the target is checked: reading any register number is harmless, and the fault comes before any write.
/// </remarks>
internal static unsafe class IntegerOperands
{
    /// <summary>GR r2.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong R2(VcpuState* s, Instruction* i) => Registers.Gr(s, i->R2);

    /// <summary>GR r3.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong R3(VcpuState* s, Instruction* i) => Registers.Gr(s, i->R3);

    /// <summary>Writes GR r1 of an instruction with sources r2 and r3.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int Result23(VcpuState* s, Instruction* i, ulong value)
    {
        if (Registers.BadTarget(s, i->R1))
            return Fault.IllegalOperation(s, i);
        *Registers.GrAddress(s, i->R1) = value;
        return s->NatPresent == 0 ? Step.Next : NatOf(s, i, i->R2, i->R3);
    }

    /// <summary>Writes GR r1 of an instruction with source r2 only.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int Result2(VcpuState* s, Instruction* i, ulong value)
    {
        if (Registers.BadTarget(s, i->R1))
            return Fault.IllegalOperation(s, i);
        *Registers.GrAddress(s, i->R1) = value;
        return s->NatPresent == 0 ? Step.Next : NatOf(s, i, i->R2, i->R2);
    }

    /// <summary>Writes GR r1 of an instruction with source r3 only.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int Result3(VcpuState* s, Instruction* i, ulong value)
    {
        if (Registers.BadTarget(s, i->R1))
            return Fault.IllegalOperation(s, i);
        *Registers.GrAddress(s, i->R1) = value;
        return s->NatPresent == 0 ? Step.Next : NatOf(s, i, i->R3, i->R3);
    }

    // The NaT bit of r1, from those of the sources: rare, so not part of every handler.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int NatOf(VcpuState* s, Instruction* i, uint a, uint b)
    {
        *Registers.NatAddress(s, i->R1) = (byte)(*Registers.NatAddress(s, a) | *Registers.NatAddress(s, b));
        return Step.Next;
    }

    /// <summary>Writes GR r1 and its NaT bit, or faults where r1 is not a target.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int Result(VcpuState* s, Instruction* i, ulong value, uint nat)
    {
        if (Registers.BadTarget(s, i->R1))
            return Fault.IllegalOperation(s, i);
        Registers.SetGr(s, i->R1, value, nat);
        return Step.Next;
    }
}
