using FastXen.Core.Float;

namespace FastXen.Core.Tests.Float;

/// <summary>Random finite operands that like to meet at the edges: few set bits, nearby exponents, cancelling addends.</summary>
internal sealed class Operands(int seed)
{
    private readonly Random _random = new(seed);

    public ulong Bits() => (ulong)_random.NextInt64(long.MinValue, long.MaxValue);

    public int Below(int limit) => _random.Next(limit);

    /// <summary>Patterns with runs of ones and zeros.</summary>
    public ulong Significand() => Below(6) switch
    {
        0 => 1UL << 63,
        1 => ulong.MaxValue,
        2 => (1UL << 63) | (1UL << Below(63)),
        3 => ulong.MaxValue << Below(64) | 1UL << 63,
        4 => ulong.MaxValue >> 1 >> Below(62) | 1UL << 63,
        _ => Bits() | 1UL << 63,
    };

    public FloatRegister Register(int centre, int spread)
    {
        uint exponent = (uint)Math.Clamp(centre + Below((2 * spread) + 1) - spread, 1, 0x1fffe);
        uint sign = (uint)Below(2) << 17;
        return Below(40) switch
        {
            0 => new FloatRegister(sign, 0),
            1 => new FloatRegister(sign, Bits() >> 1),
            2 => new FloatRegister(sign | exponent, Significand() >> (1 + Below(62))),
            _ => new FloatRegister(sign | exponent, Significand()),
        };
    }

    public double Double() => BitConverter.UInt64BitsToDouble(Below(4) switch
    {
        0 => Bits(),
        1 => ((ulong)Below(2) << 63) | ((ulong)(Below(5) switch { 0 => 0, 1 => 1, 2 => 0x7fe, 3 => 0x7ff, _ => Below(0x800) }) << 52) | Fraction(52),
        2 => ((ulong)Below(2) << 63) | ((ulong)(1023 + Below(120) - 60) << 52) | Fraction(52),
        _ => ((ulong)Below(2) << 63) | ((ulong)(511 + Below(4)) << 52) | Fraction(52),
    });

    public float Single() => BitConverter.UInt32BitsToSingle(Below(4) switch
    {
        0 => (uint)Bits(),
        1 => ((uint)Below(2) << 31) | ((uint)(Below(5) switch { 0 => 0, 1 => 1, 2 => 0xfe, 3 => 0xff, _ => Below(0x100) }) << 23) | (uint)Fraction(23),
        2 => ((uint)Below(2) << 31) | ((uint)(127 + Below(60) - 30) << 23) | (uint)Fraction(23),
        _ => ((uint)Below(2) << 31) | ((uint)(63 + Below(4)) << 23) | (uint)Fraction(23),
    });

    private ulong Fraction(int bits) => (Significand() << 1) >> (64 - bits);
}
