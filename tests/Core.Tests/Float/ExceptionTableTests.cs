using System.Globalization;
using FastXen.Core.Float;

namespace FastXen.Core.Tests.Float;

/// <summary>
/// Cases derived from the manual (volume 1, 5.4; volume 3, the operations): special operands, faults and traps. No recorded
/// vector has an exception unmasked. Registers are written as sign, exponent, significand.
/// </summary>
public class ExceptionTableTests
{
    private const string Zero = "+00000.0000000000000000", MinusZero = "-00000.0000000000000000";
    private const string One = "+0ffff.8000000000000000", MinusOne = "-0ffff.8000000000000000", Half = "+0fffe.8000000000000000", Two = "+10000.8000000000000000";
    private const string Infinity = "+1ffff.8000000000000000", MinusInfinity = "-1ffff.8000000000000000";
    private const string Indefinite = "-1ffff.c000000000000000", Unsupported = "+1ffff.4000000000000000", Nat = "+1fffe.0000000000000000";
    private const string SignalingA = "+1ffff.a000000000000001", QuietA = "+1ffff.e000000000000001", QuietB = "-1ffff.e000000000000002", QuietC = "+1ffff.c000000000000003";
    private const string Unnormal = "+0ffff.4000000000000000", PseudoZero = "+0ffff.0000000000000000", PseudoDenormal = "+00000.8000000000000000";
    private const string LargestDouble = "+103fe.fffffffffffff800", SmallestDouble = "+0fc01.8000000000000000";
    private const string LargestSingle = "+1007e.ffffff0000000000";
    private const uint V = 1, D = 2, Z = 4, O = 8, U = 16, I = 32, Fpa = 64, Swa = 8;
    private const uint Down = 1, Up = 2, Chop = 3;

    /// <summary>Enabled exceptions and controls of the status field.</summary>
    private static FloatStatus Status(uint enabled, uint mode = 0, bool flush = false, bool wide = false, bool disabled = false) => new(
        (~enabled & 0x3f) | ((ulong)((flush ? 1u : 0) | (wide ? 2u : 0) | 0xc | (mode << 4) | (disabled ? 0x40u : 0)) << 6), 0);

    private static FloatRegister Parse(string text) => new(
        (text[0] == '-' ? 0x20000u : 0) | uint.Parse(text.AsSpan(1, 5), NumberStyles.HexNumber, CultureInfo.InvariantCulture),
        ulong.Parse(text.AsSpan(7), NumberStyles.HexNumber, CultureInfo.InvariantCulture));

    private static void AssertOutcome(FloatRegister got, FloatStatus status, string result, uint flags, uint fault, uint trap)
    {
        Assert.Equal((fault, trap), (status.Fault, status.Trap));
        if (fault == 0)
            Assert.Equal((Parse(result), flags), (got, status.Flags));
    }

    [Theory]
    // Invalid operands and NaNs: of several NaNs b wins, then c, then a; a NaN hides an invalid product.
    [InlineData(SignalingA, One, One, 0, QuietA, V, 0)]
    [InlineData(SignalingA, One, One, V, "", 0, V)]
    [InlineData(One, SignalingA, QuietC, 0, QuietA, V, 0)]
    [InlineData(QuietA, QuietB, QuietC, V, QuietB, 0, 0)]
    [InlineData(QuietA, One, QuietC, V, QuietC, 0, 0)]
    [InlineData(QuietA, SignalingA, QuietC, 0, QuietA, V, 0)]
    [InlineData(Infinity, Zero, QuietC, V, QuietC, 0, 0)]
    [InlineData(Unsupported, QuietB, One, 0, Indefinite, V, 0)]
    [InlineData(One, One, Unsupported, V, "", 0, V)]
    [InlineData(SignalingA, Nat, Unsupported, V, Nat, 0, 0)]
    [InlineData(QuietA, Unnormal, One, D, QuietA, 0, 0)]
    // Infinities and zeros.
    [InlineData(Infinity, Zero, One, 0, Indefinite, V, 0)]
    [InlineData(MinusZero, Infinity, One, V, "", 0, V)]
    [InlineData(Infinity, PseudoZero, One, D, Indefinite, V, 0)]
    [InlineData(Infinity, MinusOne, Infinity, 0, Indefinite, V, 0)]
    [InlineData(Infinity, MinusOne, MinusInfinity, V, MinusInfinity, 0, 0)]
    [InlineData(One, One, MinusInfinity, V, MinusInfinity, 0, 0)]
    [InlineData(Unnormal, Infinity, One, 0, Infinity, D, 0)]
    [InlineData(MinusZero, One, MinusZero, 0, MinusZero, 0, 0)]
    [InlineData(MinusZero, One, Zero, 0, Zero, 0, 0)]
    // Denormal operands.
    [InlineData(Unnormal, One, Half, 0, One, D, 0)]
    [InlineData(Unnormal, One, Half, D, "", 0, D)]
    [InlineData(One, One, Unnormal, D, "", 0, D)]
    [InlineData(PseudoZero, One, One, 0, One, D, 0)]
    [InlineData(PseudoDenormal, Zero, One, 0, One, D, 0)]
    [InlineData("+00000.4000000000000000", Zero, One, D, "", 0, D)]
    public void Special_operands_of_fma(string a, string b, string c, uint enabled, string result, uint flags, uint fault)
    {
        FloatStatus status = Status(enabled);
        FloatRegister got = MultiplyAdd.Compute(
            Parse(a), Parse(b), Parse(c), 0, 0, false, FloatFormat.Of(FloatFormat.Double, status.Control), ref status);
        AssertOutcome(got, status, result, flags, fault, 0);
    }

