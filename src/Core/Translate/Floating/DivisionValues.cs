using FastXen.Core.Decode;
using FastXen.Core.Float;

namespace FastXen.Core.Translate;

/// <summary>Formats of the operations of division sequences.</summary>
internal enum DivisionFormat : byte
{
    /// <summary>None that a sequence uses.</summary>
    Other,

    /// <summary>64-bit significand, 17-bit exponent.</summary>
    Extended,

    /// <summary>53-bit significand, 17-bit exponent.</summary>
    WideDouble,

    /// <summary>Doubles.</summary>
    Double,
}

/// <summary>
/// The values that division sequences compute, numbered: equal numbers are equal values, whatever the registers and the order of the instructions.
/// The sequences are those by which software divides after frcpa: Newton's iterations of the reciprocal, the quotient and the remainder.
/// </summary>
internal static class DivisionValues
{
    /// <summary>Nothing that is known; the constants 0 and 1; dividend and divisor; 2 to the power of -34.</summary>
    public const byte Unknown = 0, Zero = 1, One = 2, Dividend = 3, Divisor = 4, Power = 5;

    /// <summary>Sign and exponent of <see cref="Power"/>.</summary>
    public const int PowerExponent = 0xffff - 34;

    private const byte First = 6;

    /// <summary>Numbers are below this.</summary>
    public const int Most = 64;

    private static readonly Dictionary<Value, byte> Numbers = [];
    private static readonly List<Value> Values = [.. new Value[First]];

    static DivisionValues()
    {
        Quotient64 = LongQuotient();
        Quotient32 = ShortQuotient();
        Quotient = DoubleQuotient(Dividend);
        ReciprocalOfDivisor = DoubleQuotient(One);
    }

    private readonly record struct Value(Opcode Opcode, DivisionFormat Format, byte X, byte Y, byte Z);

    /// <summary>What is truncated to the quotient of 64-bit integers.</summary>
    public static byte Quotient64 { get; }

    /// <summary>What is truncated to the quotient of 32-bit integers.</summary>
    public static byte Quotient32 { get; }

    /// <summary>The quotient of doubles.</summary>
    public static byte Quotient { get; }

    /// <summary>1 divided by a double.</summary>
    public static byte ReciprocalOfDivisor { get; }

    /// <summary>The value of frcpa.</summary>
    public static byte OfReciprocal(byte a, byte b) => Find(new Value(Opcode.Frcpa, DivisionFormat.Extended, a, b, Zero));

    /// <summary>The value of fma, fms or fnma: x * y + z in some form.</summary>
    public static byte Of(Opcode opcode, DivisionFormat format, byte x, byte y, byte z) => Find(Sorted(opcode, format, x, y, z));

    /// <summary>True for the values of frcpa.</summary>
    public static bool IsSeed(byte number) => Values[number].Opcode == Opcode.Frcpa;

    private static byte Find(in Value value) => Numbers.GetValueOrDefault(value);

    private static Value Sorted(Opcode opcode, DivisionFormat format, byte x, byte y, byte z) => new(opcode, format, Math.Min(x, y), Math.Max(x, y), z);

    /// <summary>Computes a value as the instructions of the sequence would, rounding to nearest.</summary>
    public static FloatRegister Compute(byte number, in FloatRegister dividend, in FloatRegister divisor)
    {
        Span<FloatRegister> known = stackalloc FloatRegister[number + 1];
        ReadOnlySpan<FloatRegister> leaves = [default, FloatRegister.Zero, FloatRegister.One, dividend, divisor, new(PowerExponent, FloatKind.IntegerBit)];
        leaves[..Math.Min(First, number + 1)].CopyTo(known);
        // A value's operands have smaller numbers. Those of other sequences are computed in vain, and are harmless.
        for (int n = First; n <= number; n++)
        {
            Value value = Values[n];
            var status = default(FloatStatus);
            known[n] = value.Opcode == Opcode.Frcpa
                ? FloatApproximation.Reciprocal(known[value.X], known[value.Y], out _, ref status)
                : MultiplyAdd.Compute(
                    known[value.X], known[value.Y], known[value.Z], value.Opcode == Opcode.Fnma ? FloatKind.SignBit : 0,
                    value.Opcode == Opcode.Fms ? FloatKind.SignBit : 0, value.Z == Zero, Format(value.Format), ref status);
        }

        return known[number];
    }

    private static FloatFormat Format(DivisionFormat format)
    {
        const uint wide = 2, bits64 = 0xC;
        return format switch
        {
            DivisionFormat.Extended => FloatFormat.Of(FloatFormat.Dynamic, wide | bits64),
            DivisionFormat.WideDouble => FloatFormat.Of(FloatFormat.Double, wide),
            _ => FloatFormat.Of(FloatFormat.Double, 0),
        };
    }

    private static byte Add(in Value value)
    {
        if (!Numbers.TryGetValue(value, out byte number))
        {
            number = (byte)Values.Count;
            Values.Add(value);
            Numbers.Add(value, number);
        }

        return number;
    }

    private static byte Seed(byte a) => Add(new Value(Opcode.Frcpa, DivisionFormat.Extended, a, Divisor, Zero));

    private static byte Multiply(byte x, byte y, byte plus = Zero, DivisionFormat format = DivisionFormat.Extended) => Add(Sorted(Opcode.Fma, format, x, y, plus));

    private static byte MultiplyFrom(byte x, byte y, byte from) => Add(Sorted(Opcode.Fnma, DivisionFormat.Extended, x, y, from));

    private static byte LongQuotient()
    {
        byte y = Seed(Dividend), error = MultiplyFrom(Divisor, y, One), square = Multiply(error, error);
        byte q = Multiply(Dividend, y), q1 = Multiply(error, q, q), q2 = Multiply(square, q1, q1);
        byte y1 = Multiply(error, y, y), y2 = Multiply(square, y1, y1);
        return Multiply(MultiplyFrom(Divisor, q2, Dividend), y2, q2);
    }

    private static byte ShortQuotient()
    {
        byte y = Seed(Dividend), error = MultiplyFrom(Divisor, y, One), q = Multiply(Dividend, y);
        byte q1 = Multiply(error, q, q);
        return Multiply(Multiply(error, error, Power), q1, q1);
    }

    private static byte DoubleQuotient(byte a)
    {
        byte y = Seed(a), error = MultiplyFrom(Divisor, y, One), square = Multiply(error, error), fourth = Multiply(square, square);
        byte y1 = Multiply(y, error, y), y2 = Multiply(y1, square, y1), y3 = Multiply(y2, fourth, y2);
        byte q = Multiply(a, y3, Zero, DivisionFormat.WideDouble);
        return Multiply(MultiplyFrom(Divisor, q, a), y3, q, DivisionFormat.Double);
    }
}
