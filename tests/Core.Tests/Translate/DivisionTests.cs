using FastXen.Core.Float;
using FastXen.Core.Lockstep;
using FastXen.Core.State;
using FastXen.Core.Tests.SystemLevel;
using FastXen.Core.Translate;

namespace FastXen.Core.Tests.Translate;

/// <summary>
/// Division sequences, which translated code hands to the host's divider: all that a guest can see is as the interpreter has it, the registers
/// of the sequence's steps and the flags among it.
/// </summary>
public sealed unsafe class DivisionTests
{
    // Linux's: sf1 has 64-bit significands and 17-bit exponents.
    private const ulong Fpsr = 0x9_804c_0270_033f;

    private const ulong SlotsOfAnEdgeRun = 40, SlotsOfARun = 5000;

    private const string LongQuotient =
        """
        fnma.s1 f11=f9,f10,f1
        fmpy.s1 f12=f8,f10
        fmpy.s1 f13=f11,f11
        fma.s1 f12=f11,f12,f12
        fma.s1 f10=f11,f10,f10
        fma.s1 f11=f13,f12,f12
        fma.s1 f10=f13,f10,f10
        fnma.s1 f12=f9,f11,f8
        fma.s1 f10=f12,f10,f11
        """;

    // Other registers, and the multiplicands the other way round; nothing is overwritten.
    private const string LongQuotientElsewhere =
        """
        fmpy.s1 f20=f10,f8
        fnma.s1 f21=f10,f9,f1
        fma.s1 f22=f20,f21,f20
        fmpy.s1 f23=f21,f21
        fma.s1 f24=f10,f21,f10
        fma.s1 f25=f22,f23,f22
        fma.s1 f26=f24,f23,f24
        fnma.s1 f27=f25,f9,f8
        fma.s1 f10=f26,f27,f25
        """;

    private const string ShortQuotient =
        """
        fmpy.s1 f8=f8,f10
        fnma.s1 f10=f9,f10,f1
        fma.s1 f8=f10,f8,f8
        fma.s1 f10=f10,f10,f7
        fma.s1 f10=f10,f8,f8
        """;

    private const string DoubleQuotient =
        """
        fnma.s1 f7=f9,f10,f1
        fmpy.s1 f11=f7,f7
        fma.s1 f7=f10,f7,f10
        fmpy.s1 f14=f11,f11
        fma.s1 f7=f7,f11,f7
        fma.s1 f7=f7,f14,f7
        fmpy.d.s1 f11=f8,f7
        fnma.s1 f12=f9,f11,f8
        fma.d.s0 f10=f12,f7,f11
        """;

    // With loads, stores and other arithmetic in between, a step in a register that rotates, and operands that do not last.
    private const string DoubleQuotientInBetween =
        """
        !{ .mfi; stfd [r17]=f10; fmpy.d f20=f21,f22; adds r20=1,r20 ;; }
        fnma.s1 f7=f9,f10,f1
        fmpy.s1 f32=f7,f7
        fma.s1 f7=f10,f7,f10
        fmpy.s1 f35=f32,f32
        fma.s1 f7=f7,f32,f7
        fma.s1 f7=f7,f35,f7
        fmpy.d.s1 f32=f8,f7
        fnma.s1 f12=f9,f32,f8
        !{ .mfi; ldfd f9=[r18]; nop.f 0; nop.i 0 ;; }
        !{ .mfi; ldfd f8=[r18]; nop.f 0; nop.i 0 ;; }
        fma.d.s0 f10=f12,f7,f32
        """;

    // A load that faults now and then, in the midst of it: the handler looks at the steps.
    private const string DoubleQuotientWithFault =
        """
        fnma.s1 f7=f9,f10,f1
        fmpy.s1 f11=f7,f7
        fma.s1 f7=f10,f7,f10
        fmpy.s1 f12=f11,f11
        !{ .mfi; ld8 r3=[r2]; nop.f 0; nop.i 0 ;; }
        fma.s1 f7=f7,f11,f7
        fma.s1 f7=f7,f12,f7
        fmpy.d.s1 f11=f8,f7
        fnma.s1 f12=f9,f11,f8
        fma.d.s0 f10=f12,f7,f11
        """;

