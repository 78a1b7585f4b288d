using System.Numerics;
using System.Runtime.Intrinsics;
using static FastXen.Core.Interpret.Multimedia.Lanes;

namespace FastXen.Core.Interpret.Multimedia;

/// <summary>
/// Parallel addition, subtraction, average, comparison, minimum and maximum (SDM vol 3: padd, psub, pavg, pavgsub, pcmp, pmin, pmax,
/// psad, pshladd, pshradd). <c>x</c> is GR r2 and <c>y</c> is GR r3; three letters name the signedness of result, x and y as in the mnemonics.
/// </summary>
internal static class ParallelArithmetic
{
    internal static ulong Add1(ulong x, ulong y) => Low(U1(x) + U1(y));

    internal static ulong Add2(ulong x, ulong y) => Low(U2(x) + U2(y));

    internal static ulong Add4(ulong x, ulong y) => Low(U4(x) + U4(y));

    internal static ulong Add1Sss(ulong x, ulong y) => Low(Vector128.AddSaturate(S1(x), S1(y)));

    internal static ulong Add2Sss(ulong x, ulong y) => Low(Vector128.AddSaturate(S2(x), S2(y)));

    internal static ulong Add1Uuu(ulong x, ulong y) => Low(Vector128.AddSaturate(U1(x), U1(y)));

    internal static ulong Add2Uuu(ulong x, ulong y) => Low(Vector128.AddSaturate(U2(x), U2(y)));

    // An unsigned lane moved down by half its range is a signed lane, and clamping moves with it.
    internal static ulong Add1Uus(ulong x, ulong y) => Add1Sss(x ^ Sign1, y) ^ Sign1;

    internal static ulong Add2Uus(ulong x, ulong y) => Add2Sss(x ^ Sign2, y) ^ Sign2;

    internal static ulong Subtract1(ulong x, ulong y) => Low(U1(x) - U1(y));

    internal static ulong Subtract2(ulong x, ulong y) => Low(U2(x) - U2(y));

    internal static ulong Subtract4(ulong x, ulong y) => Low(U4(x) - U4(y));

    internal static ulong Subtract1Sss(ulong x, ulong y) => Low(Vector128.SubtractSaturate(S1(x), S1(y)));

    internal static ulong Subtract2Sss(ulong x, ulong y) => Low(Vector128.SubtractSaturate(S2(x), S2(y)));

    internal static ulong Subtract1Uuu(ulong x, ulong y) => Low(Vector128.SubtractSaturate(U1(x), U1(y)));

    internal static ulong Subtract2Uuu(ulong x, ulong y) => Low(Vector128.SubtractSaturate(U2(x), U2(y)));

    internal static ulong Subtract1Uus(ulong x, ulong y) => Subtract1Sss(x ^ Sign1, y) ^ Sign1;

    internal static ulong Subtract2Uus(ulong x, ulong y) => Subtract2Sss(x ^ Sign2, y) ^ Sign2;

    /// <summary>Rounds to odd: the bit shifted out is or'ed into the result, so that repeated averages have no bias.</summary>
    internal static ulong Average1(ulong x, ulong y) => (x & y) + (((x ^ y) & ~Unit1) >> 1) | (x ^ y) & Unit1;

    internal static ulong Average2(ulong x, ulong y) => (x & y) + (((x ^ y) & ~Unit2) >> 1) | (x ^ y) & Unit2;

    /// <summary>Rounds away from zero (.raz).</summary>
    internal static ulong Average1Raz(ulong x, ulong y) => (x | y) - (((x ^ y) & ~Unit1) >> 1);

    internal static ulong Average2Raz(ulong x, ulong y) => (x | y) - (((x ^ y) & ~Unit2) >> 1);

    // floor((x - y) / 2) = ((x + ~y + 1) >> 1) - half the range; then the bit shifted out is or'ed in, as in pavg.
    internal static ulong AverageSubtract1(ulong x, ulong y) => Average1Raz(x, ~y) ^ Sign1 | (x ^ y) & Unit1;

    internal static ulong AverageSubtract2(ulong x, ulong y) => Average2Raz(x, ~y) ^ Sign2 | (x ^ y) & Unit2;

    internal static ulong CompareEqual1(ulong x, ulong y) => Low(Vector128.Equals(U1(x), U1(y)));

    internal static ulong CompareEqual2(ulong x, ulong y) => Low(Vector128.Equals(U2(x), U2(y)));

    internal static ulong CompareEqual4(ulong x, ulong y) => Low(Vector128.Equals(U4(x), U4(y)));

    internal static ulong CompareGreater1(ulong x, ulong y) => Low(Vector128.GreaterThan(S1(x), S1(y)));

    internal static ulong CompareGreater2(ulong x, ulong y) => Low(Vector128.GreaterThan(S2(x), S2(y)));

    internal static ulong CompareGreater4(ulong x, ulong y) => Low(Vector128.GreaterThan(S4(x), S4(y)));

    internal static ulong Minimum1U(ulong x, ulong y) => Low(Vector128.Min(U1(x), U1(y)));

    internal static ulong Maximum1U(ulong x, ulong y) => Low(Vector128.Max(U1(x), U1(y)));

    internal static ulong Minimum2(ulong x, ulong y) => Low(Vector128.Min(S2(x), S2(y)));

    internal static ulong Maximum2(ulong x, ulong y) => Low(Vector128.Max(S2(x), S2(y)));

    /// <summary>psad1: the sum of the absolute differences of unsigned bytes.</summary>
    internal static ulong SumOfAbsoluteDifferences1(ulong x, ulong y)
    {
        ulong differences = Low(Vector128.Max(U1(x), U1(y)) - Vector128.Min(U1(x), U1(y)));
        const ulong evenBytes = 0x00ff_00ff_00ff_00ff;
        ulong pairs = (differences & evenBytes) + (differences >> 8 & evenBytes);
        return pairs * Unit2 >> 48;
    }

    /// <summary>pshladd2: a lane whose shift already overflows stays saturated, whatever is added to it.</summary>
    internal static ulong ShiftLeftAdd2(ulong x, int count, ulong y)
    {
        Vector128<int> shifted = Vector128.WidenLower(S2(x)) << count;
        Vector128<int> saturated = ClampToInt16(shifted);
        Vector128<int> sum = ClampToInt16(shifted + Vector128.WidenLower(S2(y)));
        return NarrowToInt16(Vector128.ConditionalSelect(Vector128.Equals(saturated, shifted), sum, saturated));
    }

    /// <summary>pshradd2: arithmetic shift right, then a signed saturating addition.</summary>
    internal static ulong ShiftRightAdd2(ulong x, int count, ulong y) =>
        Low(Vector128.AddSaturate(Vector128.ShiftRightArithmetic(S2(x), count), S2(y)));

    /// <summary>popcnt.</summary>
    internal static ulong PopulationCount(ulong x) => (ulong)BitOperations.PopCount(x);

    /// <summary>clz: 64 for zero.</summary>
    internal static ulong CountLeadingZeros(ulong x) => (ulong)BitOperations.LeadingZeroCount(x);

    private static Vector128<int> ClampToInt16(Vector128<int> v) =>
        Vector128.Min(Vector128.Max(v, Vector128.Create((int)short.MinValue)), Vector128.Create((int)short.MaxValue));

    private static ulong NarrowToInt16(Vector128<int> v) => Low(Vector128.Narrow(v, v));
}
