using System.Runtime.InteropServices;

namespace FastXen.Core.Float;

/// <summary>
/// A floating-point register in its 82-bit form (manual volume 1, 5.1): 64-bit significand with explicit
/// integer bit, 17-bit exponent biased by 65535, sign. 16 bytes so that registers are indexed by a shift.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = 16)]
public struct FloatRegister : IEquatable<FloatRegister>
{
    /// <summary>Significand, bit 63 is the integer bit.</summary>
    [FieldOffset(0)] public ulong Significand;

    /// <summary>Bits 16:0 the biased exponent, bit 17 the sign, the rest zero.</summary>
    [FieldOffset(8)] public uint SignExponent;

    /// <summary>Reserved for the translator's tag; always zero for now.</summary>
    [FieldOffset(12)] public uint Tag;

    /// <summary>Makes a register value.</summary>
    /// <param name="signExponent">Sign at bit 17, exponent at bits 16:0.</param>
    /// <param name="significand">64-bit significand.</param>
    public FloatRegister(uint signExponent, ulong significand)
    {
        Significand = significand;
        SignExponent = signExponent;
        Tag = 0;
    }

    /// <summary>True when negative.</summary>
    public readonly bool Sign => (SignExponent & 0x20000) != 0;

    /// <summary>Biased exponent, 0 to 0x1ffff.</summary>
    public readonly uint Exponent => SignExponent & 0x1ffff;

    /// <summary>Exponent of NaNs and infinities.</summary>
    public const uint SpecialExponent = 0x1ffff;

    /// <summary>Exponent of a value whose significand is an integer (bias + 63).</summary>
    public const uint IntegerExponent = 0x1003e;

    /// <summary>Exponent of NaTVal.</summary>
    public const uint NatExponent = 0x1fffe;

    /// <summary>NaTVal (manual volume 1, 5.1.2): exponent 0x1fffe, significand 0, sign 0.</summary>
    public static FloatRegister NatVal => new(NatExponent, 0);

    /// <summary>+0.0, the value of f0.</summary>
    public static FloatRegister Zero => default;

    /// <summary>+1.0, the value of f1.</summary>
    public static FloatRegister One => new(0xffff, 0x8000_0000_0000_0000);

    /// <summary>True for NaTVal.</summary>
    public readonly bool IsNatVal => SignExponent == NatExponent && Significand == 0;

    /// <inheritdoc/>
    public readonly bool Equals(FloatRegister other) => Significand == other.Significand && SignExponent == other.SignExponent;

    /// <inheritdoc/>
    public override readonly bool Equals(object? obj) => obj is FloatRegister f && Equals(f);

    /// <inheritdoc/>
    public override readonly int GetHashCode() => HashCode.Combine(Significand, SignExponent);

    /// <summary>Equality of all 82 bits.</summary>
    public static bool operator ==(FloatRegister a, FloatRegister b) => a.Equals(b);

    /// <summary>Inequality of any of the 82 bits.</summary>
    public static bool operator !=(FloatRegister a, FloatRegister b) => !a.Equals(b);

    /// <inheritdoc/>
    public override readonly string ToString() => $"{(Sign ? '-' : '+')}{Exponent:x5}.{Significand:x16}";
}
