namespace FastXen.Core.Decode;

/// <summary>Opcode bits of a row: a slot has the encoding when it agrees with <paramref name="Value"/> under <paramref name="Mask"/>.</summary>
/// <param name="Format">Name of the manual's format (volume 3, chapter 4).</param>
/// <param name="Mask">The bits that the format defines as opcode.</param>
/// <param name="Value">Their values.</param>
public readonly record struct Encoding(string Format, ulong Mask, ulong Value)
{
    /// <summary>The encoding with one more field, bits <paramref name="high"/> to <paramref name="low"/>.</summary>
    public Encoding With(int high, int low, int value)
    {
        ulong mask = ((1UL << (high - low + 1)) - 1) << low;
        return this with { Mask = Mask | mask, Value = Value | ((ulong)value << low & mask) };
    }
}

/// <summary>The manual's instruction formats: where each has its opcode bits. Parameters are the fields' names in the manual.</summary>
internal static class Formats
{
    public static Encoding A1(int x4, int x2b) => Alu("A1", 0).With(32, 29, x4).With(28, 27, x2b);

    public static Encoding A2(int x4) => Alu("A2", 0).With(32, 29, x4);

    public static Encoding A3(int x4, int x2b) => Alu("A3", 0).With(32, 29, x4).With(28, 27, x2b);

    public static Encoding A4(int x2a) => Alu("A4", x2a);

    public static Encoding A5() => Op("A5", 9);

    public static Encoding A6(int op, int x2, int ta, int c) => Op("A6", op).With(36, 36, 0).With(35, 34, x2).With(33, 33, ta).With(12, 12, c);

    public static Encoding A7(int op, int x2, int ta, int c) => Op("A7", op).With(36, 36, 1).With(35, 34, x2).With(33, 33, ta).With(12, 12, c);

    public static Encoding A8(int op, int x2, int ta, int c) => Op("A8", op).With(35, 34, x2).With(33, 33, ta).With(12, 12, c);

    public static Encoding A9(int za, int zb, int x4, int x2b) => A10(za, zb, x4).With(28, 27, x2b) with { Format = "A9" };

    public static Encoding A10(int za, int zb, int x4) => Op("A10", 8).With(36, 36, za).With(35, 34, 1).With(33, 33, zb).With(32, 29, x4);

    public static Encoding I1(int x2b) => Multimedia("I1", 0, 1, 0, x2b);

    /// <summary>I2 to I9 share their opcode bits.</summary>
    public static Encoding I2To9(int format, int za, int zb, int x2a, int x2b, int x2c)
        => Multimedia($"I{format}", za, zb, x2a, x2b).With(31, 30, x2c);

    public static Encoding I10() => Shift("I10", 3, 0);

    public static Encoding I11(int y) => Shift("I11", 1, 0).With(13, 13, y);

    public static Encoding I12() => Shift("I12", 1, 1).With(26, 26, 0);

    public static Encoding I13() => Shift("I13", 1, 1).With(26, 26, 1);

    public static Encoding I14() => Shift("I14", 3, 1);

    public static Encoding I15() => Op("I15", 4);

    public static Encoding I16(int ta, int tb, int c) => Test("I16", ta, tb, c).With(13, 13, 0);

    public static Encoding I17(int ta, int tb, int c) => Test("I17", ta, tb, c).With(13, 13, 1).With(19, 19, 0);

    public static Encoding I30(int ta, int tb, int c) => Test("I30", ta, tb, c).With(13, 13, 1).With(19, 19, 1);

    public static Encoding I18(int y) => IntegerMisc("I18", 1).With(26, 26, y);

    public static Encoding I19() => IntegerMisc("I19", 0);

    public static Encoding I20() => Op("I20", 0).With(35, 33, 1);

    public static Encoding I21() => Op("I21", 0).With(35, 33, 7);

    public static Encoding I23() => Op("I23", 0).With(35, 33, 3);

    public static Encoding I24() => Op("I24", 0).With(35, 33, 2);

    /// <summary>I22 and I25 to I29: major opcode 0, x3 0 and x6.</summary>
    public static Encoding I22To29(int format, int x6) => IntegerMisc($"I{format}", x6);

    /// <summary>M1, M2, M4, M16, M17, M19: major opcode 4.</summary>
    public static Encoding Memory4(int format, int m, int x, int x6) => Op($"M{format}", 4).With(36, 36, m).With(27, 27, x).With(35, 30, x6);

    /// <summary>M3 and M5: major opcode 5.</summary>
    public static Encoding Memory5(int format, int x6) => Op($"M{format}", 5).With(35, 30, x6);

