using System.Runtime.CompilerServices;
using FastXen.Core.Decode;
using FastXen.Core.State;

namespace FastXen.Core.Interpret;

/// <summary>A relation of two integers.</summary>
internal interface IRelation
{
    /// <summary>True when <paramref name="a"/> stands in the relation to <paramref name="b"/>.</summary>
    static abstract bool Holds(ulong a, ulong b);
}

#pragma warning disable CS1591 // the names are the manual's: crel of cmp, then of cmp4
internal readonly struct Eq : IRelation { public static bool Holds(ulong a, ulong b) => a == b; }
internal readonly struct Ne : IRelation { public static bool Holds(ulong a, ulong b) => a != b; }
internal readonly struct Lt : IRelation { public static bool Holds(ulong a, ulong b) => (long)a < (long)b; }
internal readonly struct Le : IRelation { public static bool Holds(ulong a, ulong b) => (long)a <= (long)b; }
internal readonly struct Gt : IRelation { public static bool Holds(ulong a, ulong b) => (long)a > (long)b; }
internal readonly struct Ge : IRelation { public static bool Holds(ulong a, ulong b) => (long)a >= (long)b; }
internal readonly struct Ltu : IRelation { public static bool Holds(ulong a, ulong b) => a < b; }
internal readonly struct Eq4 : IRelation { public static bool Holds(ulong a, ulong b) => (uint)a == (uint)b; }
internal readonly struct Ne4 : IRelation { public static bool Holds(ulong a, ulong b) => (uint)a != (uint)b; }
internal readonly struct Lt4 : IRelation { public static bool Holds(ulong a, ulong b) => (int)a < (int)b; }
internal readonly struct Le4 : IRelation { public static bool Holds(ulong a, ulong b) => (int)a <= (int)b; }
internal readonly struct Gt4 : IRelation { public static bool Holds(ulong a, ulong b) => (int)a > (int)b; }
internal readonly struct Ge4 : IRelation { public static bool Holds(ulong a, ulong b) => (int)a >= (int)b; }
internal readonly struct Ltu4 : IRelation { public static bool Holds(ulong a, ulong b) => (uint)a < (uint)b; }
#pragma warning restore CS1591

/// <summary>GR r2 against GR r3 (formats A6 and A7; in A7 r2 is r0).</summary>
internal readonly unsafe struct RegisterPair<TRelation> : IPredicateTest
    where TRelation : struct, IRelation
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Holds(VcpuState* s, Instruction* i) => TRelation.Holds(Registers.Gr(s, i->R2), Registers.Gr(s, i->R3));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Nat(VcpuState* s, Instruction* i) => Registers.Nat(s, i->R2, i->R3) != 0;
}

/// <summary>The immediate against GR r3 (format A8).</summary>
internal readonly unsafe struct ImmediateRegister<TRelation> : IPredicateTest
    where TRelation : struct, IRelation
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Holds(VcpuState* s, Instruction* i) => TRelation.Holds(i->Immediate, Registers.Gr(s, i->R3));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Nat(VcpuState* s, Instruction* i) => Registers.Nat(s, i->R3) != 0;
}
