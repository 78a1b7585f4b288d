using System.Runtime.Intrinsics;
using static FastXen.Core.Interpret.Multimedia.Lanes;

namespace FastXen.Core.Interpret.Multimedia;

/// <summary>Parallel and integer multiplication on the I unit (SDM vol 3: pmpy2, pmpyshr2, mpy4, mpyshl4).</summary>
internal static class ParallelMultiply
{
    /// <summary>pmpy2.r: the signed products of lanes 0 and 2.</summary>
    internal static ulong Right2(ulong x, ulong y) =>
        (uint)((short)x * (short)y) | (ulong)(uint)((short)(x >> 32) * (short)(y >> 32)) << 32;

    /// <summary>pmpy2.l: the signed products of lanes 1 and 3.</summary>
    internal static ulong Left2(ulong x, ulong y) => Right2(x >> 16, y >> 16);

    /// <summary>pmpyshr2: bits count + 15 to count of the four signed products; <paramref name="count"/> is 0, 7, 15 or 16.</summary>
    internal static ulong ShiftRight2(ulong x, ulong y, int count) =>
        Truncate((Vector128.WidenLower(S2(x)) * Vector128.WidenLower(S2(y))).AsUInt32(), count);

    /// <summary>pmpyshr2.u: bits count + 15 to count of the four unsigned products.</summary>
    internal static ulong ShiftRight2U(ulong x, ulong y, int count) =>
        Truncate(Vector128.WidenLower(U2(x)) * Vector128.WidenLower(U2(y)), count);

    /// <summary>mpy4: the unsigned product of the low words.</summary>
    internal static ulong Multiply4(ulong x, ulong y) => (ulong)(uint)x * (uint)y;

    /// <summary>mpyshl4: the low word of (high word of x times low word of y), in the high word.</summary>
    internal static ulong MultiplyShiftLeft4(ulong x, ulong y) => (x >> 32) * (uint)y << 32;

    private static ulong Truncate(Vector128<uint> products, int count)
    {
        Vector128<uint> shifted = products >> count;
        return Low(Vector128.Narrow(shifted, shifted));
    }
}
