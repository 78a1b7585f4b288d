using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.Intrinsics;
using static FastXen.Core.Interpret.Multimedia.Lanes;

namespace FastXen.Core.Interpret.Multimedia;

/// <summary>
/// Instructions that move lanes (SDM vol 3: mix, pack, unpack, mux) or look for a zero lane (czx). <c>x</c> is GR r2, <c>y</c> is GR r3.
/// </summary>
internal static class DataArrangement
{
    private const ulong OddBytes = 0xff00_ff00_ff00_ff00;
    private const ulong OddPairs = 0xffff_0000_ffff_0000;
    private const ulong HighWord = 0xffff_ffff_0000_0000;

    internal static ulong Mix1L(ulong x, ulong y) => x & OddBytes | y >> 8 & ~OddBytes;

    internal static ulong Mix1R(ulong x, ulong y) => x << 8 & OddBytes | y & ~OddBytes;

    internal static ulong Mix2L(ulong x, ulong y) => x & OddPairs | y >> 16 & ~OddPairs;

    internal static ulong Mix2R(ulong x, ulong y) => x << 16 & OddPairs | y & ~OddPairs;

    internal static ulong Mix4L(ulong x, ulong y) => x & HighWord | y >> 32;

    internal static ulong Mix4R(ulong x, ulong y) => x << 32 | y & ~HighWord;

    /// <summary>pack2.sss: eight signed two-byte lanes, those of x low, saturated to signed bytes.</summary>
    internal static ulong Pack2Sss(ulong x, ulong y) =>
        Low(Vector128.NarrowWithSaturation(Vector128.Create(x, y).AsInt16(), Vector128<short>.Zero));

    /// <summary>pack2.uss: eight signed two-byte lanes, those of x low, saturated to unsigned bytes.</summary>
    internal static ulong Pack2Uss(ulong x, ulong y)
    {
        Vector128<short> lanes = Vector128.Create(x, y).AsInt16();
        lanes = Vector128.Min(Vector128.Max(lanes, Vector128<short>.Zero), Vector128.Create((short)byte.MaxValue));
        return Low(Vector128.Narrow(lanes, lanes));
    }

    /// <summary>pack4.sss: four signed four-byte lanes, those of x low, saturated to signed two-byte lanes.</summary>
    internal static ulong Pack4Sss(ulong x, ulong y) =>
        Low(Vector128.NarrowWithSaturation(Vector128.Create(x, y).AsInt32(), Vector128<int>.Zero));

    internal static ulong Unpack1H(ulong x, ulong y) => Unpack1L(x >> 32, y >> 32);

    internal static ulong Unpack1L(ulong x, ulong y) => SpreadBytes(x) << 8 | SpreadBytes(y);

    internal static ulong Unpack2H(ulong x, ulong y) => Unpack2L(x >> 32, y >> 32);

    internal static ulong Unpack2L(ulong x, ulong y) => SpreadPairs(x) << 16 | SpreadPairs(y);

    internal static ulong Unpack4H(ulong x, ulong y) => Mix4L(x, y);

    internal static ulong Unpack4L(ulong x, ulong y) => Mix4R(x, y);

    internal static ulong Mux1Brcst(ulong x) => (byte)x * Unit1;

    internal static ulong Mux1Mix(ulong x) => Permute1(x, 0x0703_0501_0602_0400);

    internal static ulong Mux1Shuf(ulong x) => Permute1(x, 0x0703_0602_0501_0400);

    internal static ulong Mux1Alt(ulong x) => Permute1(x, 0x0705_0301_0604_0200);

    internal static ulong Mux1Rev(ulong x) => BinaryPrimitives.ReverseEndianness(x);

    /// <summary>mux2: lane n of the result is the lane that bits 2n + 1 to 2n of the selector name.</summary>
    internal static ulong Mux2(ulong x, uint selector) =>
        Lane(x, selector) | Lane(x, selector >> 2) << 16 | Lane(x, selector >> 4) << 32 | Lane(x, selector >> 6) << 48;

    /// <summary>czx1.l: number of bytes before the first zero byte from the left; 8 when there is none.</summary>
    internal static ulong ZeroIndex1L(ulong x) => (ulong)BitOperations.LeadingZeroCount(ZeroLanes(x, ~Sign1)) >> 3;

    internal static ulong ZeroIndex1R(ulong x) => (ulong)BitOperations.TrailingZeroCount(ZeroLanes(x, ~Sign1)) >> 3;

    /// <summary>czx2.l: number of two-byte lanes before the first zero lane from the left; 4 when there is none.</summary>
    internal static ulong ZeroIndex2L(ulong x) => (ulong)BitOperations.LeadingZeroCount(ZeroLanes(x, ~Sign2)) >> 4;

    internal static ulong ZeroIndex2R(ulong x) => (ulong)BitOperations.TrailingZeroCount(ZeroLanes(x, ~Sign2)) >> 4;

    private static ulong Permute1(ulong x, ulong indices) => Low(Vector128.Shuffle(U1(x), Vector128.Create(indices, 0).AsByte()));

    private static ulong Lane(ulong x, uint index) => (ushort)(x >> (int)((index & 3) * 16));

    private static ulong SpreadPairs(ulong x) => ((uint)x | x << 16) & ~OddPairs;

    private static ulong SpreadBytes(ulong x)
    {
        ulong pairs = SpreadPairs(x);
        return (pairs | pairs << 8) & ~OddBytes;
    }

    // The top bit of each lane that is zero, exactly: no carry leaves a lane.
    private static ulong ZeroLanes(ulong x, ulong lowBits) => ~((x & lowBits) + lowBits | x | lowBits);
}
