using System.Runtime.CompilerServices;

namespace FastXen.Core.Float;

/// <summary>
/// Precision and exponent range of a result (manual volume 1, 5.3, "computation models"): the instruction's precision
/// completer and the status field's wre and pc bits choose it.
/// </summary>
public readonly struct FloatFormat
{
    /// <summary>Precision completers: none, .s, .d, and single for each half of a parallel operation.</summary>
    public const uint Dynamic = 0, Single = 1, Double = 2, Parallel = 3;

    // Packed: dropped bits 7:0, smallest exponent 31:8, largest exponent 63:32.
    private const ulong SingleRange = (0xff81UL << 8) | (0x1007eUL << 32);
    private const ulong DoubleRange = (0xfc01UL << 8) | (0x103feUL << 32);
    private const ulong ExtendedRange = (ExtendedMinimum << 8) | (0x13ffeUL << 32);
    private const ulong WideRange = (1UL << 8) | (0x1fffeUL << 32);
    private const ulong Bits24 = 40, Bits53 = 11, Bits64 = 0;

    /// <summary>Smallest exponent of the 15-bit range; its denormals have the exponent 0 in a register.</summary>
    public const uint ExtendedMinimum = 0xc001;

    private readonly ulong _packed;

    private FloatFormat(ulong packed) => _packed = packed;

    /// <summary>Low bits of a 64-bit significand that the format does not have.</summary>
    public int Dropped => (int)_packed & 0x3f;

    /// <summary>Register exponent of the smallest normal number.</summary>
    public int MinExponent => (int)(uint)_packed >> 8;

    /// <summary>Register exponent of the largest finite number.</summary>
    public int MaxExponent => (int)(_packed >> 32);

    /// <summary>True for the exponents of normal numbers.</summary>
    public bool Holds(int exponent) => exponent >= MinExponent && exponent <= MaxExponent;

    /// <summary>The format of a result. Index: completer, pc, wre.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FloatFormat Of(uint completer, uint control) => new(Table[(int)(((completer << 3) | ((control >> 1) & 7)) & 31)]);

    // pc = 1 is reserved (a reserved-field fault where it would be written); it stands for 64 bits here.
    private static ReadOnlySpan<ulong> Table =>
    [
        ExtendedRange | Bits24, WideRange | Bits24, ExtendedRange | Bits64, WideRange | Bits64,
        ExtendedRange | Bits53, WideRange | Bits53, ExtendedRange | Bits64, WideRange | Bits64,
        SingleRange | Bits24, WideRange | Bits24, SingleRange | Bits24, WideRange | Bits24,
        SingleRange | Bits24, WideRange | Bits24, SingleRange | Bits24, WideRange | Bits24,
        DoubleRange | Bits53, WideRange | Bits53, DoubleRange | Bits53, WideRange | Bits53,
        DoubleRange | Bits53, WideRange | Bits53, DoubleRange | Bits53, WideRange | Bits53,
        SingleRange | Bits24, SingleRange | Bits24, SingleRange | Bits24, SingleRange | Bits24,
        SingleRange | Bits24, SingleRange | Bits24, SingleRange | Bits24, SingleRange | Bits24,
    ];
}