    [Theory]
    // Overflow, masked, by rounding mode and sign.
    [InlineData(LargestDouble, Two, 0, 0, Infinity, O | I, 0)]
    [InlineData(LargestDouble, Two, 0, Down, LargestDouble, O | I, 0)]
    [InlineData(LargestDouble, Two, 0, Up, Infinity, O | I, 0)]
    [InlineData(LargestDouble, Two, 0, Chop, LargestDouble, O | I, 0)]
    [InlineData("-103fe.fffffffffffff800", Two, 0, Down, MinusInfinity, O | I, 0)]
    [InlineData("-103fe.fffffffffffff800", Two, 0, Up, "-103fe.fffffffffffff800", O | I, 0)]
    [InlineData(LargestDouble, Two, I, 0, Infinity, O | I, I | Fpa)]
    [InlineData(LargestDouble, Two, I, Chop, LargestDouble, O | I, I)]
    // Overflow trap: the result of unbounded range; inexact shows whatever the mask.
    [InlineData(LargestDouble, Two, O, 0, "+103ff.fffffffffffff800", O, O)]
    [InlineData(LargestDouble, "+10000.ffffffffffffffff", O, 0, "+10400.fffffffffffff800", O | I, O | I | Fpa)]
    [InlineData(LargestDouble, "+10000.8000000000000001", O, Up, "+10400.8000000000000000", O | I, O | I | Fpa)]
    // Underflow: masked and exact raises nothing; masked and inexact U and I.
    [InlineData(SmallestDouble, Half, 0, 0, "+0fc01.4000000000000000", 0, 0)]
    [InlineData("+0fc01.8000000000000800", Half, 0, 0, "+0fc01.4000000000000000", U | I, 0)]
    [InlineData("+0fc01.8000000000000800", Half, 0, Up, "+0fc01.4000000000000800", U | I, 0)]
    [InlineData("+0fc01.8000000000000800", Half, I, Up, "+0fc01.4000000000000800", U | I, I | Fpa)]
    [InlineData("+0f000.8000000000000000", Half, 0, 0, Zero, U | I, 0)]
    [InlineData("-0f000.8000000000000000", Half, 0, Down, "-0fc01.0000000000000800", U | I, 0)]
    // Tininess is found after rounding: 64 ones round up to the smallest normal, 53 ones do not.
    [InlineData("+0fc00.ffffffffffffffff", One, 0, 0, SmallestDouble, I, 0)]
    [InlineData("+0fc00.fffffffffffff800", One, 0, 0, SmallestDouble, U | I, 0)]
    // Underflow trap: also when exact.
    [InlineData(SmallestDouble, Half, U, 0, "+0fc00.8000000000000000", U, U)]
    [InlineData("+0fc01.8000000000000400", Half, U, Up, "+0fc00.8000000000000800", U | I, U | I | Fpa)]
    // Inexact trap.
    [InlineData("+0ffff.8000000000000001", One, I, 0, One, I, I)]
    [InlineData("+0ffff.8000000000000401", One, I, 0, "+0ffff.8000000000000800", I, I | Fpa)]
    public void Results_of_fmpy_d(string a, string b, uint enabled, uint mode, string result, uint flags, uint trap)
    {
        FloatStatus status = Status(enabled, mode);
        FloatRegister got = MultiplyAdd.Compute(
            Parse(a), Parse(b), default, 0, 0, true, FloatFormat.Of(FloatFormat.Double, status.Control), ref status);
        AssertOutcome(got, status, result, flags, 0, trap);
    }

