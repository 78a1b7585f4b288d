using System.Runtime.CompilerServices;
using FastXen.Core.Decode;
using FastXen.Core.State;

namespace FastXen.Core.Interpret;

/// <summary>
/// Instructions that write a pair of predicates from one relation: cmp, cmp4, tbit, tnat, tf. The relation, its sources and the
/// comparison type are type parameters, so that each combination is compiled as its own few host instructions.
/// </summary>
/// <typeparam name="TTest">What is tested.</typeparam>
/// <typeparam name="TType">How the result is written.</typeparam>
internal static unsafe class Compare<TTest, TType>
    where TTest : struct, IPredicateTest
    where TType : struct, IComparisonType
{
    /// <summary>The handler.</summary>
    internal static int Execute(VcpuState* s, Instruction* i)
    {
        // p1 == p2 faults even when the qualifying predicate of an unc form is false (SDM vol 3, cmp); other forms do not come here then.
        if (i->P1 == i->P2)
            return Fault.IllegalOperation(s, i);
        ulong p1 = 1UL << i->P1, p2 = 1UL << i->P2;
        s->Pr = TType.Write(s->Pr, p1, p2, TTest.Holds(s, i), TTest.Nat(s, i), Registers.Pr(s, i->QpField) != 0) | 1;
        return Step.Next;
    }
}

/// <summary>A relation together with its sources.</summary>
internal unsafe interface IPredicateTest
{
    /// <summary>True when the relation holds.</summary>
    static abstract bool Holds(VcpuState* s, Instruction* i);

    /// <summary>True when a source is NaT.</summary>
    static abstract bool Nat(VcpuState* s, Instruction* i);
}

/// <summary>A comparison type (SDM vol 1, table 4-8 and 4-9).</summary>
internal interface IComparisonType
{
    /// <summary>
    /// The predicate file after the comparison; bit 0 may be anything. <paramref name="p1"/> and <paramref name="p2"/> are masks;
    /// <paramref name="qualified"/> is true except in unc forms, which are executed in any case.
    /// </summary>
    static abstract ulong Write(ulong pr, ulong p1, ulong p2, bool relation, bool nat, bool qualified);
}

/// <summary>The plain type: both targets get the relation and its complement, or 0 for a NaT.</summary>
internal readonly struct Plain : IComparisonType
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Write(ulong pr, ulong p1, ulong p2, bool relation, bool nat, bool qualified) =>
        pr & ~(p1 | p2) | (nat ? 0 : relation ? p1 : p2);
}

/// <summary>.unc: as plain, and both targets are cleared when the qualifying predicate is false.</summary>
internal readonly struct Unc : IComparisonType
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Write(ulong pr, ulong p1, ulong p2, bool relation, bool nat, bool qualified) =>
        pr & ~(p1 | p2) | (nat | !qualified ? 0 : relation ? p1 : p2);
}

/// <summary>.and: clears both targets where the relation does not hold or a source is NaT.</summary>
internal readonly struct AndType : IComparisonType
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Write(ulong pr, ulong p1, ulong p2, bool relation, bool nat, bool qualified) =>
        nat | !relation ? pr & ~(p1 | p2) : pr;
}

/// <summary>.or: sets both targets where the relation holds and no source is NaT.</summary>
internal readonly struct OrType : IComparisonType
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Write(ulong pr, ulong p1, ulong p2, bool relation, bool nat, bool qualified) =>
        relation & !nat ? pr | p1 | p2 : pr;
}

/// <summary>.or.andcm: sets the first and clears the second target where the relation holds and no source is NaT.</summary>
internal readonly struct OrAndcmType : IComparisonType
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Write(ulong pr, ulong p1, ulong p2, bool relation, bool nat, bool qualified) =>
        relation & !nat ? (pr | p1) & ~p2 : pr;
}
