using System.Runtime.CompilerServices;
using FastXen.Core.Decode;
using FastXen.Core.State;

namespace FastXen.Core.Interpret;

/// <summary>A bit that is tested: tbit, tnat, tf.</summary>
internal unsafe interface ITestedBit
{
    /// <summary>The bit, 0 or 1.</summary>
    static abstract uint Value(VcpuState* s, Instruction* i);

    /// <summary>True when its source is NaT.</summary>
    static abstract bool Nat(VcpuState* s, Instruction* i);
}

/// <summary>.z: the relation holds where the bit is 0.</summary>
internal readonly unsafe struct IsZero<TBit> : IPredicateTest
    where TBit : struct, ITestedBit
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Holds(VcpuState* s, Instruction* i) => TBit.Value(s, i) == 0;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Nat(VcpuState* s, Instruction* i) => TBit.Nat(s, i);
}

/// <summary>.nz: the relation holds where the bit is 1.</summary>
internal readonly unsafe struct IsNonzero<TBit> : IPredicateTest
    where TBit : struct, ITestedBit
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Holds(VcpuState* s, Instruction* i) => TBit.Value(s, i) != 0;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Nat(VcpuState* s, Instruction* i) => TBit.Nat(s, i);
}

/// <summary>tbit: a bit of GR r3.</summary>
internal readonly unsafe struct RegisterBit : ITestedBit
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Value(VcpuState* s, Instruction* i) => (uint)(Registers.Gr(s, i->R3) >> i->Position) & 1;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Nat(VcpuState* s, Instruction* i) => Registers.Nat(s, i->R3) != 0;
}

/// <summary>tnat: the NaT bit of GR r3, which is data here.</summary>
internal readonly unsafe struct NatBit : ITestedBit
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Value(VcpuState* s, Instruction* i) => Registers.Nat(s, i->R3);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Nat(VcpuState* s, Instruction* i) => false;
}

/// <summary>tf: a bit of CPUID[4].</summary>
internal readonly unsafe struct FeatureBit : ITestedBit
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Value(VcpuState* s, Instruction* i) => (uint)(Cpuid.Features >> i->Position) & 1;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Nat(VcpuState* s, Instruction* i) => false;
}