    [Theory]
    [InlineData(0, Zero, U | I, 0)]
    [InlineData(I, Zero, U | I, I)]
    [InlineData(U, "+0fc00.8000000000000000", U, U)]
    public void Flush_to_zero_acts_while_underflow_is_masked(uint enabled, string result, uint flags, uint trap)
    {
        FloatStatus status = Status(enabled, flush: true);
        FloatRegister got = MultiplyAdd.Compute(
            Parse(SmallestDouble), Parse(Half), default, 0, 0, true, FloatFormat.Of(FloatFormat.Double, status.Control), ref status);
        AssertOutcome(got, status, result, flags, 0, trap);
    }

    [Theory]
    [InlineData("+1fffe.8000000000000000", Two, 0, Infinity, O | I, 0)]
    [InlineData("+1fffe.8000000000000000", "+1fffe.8000000000000000", O, "+0fffd.8000000000000000", O, O)]
    [InlineData("+00001.8000000000000000", Half, 0, "+00001.4000000000000000", 0, 0)]
    [InlineData("+00001.8000000000000000", Half, U, "+00000.8000000000000000", U, U)]
    [InlineData("+00001.8000000000000000", "+00001.8000000000000000", U, "+10003.8000000000000000", U, U)]
    public void The_widest_range_has_17_exponent_bits(string a, string b, uint enabled, string result, uint flags, uint trap)
    {
        FloatStatus status = Status(enabled, wide: true);
        FloatRegister got = MultiplyAdd.Compute(
            Parse(a), Parse(b), default, 0, 0, true, FloatFormat.Of(FloatFormat.Single, status.Control), ref status);
        AssertOutcome(got, status, result, flags, 0, trap);
    }

    [Fact]
    public void Trap_disable_of_the_status_field_masks_everything()
    {
        FloatStatus status = Status(0x3f, disabled: true);
        FloatRegister got = MultiplyAdd.Compute(
            Parse(Infinity), default, default, 0, 0, false, FloatFormat.Of(FloatFormat.Double, status.Control), ref status);
        AssertOutcome(got, status, Indefinite, V, 0, 0);
    }

    [Theory]
    [InlineData(One, Zero, 0, Infinity, Z, 0)]
    [InlineData(MinusOne, Zero, Z, "", 0, Z)]
    [InlineData(Unnormal, Zero, 0, Infinity, Z | D, 0)]
    [InlineData(Unnormal, Zero, Z | D, "", 0, D)]
    [InlineData(Zero, MinusZero, 0, Indefinite, V, 0)]
    [InlineData(Infinity, Infinity, V, "", 0, V)]
    [InlineData(Infinity, MinusZero, 0, MinusInfinity, 0, 0)]
    [InlineData(One, MinusInfinity, 0, MinusZero, 0, 0)]
    [InlineData(SignalingA, QuietB, 0, QuietA, V, 0)]
    [InlineData(QuietB, QuietA, V, QuietB, 0, 0)]
    [InlineData(One, "+1fffc.8000000000000000", 0, "", 0, Swa)]
    [InlineData(One, "+00001.4000000000000000", 0, "", 0, Swa)]
    [InlineData("+1fffe.8000000000000000", Half, 0, "", 0, Swa)]
    [InlineData("+00040.8000000000000000", Half, 0, "", 0, Swa)]
    public void Special_cases_of_frcpa_clear_the_predicate(string a, string b, uint enabled, string result, uint flags, uint fault)
    {
        FloatStatus status = Status(enabled);
        FloatRegister got = FloatApproximation.Reciprocal(Parse(a), Parse(b), out bool refine, ref status);
        AssertOutcome(got, status, result, flags, fault, 0);
        Assert.False(refine);
    }

    [Theory]
    [InlineData(One, "+0fffe.ff80000000000000")]
    [InlineData("+0ffff.ff80000000000000", "+0fffe.8020000000000000")]
    [InlineData("-10000.c000000000000000", "-0fffd.aa80000000000000")]
    public void Seeds_of_frcpa(string b, string seed)
    {
        FloatStatus status = Status(0x3f);
        Assert.Equal(Parse(seed), FloatApproximation.Reciprocal(FloatRegister.One, Parse(b), out bool refine, ref status));
        Assert.True(refine);
        Assert.Equal((0u, 0u), (status.Fault, status.Flags));
    }