    private const string LongQuotientWithFault =
        """
        fnma.s1 f11=f9,f10,f1
        fmpy.s1 f12=f8,f10
        fmpy.s1 f13=f11,f11
        fma.s1 f12=f11,f12,f12
        fma.s1 f10=f11,f10,f10
        !{ .mfi; ld8 r3=[r2]; nop.f 0; nop.i 0 ;; }
        fma.s1 f11=f13,f12,f12
        fma.s1 f10=f13,f10,f10
        fnma.s1 f12=f9,f11,f8
        fma.s1 f10=f12,f10,f11
        """;

    // What the steps hold when the fault is taken goes into r13.
    private const string LookAtSteps =
        """
        { .mmi; getf.sig r9=f11 ;; getf.exp r10=f11; add r13=r13,r9 ;; }
        { .mmi; getf.sig r9=f12 ;; getf.exp r11=f12; add r13=r13,r9 ;; }
        { .mmi; getf.sig r9=f10 ;; add r13=r13,r9; add r10=r10,r11 ;; }
        { .mib; add r13=r13,r10; mov r2=r4; rfi ;; }
        """;

    // A copy of the dividend takes its place.
    private const string DoubleQuotientByCopy =
        """
        (p0) fmerge.s f20=f8,f8
        fnma.s1 f7=f9,f10,f1
        fmpy.s1 f11=f7,f7
        fma.s1 f7=f10,f7,f10
        fmpy.s1 f8=f11,f11
        fma.s1 f7=f7,f11,f7
        fma.s1 f7=f7,f8,f7
        fmpy.d.s1 f11=f20,f7
        fnma.s1 f20=f9,f11,f20
        fma.d.s0 f10=f20,f7,f11
        """;

    private const string Reciprocal =
        """
        fnma.s1 f7=f9,f10,f1
        fmpy.s1 f11=f7,f7
        fma.s1 f7=f10,f7,f10
        fmpy.s1 f14=f11,f11
        fma.s1 f7=f7,f11,f7
        fma.s1 f7=f7,f14,f7
        fmpy.d.s1 f11=f1,f7
        fnma.s1 f12=f9,f11,f1
        fma.d.s0 f10=f12,f7,f11
        """;

    private const string Signed = "fcvt.xf f8=f8 | fcvt.xf f9=f9 | frcpa.s1 f10,p6=f8,f9";
    private const string Unsigned = "fnorm.s1 f8=f8 | fnorm.s1 f9=f9 | frcpa.s1 f10,p6=f8,f9";
    private const string Doubles = "fmerge.s f8=f8,f8 | frcpa.s0 f10,p6=f8,f9";
    private const string Inverse = "frcpa.s0 f10,p6=f1,f9";
    private const string ToSigned = "fcvt.fx.trunc.s1 f10=f10", ToUnsigned = "fcvt.fxu.trunc.s1 f10=f10";

    /// <summary>The sequences by name: what begins, the steps, what ends; bits of the operands.</summary>
    private static readonly Dictionary<string, (string Start, string Steps, string End, int Bits)> Sequences = new()
    {
        ["signed"] = (Signed, LongQuotient, ToSigned, 64),
        ["unsigned"] = (Unsigned, LongQuotient, ToUnsigned, 64),
        ["signed, elsewhere"] = (Signed, LongQuotientElsewhere, ToSigned, 64),
        ["unsigned, elsewhere"] = (Unsigned, LongQuotientElsewhere, ToUnsigned, 64),
        ["of unsigned operands to signed"] = (Unsigned, LongQuotient, ToSigned, 64),
        ["of signed operands to unsigned"] = (Signed, LongQuotient, ToUnsigned, 64),
        ["signed 32"] = (Signed, ShortQuotient, ToSigned, 32),
        ["unsigned 32"] = (Unsigned, ShortQuotient, ToUnsigned, 32),
        ["32 of wider operands"] = (Signed, ShortQuotient, ToSigned, 64),
        ["double"] = (Doubles, DoubleQuotient, "nop.f 0", 0),
        ["double, other instructions in between"] = (Doubles, DoubleQuotientInBetween, "nop.f 0", 0),
        ["double, with rotation"] = (Doubles, DoubleQuotientInBetween, "nop.f 0", 0),
        ["double, with a fault in between"] = (Doubles, DoubleQuotientWithFault, "nop.f 0", 0),
        ["signed, with a fault in between"] = (Signed, LongQuotientWithFault, ToSigned, 64),
        ["unsigned, with a fault in between"] = (Unsigned, LongQuotientWithFault, ToUnsigned, 64),
        ["double, by a copy"] = (Doubles, DoubleQuotientByCopy, "nop.f 0", 0),
        ["reciprocal"] = (Inverse, Reciprocal, "nop.f 0", 0),
    };