    /// <summary>M6, M7, M9, M11 to M14, M18, M51, M52: major opcode 6.</summary>
    public static Encoding Memory6(int format, int m, int x, int x6) => Op($"M{format}", 6).With(36, 36, m).With(27, 27, x).With(35, 30, x6);

    /// <summary>M8, M10, M15: major opcode 7.</summary>
    public static Encoding Memory7(int format, int x6) => Op($"M{format}", 7).With(35, 30, x6);

    /// <summary>M20 to M23: checks.</summary>
    public static Encoding Check(int format, int op, int x3) => Op($"M{format}", op).With(35, 33, x3);

    /// <summary>M24 to M27, M30, M37, M48, M50: major opcode 0 with x2 and x4.</summary>
    public static Encoding System0(int format, int x4, int x2) => Op($"M{format}", 0).With(35, 33, 0).With(30, 27, x4).With(32, 31, x2);

    public static Encoding M34() => Op("M34", 1).With(35, 33, 6);

    public static Encoding M44(int x4) => Op("M44", 0).With(35, 33, 0).With(30, 27, x4);

    /// <summary>M28, M29, M31 to M33, M35, M36, M38 to M43, M45 to M47: major opcode 1 with x6.</summary>
    public static Encoding System1(int format, int x6) => Op($"M{format}", 1).With(35, 33, 0).With(32, 27, x6);

    public static Encoding F1(int op, int x) => Op("F1", op).With(36, 36, x);

    public static Encoding F2(int x2) => Op("F2", 14).With(36, 36, 1).With(35, 34, x2);

    public static Encoding F3() => Op("F3", 14).With(36, 36, 0);

    public static Encoding F4(int ra, int rb, int ta) => Op("F4", 4).With(33, 33, ra).With(36, 36, rb).With(12, 12, ta);

    public static Encoding F5(int ta) => Op("F5", 5).With(12, 12, ta);

    public static Encoding F6(int op) => Op("F6", op).With(33, 33, 1).With(36, 36, 0);

    public static Encoding F7(int op) => Op("F7", op).With(33, 33, 1).With(36, 36, 1);

    /// <summary>F8 to F16: x 0 and x6.</summary>
    public static Encoding F8To16(int format, int op, int x6) => Op($"F{format}", op).With(33, 33, 0).With(32, 27, x6);

    /// <summary>B1 and B2: IP-relative branches.</summary>
    public static Encoding B1To2(int format, int btype) => Op($"B{format}", 4).With(8, 6, btype);

    public static Encoding B3() => Op("B3", 5);

    public static Encoding B4(int x6, int btype) => Op("B4", 0).With(32, 27, x6).With(8, 6, btype);

    public static Encoding B5() => Op("B5", 1);

    public static Encoding B6() => Op("B6", 7);

    public static Encoding B7(int x6) => Op("B7", 2).With(32, 27, x6);

    public static Encoding B8(int x6) => Op("B8", 0).With(32, 27, x6);

    public static Encoding B9(int op, int x6) => Op("B9", op).With(32, 27, x6);

    public static Encoding X1() => LongMisc("X1", 0);

    public static Encoding X2() => Op("X2", 6).With(20, 20, 0);

    public static Encoding X3() => Op("X3", 12).With(8, 6, 0);

    public static Encoding X4() => Op("X4", 13);

    public static Encoding X5(int y) => LongMisc("X5", 1).With(26, 26, y);

    /// <summary>A whole major opcode, for the unassigned ones.</summary>
    public static Encoding Op(string format, int op) => new Encoding(format, 0, 0).With(40, 37, op);

    private static Encoding Alu(string format, int x2a) => Op(format, 8).With(35, 34, x2a).With(33, 33, 0);

    private static Encoding Multimedia(string format, int za, int zb, int x2a, int x2b)
        => Op(format, 7).With(36, 36, za).With(33, 33, zb).With(32, 32, 0).With(35, 34, x2a).With(29, 28, x2b);

    private static Encoding Shift(string format, int x2, int x) => Op(format, 5).With(35, 34, x2).With(33, 33, x);

    private static Encoding Test(string format, int ta, int tb, int c)
        => Op(format, 5).With(35, 34, 0).With(33, 33, ta).With(36, 36, tb).With(12, 12, c);

    private static Encoding IntegerMisc(string format, int x6) => Op(format, 0).With(35, 33, 0).With(32, 27, x6);

    private static Encoding LongMisc(string format, int x6) => Op(format, 0).With(35, 33, 0).With(32, 27, x6);
}