    [Theory]
    [InlineData(One, "+0fffe.ff80000000000000", 0, 0, true)]
    [InlineData(Two, "+0fffe.b4a0000000000000", 0, 0, true)]
    [InlineData("+10001.8000000000000000", "+0fffd.ff80000000000000", 0, 0, true)]
    [InlineData(Zero, Zero, 0, 0, false)]
    [InlineData(MinusZero, MinusZero, 0, 0, false)]
    [InlineData(MinusOne, Indefinite, V, 0, false)]
    [InlineData(MinusInfinity, Indefinite, V, 0, false)]
    [InlineData(Infinity, Infinity, 0, 0, false)]
    [InlineData("+00040.8000000000000000", "", 0, Swa, false)]
    public void Cases_of_frsqrta(string a, string result, uint flags, uint fault, bool refined)
    {
        FloatStatus status = Status(0);
        FloatRegister got = FloatApproximation.ReciprocalSquareRoot(Parse(a), out bool refine, ref status);
        AssertOutcome(got, status, result, flags, fault, 0);
        Assert.Equal(refined, refine);
    }

    [Theory]
    // value, signed, enabled, rc, result, flags, fault, trap
    [InlineData("+0ffff.c000000000000000", true, I, 0, 2, I, 0, I | Fpa)]
    [InlineData("+10000.a000000000000000", true, I, 0, 2, I, 0, I)]
    [InlineData("-0ffff.c000000000000000", true, 0, Chop, ulong.MaxValue, I, 0, 0)]
    [InlineData("-0fffe.8000000000000000", false, 0, 0, 0, I, 0, 0)]
    [InlineData("-0ffff.8000000000000000", false, 0, 0, 0x8000_0000_0000_0000, V, 0, 0)]
    [InlineData("-1003e.8000000000000000", true, 0, 0, 0x8000_0000_0000_0000, 0, 0, 0)]
    [InlineData("+1003e.8000000000000000", true, V, 0, 0, 0, V, 0)]
    [InlineData("+1003e.ffffffffffffffff", false, V, 0, ulong.MaxValue, 0, 0, 0)]
    [InlineData("+1003f.8000000000000000", false, V, 0, 0, 0, V, 0)]
    [InlineData("+0c000.8000000000000000", true, 0, Up, 1, I, 0, 0)]
    [InlineData(PseudoZero, true, D, 0, 0, 0, D, 0)]
    [InlineData(Unnormal, true, 0, Down, 0, D | I, 0, 0)]
    [InlineData(QuietB, true, 0, 0, 0x8000_0000_0000_0000, V, 0, 0)]
    public void Conversions_to_integers(string value, bool signed, uint enabled, uint mode, ulong result, uint flags, uint fault, uint trap)
    {
        FloatStatus status = Status(enabled, mode);
        ulong got = signed ? FloatConversion.ToSigned(Parse(value), ref status) : FloatConversion.ToUnsigned(Parse(value), ref status);
        Assert.Equal((fault, trap), (status.Fault, status.Trap));
        if (fault == 0)
            Assert.Equal((result, flags), (got, status.Flags));
    }

    [Theory]
    [InlineData(One, QuietA, false, false, false, true, 0, V)]
    [InlineData(SignalingA, One, false, false, false, true, V, V)]
    [InlineData(Unsupported, QuietA, false, false, false, true, V, V)]
    [InlineData(Zero, MinusZero, true, false, true, false, 0, 0)]
    [InlineData(MinusInfinity, Infinity, false, true, true, false, 0, 0)]
    [InlineData(Infinity, Infinity, true, false, true, false, 0, 0)]
    [InlineData(MinusOne, "-10000.8000000000000000", false, false, false, false, 0, 0)]
    [InlineData(Unnormal, Half, true, false, true, false, D, D)]
    [InlineData("+00000.4000000000000000", "+0c000.8000000000000000", true, false, true, false, D, D)]
    [InlineData(PseudoZero, Half, false, true, true, false, D, D)]
    public void Compares(string a, string b, bool equal, bool less, bool lessOrEqual, bool unordered, uint quietFlags, uint signalingFlags)
    {
        FloatRegister f = Parse(a), g = Parse(b);
        FloatStatus eq = Status(0), lt = Status(0), le = Status(0), unord = Status(0);
        Assert.Equal(
            (equal, less, lessOrEqual, unordered),
            (Equal.Holds(f, g, ref eq), Less.Holds(f, g, ref lt), LessOrEqual.Holds(f, g, ref le), Unordered.Holds(f, g, ref unord)));
        Assert.Equal((quietFlags, signalingFlags, signalingFlags, quietFlags), (eq.Flags, lt.Flags, le.Flags, unord.Flags));
    }

