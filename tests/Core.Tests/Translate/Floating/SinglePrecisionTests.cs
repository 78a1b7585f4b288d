using FastXen.Core.Lockstep;
using FastXen.Core.State;
using FastXen.Core.Tests.SystemLevel;
using Xunit.Abstractions;

namespace FastXen.Core.Tests.Translate.Floating;

/// <summary>Single precision on the host's unit gives what the interpreter gives: registers, flags, memory.</summary>
public sealed unsafe class SinglePrecisionTests(ITestOutputHelper log)
{
    // Linux's: sf1 has 64-bit significands and 17-bit exponents, sf2 and sf3 like sf0.
    private const ulong Fpsr = 0x9_804c_0270_033f;

    // Operands f8, f9, f10 (doubles), f12 and f13 (as loaded singles).
    private const string Arithmetic =
        """
        fma.s.s0 f32=f8,f9,f10
        fms.s.s2 f33=f8,f9,f10
        fnma.s.s3 f34=f8,f9,f10
        fadd.s f35=f8,f10
        fsub.s.s2 f36=f8,f10
        fmpy.s.s3 f37=f8,f9
        fnmpy.s f38=f8,f9
        fnorm.s f39=f8
        fma.s f10=f8,f9,f10
        fnma.s f9=f10,f9,f9
        fma.s f40=f12,f13,f12
        fadd.s f41=f12,f13
        fadd.s f8=f0,f8
        fsub.s f12=f12,f0
        """;

