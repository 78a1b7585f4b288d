namespace FastXen.Core.Float;

/// <summary>
/// Operations on the bits of two registers, without exceptions; no operand is NaTVal. An implementation is a type
/// argument, so that each is compiled in place.
/// </summary>
public interface IFloatMerge
{
    /// <summary>The result for FR f2 and FR f3.</summary>
    static abstract FloatRegister Apply(in FloatRegister a, in FloatRegister b);
}

// Manual volume 3: fmerge, fpmerge, fmix, fsxt, fpack, fswap and the logical operations.
#pragma warning disable CS1591 // the names are the manual's

public readonly struct FmergeS : IFloatMerge
{
    public static FloatRegister Apply(in FloatRegister a, in FloatRegister b) => new(FloatKind.SignOf(a) | b.Exponent, b.Significand);
}

public readonly struct FmergeNs : IFloatMerge
{
    public static FloatRegister Apply(in FloatRegister a, in FloatRegister b) =>
        new((FloatKind.SignOf(a) ^ FloatKind.SignBit) | b.Exponent, b.Significand);
}

public readonly struct FmergeSe : IFloatMerge
{
    public static FloatRegister Apply(in FloatRegister a, in FloatRegister b) => new(a.SignExponent, b.Significand);
}

public readonly struct FpmergeS : IFloatMerge
{
    public static FloatRegister Apply(in FloatRegister a, in FloatRegister b) => Halves.Select(a.Significand, b.Significand, Halves.Signs);
}

public readonly struct FpmergeNs : IFloatMerge
{
    public static FloatRegister Apply(in FloatRegister a, in FloatRegister b) => Halves.Select(~a.Significand, b.Significand, Halves.Signs);
}

public readonly struct FpmergeSe : IFloatMerge
{
    public static FloatRegister Apply(in FloatRegister a, in FloatRegister b) =>
        Halves.Select(a.Significand, b.Significand, Halves.SignsAndExponents);
}

public readonly struct FmixLr : IFloatMerge
{
    public static FloatRegister Apply(in FloatRegister a, in FloatRegister b) => Halves.Select(a.Significand, b.Significand, Halves.High);
}

public readonly struct FmixR : IFloatMerge
{
    public static FloatRegister Apply(in FloatRegister a, in FloatRegister b) =>
        Halves.Select(a.Significand << 32, b.Significand, Halves.High);
}

public readonly struct FmixL : IFloatMerge
{
    public static FloatRegister Apply(in FloatRegister a, in FloatRegister b) =>
        Halves.Select(a.Significand, b.Significand >> 32, Halves.High);
}

public readonly struct FsxtR : IFloatMerge
{
    public static FloatRegister Apply(in FloatRegister a, in FloatRegister b) =>
        Halves.Select((ulong)((long)(a.Significand << 32) >> 63), b.Significand, Halves.High);
}

public readonly struct FsxtL : IFloatMerge
{
    public static FloatRegister Apply(in FloatRegister a, in FloatRegister b) =>
        Halves.Select((ulong)((long)a.Significand >> 63), b.Significand >> 32, Halves.High);
}

public readonly struct Fpack : IFloatMerge
{
    public static FloatRegister Apply(in FloatRegister a, in FloatRegister b) =>
        FloatPair.Pair(MemoryFormat.ToSingle(a), MemoryFormat.ToSingle(b));
}

public readonly struct Fswap : IFloatMerge
{
    public static FloatRegister Apply(in FloatRegister a, in FloatRegister b) => Halves.Swap(a, b, 0);
}

public readonly struct FswapNl : IFloatMerge
{
    public static FloatRegister Apply(in FloatRegister a, in FloatRegister b) => Halves.Swap(a, b, Halves.Signs & Halves.High);
}

public readonly struct FswapNr : IFloatMerge
{
    public static FloatRegister Apply(in FloatRegister a, in FloatRegister b) => Halves.Swap(a, b, Halves.Signs & ~Halves.High);
}

public readonly struct Fand : IFloatMerge
{
    public static FloatRegister Apply(in FloatRegister a, in FloatRegister b) => MemoryFormat.FromInteger(a.Significand & b.Significand);
}

public readonly struct Fandcm : IFloatMerge
{
    public static FloatRegister Apply(in FloatRegister a, in FloatRegister b) => MemoryFormat.FromInteger(a.Significand & ~b.Significand);
}

public readonly struct For : IFloatMerge
{
    public static FloatRegister Apply(in FloatRegister a, in FloatRegister b) => MemoryFormat.FromInteger(a.Significand | b.Significand);
}

public readonly struct Fxor : IFloatMerge
{
    public static FloatRegister Apply(in FloatRegister a, in FloatRegister b) => MemoryFormat.FromInteger(a.Significand ^ b.Significand);
}

/// <summary>Masks of a pair of singles.</summary>
internal static class Halves
{
    public const ulong Signs = 0x8000_0000_8000_0000;
    public const ulong SignsAndExponents = 0xff80_0000_ff80_0000;
    public const ulong High = 0xffff_ffff_0000_0000;

    /// <summary>Bits of <paramref name="a"/> where <paramref name="mask"/> is 1, else of <paramref name="b"/>.</summary>
    public static FloatRegister Select(ulong a, ulong b, ulong mask) => MemoryFormat.FromInteger((a & mask) | (b & ~mask));

    /// <summary>The low half of b above the high half of a, some signs inverted.</summary>
    public static FloatRegister Swap(in FloatRegister a, in FloatRegister b, ulong inverted) =>
        MemoryFormat.FromInteger(((b.Significand << 32) | (a.Significand >> 32)) ^ inverted);
}