    [Fact]
    public void Faults_and_traps_of_both_halves_have_their_places_in_the_isr_code()
    {
        // High: infinity times zero. Low: a denormal.
        FloatStatus high = Status(V | D), low = high;
        FloatPair.MultiplyAdd(FloatPair.Pair(0x7f80_0000, 1), FloatPair.Pair(0, 0x3f80_0000), default, 0, 0, true, ref high, ref low);
        Assert.Equal(V | (D << 4), FloatPair.IsrFaultCode(high, low));

        // High: overflow, whose exponent is cut to 8 bits (the field would be 257). Low: inexact and rounded up.
        high = low = Status(O | I);
        FloatRegister result = FloatPair.MultiplyAdd(
            FloatPair.Pair(0x7f00_0000, 0x3f80_0001), FloatPair.Pair(0x4100_0000, 0x3fc0_0001), default, 0, 0, true, ref high, ref low);
        Assert.Equal(0x0080_0000UL, result.Significand >> 32);
        Assert.Equal((1u << 11) | (0b1100u << 7) | 1, FloatPair.IsrTrapCode(high, low));
        Assert.Equal(0u, high.Fault | low.Fault);
    }

    [Theory]
    [InlineData(Zero, 0x004)]
    [InlineData(PseudoZero, 0x008)]
    [InlineData(Unnormal, 0x008)]
    [InlineData(PseudoDenormal, 0x008)]
    [InlineData(One, 0x010)]
    [InlineData(Infinity, 0x020)]
    [InlineData(SignalingA, 0x040)]
    [InlineData(QuietB, 0x080)]
    [InlineData(Nat, 0x100)]
    [InlineData(Unsupported, 0)]
    public void Every_value_has_one_class(string value, uint wanted)
    {
        for (uint bit = 4; bit <= 0x100; bit <<= 1)
            Assert.Equal(bit == wanted, FloatKind.IsOfClass(Parse(value), bit | 3));
    }

    [Theory]
    [InlineData(0x0000_0001u, "+0ff81.0000010000000000", 0x0000_0000_0000_0001UL, "+0fc01.0000000000000800")]
    [InlineData(0x8000_0000u, MinusZero, 0x8000_0000_0000_0000UL, MinusZero)]
    [InlineData(0xff80_0000u, MinusInfinity, 0xfff0_0000_0000_0000UL, MinusInfinity)]
    [InlineData(0x7f80_0001u, "+1ffff.8000010000000000", 0x7ff0_0000_0000_0001UL, "+1ffff.8000000000000800")]
    [InlineData(0x7f7f_ffffu, LargestSingle, 0x7fef_ffff_ffff_ffffUL, LargestDouble)]
    [InlineData(0x0080_0000u, "+0ff81.8000000000000000", 0x0010_0000_0000_0000UL, SmallestDouble)]
    public void Memory_formats_go_both_ways(uint single, string fromSingle, ulong doubleBits, string fromDouble)
    {
        Assert.Equal(Parse(fromSingle), MemoryFormat.FromSingle(single));
        Assert.Equal(single, MemoryFormat.ToSingle(Parse(fromSingle)));
        Assert.Equal(Parse(fromDouble), MemoryFormat.FromDouble(doubleBits));
        Assert.Equal(doubleBits, MemoryFormat.ToDouble(Parse(fromDouble)));
    }

    [Theory]
    [InlineData(0x0000, 0x4000_0000_0000_0000UL, "+00000.4000000000000000")]
    [InlineData(0x8001, 0x8000_0000_0000_0000UL, "-0c001.8000000000000000")]
    [InlineData(0x3fff, 0x8000_0000_0000_0000UL, One)]
    [InlineData(0x7fff, 0xc000_0000_0000_0000UL, "+1ffff.c000000000000000")]
    [InlineData(0xfffe, 0xffff_ffff_ffff_ffffUL, "-13ffe.ffffffffffffffff")]
    public void The_extended_format_goes_both_ways(int signExponent, ulong significand, string register)
    {
        FloatRegister f = MemoryFormat.FromExtended(significand, (ushort)signExponent);
        Assert.Equal(Parse(register), f);
        Assert.Equal((ushort)signExponent, MemoryFormat.ToExtendedSignExponent(f));
    }

    [Theory]
    [InlineData(0, Zero)]
    [InlineData(long.MinValue, "-1003e.8000000000000000")]
    [InlineData(-1, MinusOne)]
    [InlineData(long.MaxValue, "+1003d.fffffffffffffffe")]
    public void Integers_become_normal_numbers(long integer, string register) =>
        Assert.Equal(Parse(register), FloatConversion.FromSigned((ulong)integer));
}