    // Wants all operands in 82-bit form.
    private const string Extended =
        """

        fma.s.s1 f42=f8,f9,f10
        fma f43=f12,f13,f12
        fma.s f42=f42,f8,f9
        fadd.s f43=f43,f8
        """;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Edges(bool extended)
    {
        float[] singles = [0, 1, 3, 0.1f, 1.5f, float.Epsilon, 1.17549435e-38f, 1.17549421e-38f, 2.4e-38f, float.MaxValue, 1.7e38f, 16777215, 16777216, 1e-20f, float.PositiveInfinity, float.NaN];
        double[] doubles = [1e-310, double.Epsilon, 1e300, double.MaxValue, 2.2250738585072014e-308, 1.1754943508222874e-38, 3.4028235677973362e38, 3.4028235677973366e38, 1 + 5.96046447753906250e-8, 1e-45, 7.1e-46];
        ulong[] values = [.. singles.Select(value => (double)value).Concat(doubles).SelectMany(value => (double[])[value, -value]).Select(BitConverter.DoubleToUInt64Bits), 0x7FF0_0000_0000_0001];
        var random = new Random(1);
        (ulong, ulong, ulong)[] all = [.. values.SelectMany(a => values.SelectMany(b => Enumerable.Range(0, 4).Select(_ => (a, b, values[random.Next(values.Length)]))))];
        _ = Run("edges", all, 300, extended);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Random_operands(bool extended)
    {
        long count = long.TryParse(Environment.GetEnvironmentVariable("FASTXEN_DIVISIONS"), out long wanted) ? wanted : 80_000;
        const int block = 40_000;
        for (int seed = 0; seed * (long)block < count; seed++)
        {
            var random = new Random(seed);
            long handlers = Run($"seed {seed}", [.. Enumerable.Range(0, block).Select(k => Operands(random, k % 4))], 20_000, extended);
            // Of some 25 operations in a turn, where half of the turns are made for the handler.
            Assert.InRange(handlers, block, 8 * block);
        }
    }

    [Fact]
    public void Ordinary_singles_are_the_hosts()
    {
        var random = new Random(5);
        const int count = 20_000;
        long handlers = Run("ordinary", [.. Enumerable.Range(0, count).Select(_ => Operands(random, 0))], 20_000, extended: false);
        // fclrf in every other turn; sums that are half-way between two singles are exact in double precision.
        Assert.InRange(handlers, 0, count * 3 / 4);
    }

    private static (ulong, ulong, ulong) Operands(Random random, int kind)
    {
        ulong Bits(double value) => BitConverter.DoubleToUInt64Bits(value);
        double Single() => BitConverter.UInt32BitsToSingle((uint)random.Next(2) << 31 | (uint)random.Next(120, 136) << 23 | (uint)random.Next(1 << 23));
        switch (kind)
        {
            case 0:
                return (Bits(Single()), Bits(Single()), Bits(Single()));
            case 1:
                double Any() => BitConverter.UInt64BitsToDouble((ulong)random.NextInt64() & 0x800F_FFFF_FFFF_FFFF | (ulong)random.Next(2) << 63 | (ulong)random.Next(0x360, 0x4A0) << 52);
                return (Bits(Any()), Bits(Any()), Bits(Any()));
            case 2:
                // Half of the last place, and a little, which a double has no room for.
                double a = Single(), scale = Math.ScaleB(1, random.Next(-3, 4));
                double half = Math.ScaleB(1, Math.ILogB(a * scale) - 24) * (1 + Math.ScaleB(random.Next(-1, 2), -random.Next(25, 53)));
                return (Bits(a), Bits(scale), Bits(random.Next(2) == 0 ? half : -half));
            default:
                // Products of 25 bits, and an addend far below.
                double odd = random.Next(1 << 11, 1 << 12) | 1, other = random.Next(1 << 12, 1 << 13) | 1;
                return (Bits(odd), Bits(other), Bits(Math.ScaleB(random.Next(-2, 3), -random.Next(20, 90))));
        }
    }

    // The calls of handlers.
    private long Run(string name, (ulong A, ulong B, ulong C)[] operands, ulong stride, bool extended)
    {
        using SystemMachine reference = Machine(operands, extended, EngineKind.Interpreter), subject = Machine(operands, extended, EngineKind.Translator);
        var pair = new LockstepPair(reference.Vcpu, subject.Vcpu);
        for (ulong limit = stride; !pair.Stopped; limit = Math.Max(limit, reference.S->Retired) + stride)
        {
            if (!pair.RunTo(limit))
                Assert.Fail($"{name}, at {reference.S->Retired}, operands {(reference.S->Gr[14] - SystemMachine.Data) / 24}: {string.Join("; ", pair.Differences().Take(8))}");
        }

        Assert.Equal(VcpuStop.Limit, reference.Vcpu.StopReason);
        log.WriteLine($"{name}: {subject.Vcpu.TranslatorStatistics!.ToJson()}");
        return subject.Vcpu.TranslatorStatistics.TotalHandlerCalls;
    }

    private static SystemMachine Machine((ulong A, ulong B, ulong C)[] operands, bool extended, EngineKind engine)
    {
        var machine = new SystemMachine();
        machine.Vcpu.Engine = engine;
        string arithmetic = string.Join('\n', (Arithmetic + (extended ? Extended : "")).ReplaceLineEndings("\n").Split('\n').Select(text => $"{{ .mfi; nop.m 0; {text}; nop.i 0 ;; }}"));
        // Results are added up, so that none is lost before it is compared, and stored; every other turn clears the flags.
        machine.Load(SystemMachine.Code, $$"""
            { .mlx; nop.m 0; movl r14={{SystemMachine.Data}} ;; }
            { .mlx; nop.m 0; movl r17={{SystemMachine.Table}} ;; }
            { .mlx; mov r21=0; movl r22={{operands.Length - 1}} ;; }
            { .mfi; nop.m 0; nop.f 0; mov.i ar.lc=r22 ;; }
            again:
            { .mmi; ldfd f8=[r14],8 ;; ldfd f9=[r14],4; adds r21=1,r21 ;; }
            { .mmi; ldfs f12=[r14],4 ;; ldfd f10=[r14],4; tbit.nz p7,p8=r21,3 ;; }
            { .mfi; ldfs f13=[r14],4; (p7) fclrf.s0; nop.i 0 ;; }
            {{arithmetic}}
            { .mmi; getf.s r23=f32; getf.s r24=f41; nop.i 0 ;; }
            { .mmi; stfs [r17]=f32; add r25=r23,r24; nop.i 0 ;; }
            { .mmi; setf.s f44=r23; setf.s f45=r24; xor r26=r25,r26 ;; }
            { .mfi; nop.m 0; fadd.s f46=f44,f46; nop.i 0 ;; }
            { .mfb; nop.m 0; fcmp.lt.s2 p9,p10=f44,f45; br.cloop.sptk.few again ;; }
            { .mii; break.m 0x1f0000; nop.i 0; nop.i 0 }
            """);
        Assert.True(machine.Memory.TryGetSpan(SystemMachine.Data, operands.Length * 24, out Span<byte> data));
        for (int k = 0; k < operands.Length; k++)
        {
            BitConverter.TryWriteBytes(data[(24 * k)..], operands[k].A);
            BitConverter.TryWriteBytes(data[(24 * k + 8)..], operands[k].B);
            BitConverter.TryWriteBytes(data[(24 * k + 16)..], operands[k].C);
        }

        machine.SetAr(Ar.Fpsr, Fpsr);
        return machine;
    }
}
