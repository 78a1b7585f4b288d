using System.Globalization;
using System.Text.RegularExpressions;
using FastXen.Core.Lockstep;
using FastXen.Core.State;
using FastXen.Core.Tests.SystemLevel;
using FastXen.Core.Translate;

namespace FastXen.Core.Tests.Translate;

/// <summary>
/// The steps of a division that the host has done stand in the guest's registers as the number of its site. A new generation of code numbers sites anew: what was left from
/// the old one is computed before.
/// </summary>
public sealed unsafe class GenerationTests
{
    private const int SmallCode = CodeArena.SmallestCodeBytes + (16 << 10);

    // Code that fills the memory for it.
    private const ulong First = SystemMachine.Code + 0x1_0000, Second = SystemMachine.Code + 0x2_0000;

    // Of f8 and f9; the quotient is f10.
    private const string Quotient =
        """
        frcpa.s0 f10,p6=f8,f9
        (p6) fnma.s1 f7=f9,f10,f1
        (p6) fmpy.s1 f11=f7,f7
        (p6) fma.s1 f7=f10,f7,f10
        (p6) fmpy.s1 f14=f11,f11
        (p6) fma.s1 f7=f7,f11,f7
        (p6) fma.s1 f7=f7,f14,f7
        (p6) fmpy.d.s1 f11=f8,f7
        (p6) fnma.s1 f12=f9,f11,f8
        (p6) fma.d.s0 f10=f12,f7,f11
        """;

    [Fact]
    public void Steps_of_a_division_outlive_the_code_that_made_them()
    {
        const int turns = 12;
        using SystemMachine reference = Machine(EngineKind.Interpreter, turns), subject = Machine(EngineKind.Translator, turns);
        var pair = new LockstepPair(reference.Vcpu, subject.Vcpu);
        // In one run: the registers are looked at, and so computed, where it ends.
        bool same = pair.RunTo(10_000_000);
        Assert.True(same && pair.FirstMemoryDifference() is null, string.Join("; ", pair.Differences().Take(8)));
        Assert.Equal(VcpuStop.Limit, reference.Vcpu.StopReason);
        // The first division of each of two generations in a turn is the one whose steps are read, and the one that would take its place.
        Assert.InRange(subject.Vcpu.TranslatorStatistics!.Flushes, 2 * turns, 20 * turns);
        Assert.NotEqual(0UL, subject.Gr(20));
    }

    private static SystemMachine Machine(EngineKind engine, int turns)
    {
        var machine = new SystemMachine();
        machine.Vcpu.Engine = engine;
        machine.Vcpu.TranslatorOptions = new TranslatorOptions { CodeBytes = SmallCode, Threshold = 1 };
        machine.Load(SystemMachine.Code, $$"""
            { .mlx; nop.m 0; movl r14=0x4010000000012345 ;; }
            { .mlx; nop.m 0; movl r15=0x4008000000054321 ;; }
            { .mlx; nop.m 0; movl r16=0x3ff0123456789abc ;; }
            { .mlx; nop.m 0; movl r17={{SystemMachine.Data}} ;; }
            { .mlx; nop.m 0; movl r28={{First}} ;; }
            { .mlx; nop.m 0; movl r29={{Second}} ;; }
            { .mfi; mov r22={{turns - 1}}; nop.f 0; nop.i 0 ;; }
            { .mfi; nop.m 0; nop.f 0; mov.i ar.lc=r22 ;; }
            again:
            { .mmi; setf.d f8=r14; setf.d f9=r15; add r14=r14,r22 ;; }
            {{Bundles(Quotient)}}
            { .mii; nop.m 0; nop.i 0; mov b6=r28 ;; }
            { .mib; nop.m 0; nop.i 0; br.call.sptk.many b7=b6 ;; }
            { .mmi; setf.d f48=r16; setf.d f49=r14; add r16=r16,r22 ;; }
            {{Bundles(Elsewhere(Quotient))}}
            { .mmi; getf.sig r23=f7; getf.sig r21=f11; nop.i 0 ;; }
            { .mmi; add r20=r20,r23; stf.spill [r17]=f12,16; nop.i 0 ;; }
            { .mmi; add r20=r20,r21; stf.spill [r17]=f14,16; nop.i 0 ;; }
            { .mii; nop.m 0; nop.i 0; mov b6=r29 ;; }
            { .mib; nop.m 0; nop.i 0; br.call.sptk.many b7=b6 ;; }
            { .mib; nop.m 0; nop.i 0; br.cloop.sptk.many again ;; }
            { .mib; nop.m 0; nop.i 0; br.sptk.few end ;; }
            end:
            { .mii; break.m 0x1f0000; nop.i 0; nop.i 0 }
            """);
        Fill(machine, First);
        Fill(machine, Second);
        machine.SetAr(Ar.Fpsr, 0x9_804c_0270_033f);
        return machine;
    }

    // A function whose translation takes more than a generation has.
    private static void Fill(SystemMachine machine, ulong address)
    {
        const int bundles = 128, pieces = 8;
        string piece = string.Join('\n', Enumerable.Range(0, bundles).Select(n => $"{{ .mii; adds r{24 + n % 4}={n},r25; xor r26=r24,r27; shl r27=r26,{n % 60} ;; }}"));
        for (int k = 0; k < pieces; k++)
            machine.Load(address + (ulong)(16 * bundles * k), piece);
        machine.Load(address + 16 * bundles * pieces, "{ .mib; nop.m 0; nop.i 0; br.ret.sptk.many b7 ;; }");
    }

    // f7 to f14 are f47 to f54.
    private static string Elsewhere(string instructions) =>
        Regex.Replace(instructions, @"\bf(\d+)\b", match => int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) is var f and >= 7 ? $"f{f + 40}" : match.Value);

    private static string Bundles(string instructions) =>
        string.Join('\n', instructions.ReplaceLineEndings("\n").Split('\n').Select(text => $"{{ .mfi; nop.m 0; {text}; nop.i 0 ;; }}"));
}
