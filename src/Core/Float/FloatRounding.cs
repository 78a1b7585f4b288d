using System.Runtime.CompilerServices;

namespace FastXen.Core.Float;

/// <summary>
/// The one rounding of an exact result (manual volume 1, 5.4). The exact value is sign, exponent and a 128-bit
/// significand whose bit 127 is the integer bit; bit 0 is sticky.
/// </summary>
public static class FloatRounding
{
    private const uint Nearest = 0, Down = 1, Up = 2;

    /// <summary>Rounds to <paramref name="format"/>, raising O, U and I as flags or traps.</summary>
    public static FloatRegister Round(uint sign, int exponent, ulong high, ulong low, FloatFormat format, ref FloatStatus status)
    {
        ulong significand = Unbounded(sign, high, low, format, status.RoundingMode, out int carry, out bool inexact, out bool away);
        int rounded = exponent + carry;
        if (format.Holds(rounded))
        {
            if (inexact)
                Inexact(away, ref status);
            return new FloatRegister(sign | (uint)rounded, significand);
        }

        uint conditions = (inexact ? FloatFlags.Inexact : 0) | (away ? FloatFlags.RoundedAway : 0);
        return rounded > format.MaxExponent
            ? Overflowed(sign, rounded, significand, conditions, format, ref status)
            : Tiny(sign, exponent, high, low, new FloatRegister((uint)rounded, significand), conditions, format, ref status);
    }

    /// <summary>
    /// Rounds as if the exponent had no bounds. <paramref name="carry"/> is to be added to the exponent;
    /// <paramref name="away"/> tells that one was added to the significand.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Unbounded(
        uint sign, ulong high, ulong low, FloatFormat format, uint mode, out int carry, out bool inexact, out bool away)
    {
        int dropped = format.Dropped;
        ulong fraction = Fraction(high, low, dropped);
        ulong kept = high >> dropped;
        inexact = fraction != 0;
        away = RoundsAway(sign, kept, fraction, mode);
        ulong significand = (kept + (away ? 1UL : 0)) << dropped;
        carry = 0;
        if (significand == 0)
        {
            // The integer bit was set: this is a carry out of the top.
            significand = FloatKind.IntegerBit;
            carry = 1;
        }

        return significand;
    }

    /// <summary>The bits below the kept ones, guard bit on top, the rest collapsed into bit 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Fraction(ulong high, ulong low, int dropped) =>
        dropped == 0 ? low : (high << (64 - dropped)) | (low != 0 ? 1UL : 0);

    /// <summary>
    /// True when <paramref name="kept"/> with the <paramref name="fraction"/> below it (guard bit on top) is rounded away from zero.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool RoundsAway(uint sign, ulong kept, ulong fraction, uint mode) => mode == Nearest
        ? fraction > FloatKind.IntegerBit - (kept & 1)
        : fraction != 0 && LeavesZero(sign, mode);

    /// <summary>Raises the inexact flag, and the trap where it is enabled.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Inexact(bool away, ref FloatStatus status)
    {
        status.Flags |= FloatFlags.Inexact;
        if ((status.Enabled & FloatFlags.Inexact) != 0)
            status.Trap = FloatFlags.Inexact | (away ? FloatFlags.RoundedAway : 0);
    }

    /// <summary>Directed rounding that goes away from zero for this sign.</summary>
    private static bool LeavesZero(uint sign, uint mode) => mode == (sign != 0 ? Down : Up);

    private static FloatRegister Overflowed(
        uint sign, int rounded, ulong significand, uint conditions, FloatFormat format, ref FloatStatus status)
    {
        if ((status.Enabled & FloatFlags.Overflow) != 0)
        {
            // The handler gets the result of unbounded range, its exponent cut to 17 bits.
            status.Flags |= FloatFlags.Overflow | (conditions & FloatFlags.Inexact);
            status.Trap = FloatFlags.Overflow | conditions;
            return new FloatRegister(sign | ((uint)rounded & 0x1ffff), significand);
        }

        bool infinite = status.RoundingMode == Nearest || LeavesZero(sign, status.RoundingMode);
        status.Flags |= FloatFlags.Overflow;
        Inexact(infinite, ref status);

        return infinite
            ? FloatKind.Infinity(sign)
            : new FloatRegister(sign | (uint)format.MaxExponent, ulong.MaxValue << format.Dropped);
    }

    /// <summary>The rounded value of unbounded range is below the smallest normal: trap, flush, or denormalize and round again.</summary>
    private static FloatRegister Tiny(
        uint sign, int exponent, ulong high, ulong low, FloatRegister unbounded, uint conditions, FloatFormat format, ref FloatStatus status)
    {
        if ((status.Enabled & FloatFlags.Underflow) != 0)
        {
            status.Flags |= FloatFlags.Underflow | (conditions & FloatFlags.Inexact);
            status.Trap = FloatFlags.Underflow | conditions;
            return new FloatRegister(sign | (unbounded.SignExponent & 0x1ffff), unbounded.Significand);
        }

        if (status.FlushToZero)
        {
            status.Flags |= FloatFlags.Underflow;
            Inexact(away: false, ref status);
            return new FloatRegister(sign, 0);
        }

        WideSignificand.ShiftRight(ref high, ref low, out ulong lost, format.MinExponent - exponent);
        if (lost != 0)
            low |= 1;

        int dropped = format.Dropped;
        ulong fraction = Fraction(high, low, dropped);
        ulong kept = high >> dropped;
        bool away = RoundsAway(sign, kept, fraction, status.RoundingMode);
        ulong significand = (away ? kept + 1 : kept) << dropped;
        if (fraction != 0)
        {
            status.Flags |= FloatFlags.Underflow;
            Inexact(away, ref status);
        }

        bool hasZeroExponent = significand == 0
            || (format.MinExponent == FloatFormat.ExtendedMinimum && (significand & FloatKind.IntegerBit) == 0);
        return new FloatRegister(sign | (hasZeroExponent ? 0 : (uint)format.MinExponent), significand);
    }
}
