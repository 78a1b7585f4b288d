using System.Runtime.CompilerServices;

namespace FastXen.Core.Float;

/// <summary>
/// Registers from and to their memory formats, bits as a little-endian load or store of that size has them
/// (manual volume 1, 5.1.3). Conversions to memory cut, they do not round: the value is expected to fit.
/// </summary>
public static class MemoryFormat
{
    /// <summary>ldfs, setf.s.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FloatRegister FromSingle(uint bits)
    {
        uint sign = bits >> 31 << 17;
        uint exponent = (bits >> 23) & 0xff;
        ulong fraction = (ulong)(bits & 0x7f_ffff) << 40;
        return exponent - 1 < 0xfe
            ? new FloatRegister(sign | (exponent + 0xff80), fraction | FloatKind.IntegerBit)
            : Unusual(sign, exponent == 0, fraction, 0xff81);
    }

    /// <summary>ldfd, setf.d.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FloatRegister FromDouble(ulong bits)
    {
        uint sign = (uint)(bits >> 63) << 17;
        uint exponent = (uint)(bits >> 52) & 0x7ff;
        ulong fraction = (bits & 0xf_ffff_ffff_ffff) << 11;
        return exponent - 1 < 0x7fe
            ? new FloatRegister(sign | (exponent + 0xfc00), fraction | FloatKind.IntegerBit)
            : Unusual(sign, exponent == 0, fraction, 0xfc01);
    }

    /// <summary>ldfe: significand (bytes 0-7) and sign with exponent (bytes 8-9).</summary>
    public static FloatRegister FromExtended(ulong significand, ushort signExponent)
    {
        uint sign = (uint)signExponent >> 15 << 17;
        uint exponent = signExponent & 0x7fffu;
        uint wide = exponent == 0 ? 0 : exponent == 0x7fff ? FloatRegister.SpecialExponent : exponent + 0xc000;
        return new FloatRegister(sign | wide, significand);
    }

    /// <summary>ldf8, setf.sig, and the result of integer and parallel operations.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FloatRegister FromInteger(ulong bits) => new(FloatRegister.IntegerExponent, bits);

    /// <summary>setf.exp: sign at bit 17 and exponent; the significand is 1.0.</summary>
    public static FloatRegister FromSignExponent(ulong bits) => new((uint)bits & 0x3_ffff, FloatKind.IntegerBit);

    /// <summary>ldf.fill: the words that <see cref="SpillHigh"/> and the significand made.</summary>
    public static FloatRegister FromSpill(ulong significand, ulong signExponent) => new((uint)signExponent & 0x3_ffff, significand);

    /// <summary>stfs, getf.s.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint ToSingle(in FloatRegister f)
    {
        uint exponent = (f.Significand & FloatKind.IntegerBit) == 0 ? 0 : (((f.SignExponent >> 16) & 1) << 7) | (f.SignExponent & 0x7f);
        return (f.SignExponent >> 17 << 31) | (exponent << 23) | ((uint)(f.Significand >> 40) & 0x7f_ffff);
    }

    /// <summary>stfd, getf.d.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong ToDouble(in FloatRegister f)
    {
        uint exponent = (f.Significand & FloatKind.IntegerBit) == 0 ? 0 : (((f.SignExponent >> 16) & 1) << 10) | (f.SignExponent & 0x3ff);
        return ((ulong)(f.SignExponent >> 17) << 63) | ((ulong)exponent << 52) | ((f.Significand >> 11) & 0xf_ffff_ffff_ffff);
    }

    /// <summary>stfe: bytes 8-9 (sign, exponent); bytes 0-7 are the significand.</summary>
    public static ushort ToExtendedSignExponent(in FloatRegister f) =>
        (ushort)((f.SignExponent >> 17 << 15) | (((f.SignExponent >> 16) & 1) << 14) | (f.SignExponent & 0x3fff));

    /// <summary>stf.spill: bytes 8-15; bytes 0-7 are the significand.</summary>
    public static ulong SpillHigh(in FloatRegister f) => f.SignExponent;

    /// <summary>Zero or denormal, or infinity or NaN, of single or double format.</summary>
    private static FloatRegister Unusual(uint sign, bool small, ulong fraction, uint denormalExponent)
    {
        if (!small)
            return new FloatRegister(sign | FloatRegister.SpecialExponent, fraction | FloatKind.IntegerBit);

        return new FloatRegister(sign | (fraction == 0 ? 0 : denormalExponent), fraction);
    }
}