    public static TheoryData<string> Names => [.. Sequences.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Edges(string name)
    {
        int bits = Sequences[name].Bits;
        ulong[] edges = bits == 0 ? DoubleEdges() : IntegerEdges(bits);
        (ulong, ulong)[] pairs = [.. edges.SelectMany(a => edges.Select(b => (a, b)))];
        Run(name, pairs, SlotsOfAnEdgeRun, clear: 7);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Random_operands(string name)
    {
        int bits = Sequences[name].Bits;
        long count = long.TryParse(Environment.GetEnvironmentVariable("FASTXEN_DIVISIONS"), out long wanted) ? wanted : 200_000;
        const int block = 100_000;
        for (int seed = 0; seed * (long)block < count; seed++)
        {
            var random = new Random(seed);
            (ulong, ulong)[] pairs = [.. Enumerable.Range(0, block).Select(_ => bits == 0 ? (RandomDouble(random), RandomDouble(random)) : RandomIntegers(random, bits))];
            Run(name, pairs, SlotsOfARun, clear: 0);
        }
    }

    private static ulong[] IntegerEdges(int bits)
    {
        var edges = new List<ulong>();
        for (int shift = 0; shift < bits; shift += shift is 0 or 30 or 61 ? 1 : bits / 32 * 5 % 29)
        {
            foreach (ulong value in (ReadOnlySpan<ulong>)[(1UL << shift) - 1, 1UL << shift, (1UL << shift) + 1])
                edges.AddRange([value, 0 - value]);
        }

        edges.AddRange([0, 1, ulong.MaxValue, 1UL << 63, (1UL << 63) - 1, 3, 10, 0xAAAA_AAAA_AAAA_AAAA, 0x5555_5555_5555_5555, 6700417, 1UL << 62, ulong.MaxValue - 1]);
        return [.. edges.Select(value => bits == 32 ? (ulong)(int)value : value).Distinct()];
    }

    // Quotients that are whole or nearly so are the ones that a division could get wrong.
    private static (ulong, ulong) RandomIntegers(Random random, int bits)
    {
        ulong Any() => (ulong)random.NextInt64(long.MinValue, long.MaxValue) >> random.Next(bits == 32 ? 33 : 0, 63);
        ulong a = Any(), b = Any();
        switch (random.Next(4))
        {
            case 0:
                a = b * (Any() >> random.Next(64)) + (ulong)random.Next(-2, 3);
                if (bits == 32)
                    a &= 0x7fff_ffff;
                break;
            case 1:
                a = 0 - a;
                break;
            case 2:
                b = 0 - b;
                break;
        }

        return (a, b);
    }

    private static ulong[] DoubleEdges()
    {
        double[] values =
        [
            0, 1, 3, 10, 0.1, 1.0 / 3, 2, 0.5, 1 - 1e-16, 1 + 2.3e-16, double.MaxValue, double.Epsilon, 2.2250738585072014e-308, 2.2250738585072009e-308, 1e300,
            1e-300, 1e160, 1e-160, double.PositiveInfinity, double.NaN, 9007199254740991, 4503599627370497, 1.9999999999999998, Math.PI,
        ];
        return [.. values.Concat(values.Select(value => -value)).Select(BitConverter.DoubleToUInt64Bits).Append(0x7FF0_0000_0000_0001UL)];
    }

    private static ulong RandomDouble(Random random)
    {
        ulong fraction = (ulong)random.NextInt64() & 0xF_FFFF_FFFF_FFFF;
        // Short fractions have exact quotients and those in the middle between two doubles.
        if (random.Next(3) == 0)
            fraction &= ulong.MaxValue << random.Next(52);
        int spread = random.Next(4) == 0 ? 1023 : 30;
        return (ulong)random.Next(2) << 63 | (ulong)random.Next(1023 - spread, 1024 + spread) << 52 | fraction;
    }

    private static void Run(string name, (ulong A, ulong B)[] pairs, ulong stride, int clear)
    {
        using SystemMachine reference = Machine(name, pairs, clear, EngineKind.Interpreter), subject = Machine(name, pairs, clear, EngineKind.Translator);
        var pair = new LockstepPair(reference.Vcpu, subject.Vcpu);
        for (ulong limit = stride; !pair.Stopped; limit = Math.Max(limit, reference.S->Retired) + stride)
        {
            if (!pair.RunTo(limit))
                Assert.Fail($"{name}, at {reference.S->Retired}, pair {(reference.S->Gr[14] - SystemMachine.Data) / 16}: {string.Join("; ", pair.Differences().Take(8))}");
        }

        Assert.Equal(VcpuStop.Limit, reference.Vcpu.StopReason);
        // The host has divided.
        Assert.Contains(Enumerable.Range(0, DivisionSite.Forms), site => subject.S->Translated.DivisionSites[site].Divisor != 0);
    }

    private static SystemMachine Machine(string name, (ulong A, ulong B)[] pairs, int clear, EngineKind engine)
    {
        (string start, string steps, string end, int bits) = Sequences[name];
        var machine = new SystemMachine();
        machine.Vcpu.Engine = engine;
        string load = bits == 0
            ? "{ .mmi; ldfd f8=[r14],8 ;; ldfd f9=[r14],8; nop.i 0 ;; }"
            : "{ .mmi; ld8 r15=[r14],8 ;; ld8 r16=[r14],8; nop.i 0 ;; } { .mmi; setf.sig f8=r15; setf.sig f9=r16; nop.i 0 ;; }";
        string refill = Sequences[name].Steps == ShortQuotient ? "{ .mmi; setf.exp f7=r19; nop.m 0; nop.i 0 ;; }" : "";
        string clearing = clear == 0 ? "" : "{ .mfi; cmp.eq p7,p8=0,r21; nop.f 0; adds r21=-1,r21 ;; } { .mfi; (p7) mov r21=" + clear + "; (p7) fclrf.s1; nop.i 0 ;; }";
        string faulting = !name.Contains("fault") ? "" : "{ .mii; nop.m 0; extr.u r5=r14,4,2 ;; cmp.eq p9,p10=r0,r5 ;; } { .mmi; (p9) mov r2=r6; (p10) mov r2=r4; nop.i 0 ;; }";
        string branch = name.Contains("rotation") ? "br.ctop.sptk.few" : "br.cloop.sptk.few";
        string source = $$"""
            { .mlx; nop.m 0; movl r14={{SystemMachine.Data}} ;; }
            { .mlx; nop.m 0; movl r17={{SystemMachine.Table}} ;; }
            { .mlx; mov r18=r17; movl r19=0xffdd ;; }
            { .mlx; mov r21=3; movl r22={{pairs.Length - 1}} ;; }
            { .mfi; nop.m 0; nop.f 0; mov.i ar.lc=r22 ;; }
            { .mlx; mov r4=r17; movl r6={{SystemMachine.Region1}} ;; }
            again:
            {{faulting}}
            {{clearing}}
            {{load}}
            {{refill}}
            {{Bundles(start, "")}}
            {{Bundles(steps, "(p6) ")}}
            {{Bundles(end, "")}}
            { .mib; nop.m 0; nop.i 0; {{branch}} again ;; }
            { .mii; break.m {{(faulting == "" ? "0x1f0000" : "0")}}; nop.i 0; nop.i 0 }
            """;
        machine.Load(SystemMachine.Code, source);
        machine.Handler(Vector.AlternateDataTlb, LookAtSteps);
        Assert.True(machine.Memory.TryGetSpan(SystemMachine.Data, pairs.Length * 16, out Span<byte> data));
        for (int k = 0; k < pairs.Length; k++)
        {
            BitConverter.TryWriteBytes(data[(16 * k)..], pairs[k].A);
            BitConverter.TryWriteBytes(data[(16 * k + 8)..], pairs[k].B);
        }

        machine.SetAr(Ar.Fpsr, Fpsr);
        for (uint f = 2; f < 128; f++)
            *Registers.Fr(machine.S, f) = new FloatRegister(0xffff, 1UL << 63 | (ulong)f << 50);
        return machine;
    }

    private static string Bundles(string instructions, string predicate) => string.Join('\n', instructions.ReplaceLineEndings("\n").Split('\n', '|').Select(text =>
        text.Trim() is ['!', .. var whole] ? whole : $"{{ .mfi; nop.m 0; {(text.Contains("(p0)") ? "" : predicate)}{text.Trim()}; nop.i 0 ;; }}"));
}
