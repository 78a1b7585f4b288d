using System.Text;
using FastXen.Core.Tests.SystemLevel;

namespace FastXen.Core.Tests.Sharing;

/// <summary>Guest programs for several processors. r14 is a processor's number plus 3 where nothing else is said.</summary>
internal static class SharedPrograms
{
    private const string Divide =
        """
        { .mmi; setf.sig f8=r8; setf.sig f9=r14; nop.i 0 ;; }
        { .mfi; nop.m 0; fcvt.xf f8=f8; nop.i 0 ;; }
        { .mfi; nop.m 0; fcvt.xf f9=f9; nop.i 0 ;; }
        { .mfi; nop.m 0; frcpa.s1 f10,p6=f8,f9; nop.i 0 ;; }
        { .mfi; nop.m 0; (p6) fnma.s1 f7=f9,f10,f1; nop.i 0 ;; }
        { .mfi; nop.m 0; (p6) fma.s1 f12=f8,f10,f0; nop.i 0 ;; }
        { .mfi; nop.m 0; (p6) fma.s1 f11=f7,f7,f0; nop.i 0 ;; }
        { .mfi; nop.m 0; (p6) fma.s1 f12=f7,f12,f12; nop.i 0 ;; }
        { .mfi; nop.m 0; (p6) fma.s1 f10=f7,f10,f10; nop.i 0 ;; }
        { .mfi; nop.m 0; (p6) fma.s1 f7=f11,f12,f12; nop.i 0 ;; }
        { .mfi; nop.m 0; (p6) fma.s1 f10=f11,f10,f10; nop.i 0 ;; }
        { .mfi; nop.m 0; (p6) fnma.s1 f12=f9,f7,f8; nop.i 0 ;; }
        { .mfi; nop.m 0; (p6) fma.s1 f10=f12,f10,f7; nop.i 0 ;; }
        { .mfi; nop.m 0; fcvt.fx.trunc.s1 f10=f10; nop.i 0 ;; }
        { .mmi; getf.sig r21=f10; nop.m 0; nop.i 0 ;; }
        """;

    // Looks at a step of the last division, through memory at r15.
    private const string Observe =
        """
        { .mmi; stf.spill [r15]=f7; adds r22=8,r15; nop.i 0 ;; }
        { .mmi; ld8 r23=[r15]; nop.m 0; nop.i 0 ;; }
        { .mmi; ld8 r24=[r22]; xor r8=r8,r23; nop.i 0 ;; }
        """;

    /// <summary>Divides, calls, stores and loads r16 times; r8 depends on all of it. r15: 16 bytes of the processor's own.</summary>
    public static readonly string Work =
        $$"""
        { .mii; mov r8=r14; nop.i 0; mov.i ar.lc=r16 ;; }
        again:
        {{Divide}}
        {{Observe}}
        { .mii; add r8=r8,r24; nop.i 0; nop.i 0 ;; }
        { .mib; add r8=r8,r21; shr.u r24=r23,7; br.call.sptk.few b0=function ;; }
        { .mib; adds r18=1,r18; nop.i 0; br.cloop.sptk.few again ;; }
        { .mii; break.m 0x1f0000; nop.i 0; nop.i 0 }
        function:
        { .mib; xor r8=r8,r24; nop.i 0; br.ret.sptk.few b0 ;; }
        """;

    /// <summary>Functions of <see cref="Calls"/>, and the bytes from one to the next.</summary>
    public const int Functions = 256, FunctionBytes = 512;

    /// <summary>Calls functions in an order that depends on r14, r16 times; r17: where they lie.</summary>
    public const string Calls =
        """
        { .mii; mov r8=r14; mov r20=r14; mov.i ar.lc=r16 ;; }
        { .mii; adds r2=-1,r0; nop.i 0; nop.i 0 ;; }
        again:
        { .mii; shladd r20=r20,2,r20; nop.i 0; nop.i 0 ;; }
        { .mii; adds r20=1237,r20; nop.i 0; nop.i 0 ;; }
        { .mii; nop.m 0; extr.u r21=r20,9,8; nop.i 0 ;; }
        { .mii; nop.m 0; shl r21=r21,9; nop.i 0 ;; }
        { .mii; add r21=r21,r17; nop.i 0; nop.i 0 ;; }
        { .mii; nop.m 0; mov b6=r21; nop.i 0 ;; }
        { .mib; nop.m 0; nop.i 0; br.call.sptk.few b0=b6 ;; }
        { .mib; adds r18=1,r18; nop.i 0; br.cloop.sptk.few again ;; }
        { .mii; break.m 0x1f0000; nop.i 0; nop.i 0 }
        """;

    /// <summary>Loads the functions of <see cref="Calls"/>: every eighth divides, every other eighth looks at the division that was last.</summary>
    public static void LoadFunctions(SharedMachine machine, ulong address)
    {
        string[] sources = [.. Enumerable.Range(0, Functions).Select(Function)];
        Assembly.Prepare(sources);
        for (int k = 0; k < Functions; k++)
            machine.Write(address + (ulong)(k * FunctionBytes), Assembly.Of(sources[k]).AsSpan(0, FunctionBytes));
    }

    private static string Function(int number)
    {
        var text = new StringBuilder();
        text.AppendLine($"{{ .mlx; nop.m 0; movl r21={(ulong)number * 0x9E37_79B9_7F4A_7C15 % long.MaxValue} ;; }}");
        text.AppendLine((number % 8) switch { 0 => Divide, 1 => Observe, _ => "{ .mii; nop.m 0; shr.u r22=r8,3; nop.i 0 ;; } { .mii; xor r8=r8,r22; nop.i 0; nop.i 0 ;; }" });
        text.AppendLine("{ .mib; add r8=r8,r21; nop.i 0; br.ret.sptk.few b0 ;; }");
        return text.ToString();
    }

    /// <summary>Where the function lies that <see cref="Writer"/> changes and <see cref="Reader"/> calls: behind the reader's begin.</summary>
    public const ulong PatchedOffset = 0x400;

    /// <summary>
    /// Writes the bundle of r15's table for the round (16 of 16 bytes) to r16, flushes it, and sets the flag at r17 to the round; goes on when r29 processors have added
    /// 1 to the count at r19. r14 rounds.
    /// </summary>
    public static string Writer(bool synchronizes) =>
        $$"""
        again:
        { .mii; adds r20=1,r20; add r28=r28,r29; nop.i 0 ;; }
        { .mii; and r21=15,r20; nop.i 0; nop.i 0 ;; }
        { .mii; nop.m 0; shl r21=r21,4; nop.i 0 ;; }
        { .mii; add r22=r21,r15; nop.i 0; nop.i 0 ;; }
        { .mmi; ld8 r23=[r22]; adds r24=8,r22; adds r25=8,r16 ;; }
        { .mmi; ld8 r24=[r24]; st8 [r16]=r23; nop.i 0 ;; }
        { .mmi; st8 [r25]=r24; nop.m 0; nop.i 0 ;; }
        { .mmi; fc.i r16; nop.m 0; nop.i 0 ;; }
        { .mmi; {{(synchronizes ? "sync.i" : "nop.m 0")}}; nop.m 0; nop.i 0 ;; }
        { .mmi; srlz.i; nop.m 0; nop.i 0 ;; }
        { .mmi; st8.rel [r17]=r20; nop.m 0; nop.i 0 ;; }
        wait:
        { .mmi; ld8.acq r26=[r19]; nop.m 0; hint.i 0 ;; }
        { .mib; cmp.ne p6,p7=r26,r28; nop.i 0; (p6) br.cond.sptk.few wait ;; }
        { .mib; cmp.ltu p6,p7=r20,r14; nop.i 0; (p6) br.cond.sptk.few again ;; }
        { .mii; break.m 0x1f0000; nop.i 0; nop.i 0 }
        """;

    /// <summary>Waits for each round (by nothing that would leave translated code), executes what the writer wrote and counts in r9 where that gave the right number.</summary>
    /// <param name="serializes">srlz.i between the flag and the code.</param>
    /// <param name="way">How control comes to the code.</param>
    public static string Reader(bool serializes, Way way) =>
        $$"""
        { .mii; nop.m 0; mov b6=r16; nop.i 0 ;; }
        next:
        { .mmi; ld8.acq r26=[r17]; nop.m 0; nop.i 0 ;; }
        { .mib; cmp.eq p6,p7=r26,r20; nop.i 0; (p6) br.cond.sptk.few next ;; }
        { .mmi; mov r20=r26; nop.m 0; nop.i 0 ;; }
        { .mmi; {{(serializes ? "srlz.i" : "nop.m 0")}}; nop.m 0; nop.i 0 ;; }
        {{way switch
        {
            Way.Call => "{ .mib; nop.m 0; nop.i 0; br.call.sptk.few b0=patched ;; }",
            Way.IndirectCall => "{ .mib; nop.m 0; nop.i 0; br.call.sptk.few b0=b6 ;; }",
            _ => "{ .mib; nop.m 0; nop.i 0; br.cond.sptk.few patched ;; }",
        }}}
        back:
        { .mii; and r21=15,r20; nop.i 0; nop.i 0 ;; }
        { .mii; cmp.eq p6,p7=r8,r21; nop.i 0; nop.i 0 ;; }
        { .mii; (p6) adds r9=1,r9; nop.i 0; nop.i 0 ;; }
        { .mmi; fetchadd8.rel r27=[r19],1; nop.m 0; nop.i 0 ;; }
        { .mib; cmp.ltu p6,p7=r20,r14; nop.i 0; (p6) br.cond.sptk.few next ;; }
        { .mii; break.m 0x1f0000; nop.i 0; nop.i 0 }
        .org {{PatchedOffset}}
        patched:
        { .mlx; nop.m 0; movl r8=0 ;; }
        { .mib; nop.m 0; nop.i 0; {{(way == Way.Branch ? "br.cond.sptk.few back" : "br.ret.sptk.few b0")}} ;; }
        """;

    /// <summary>The bundles that the writer writes: r8 = 0 to 15.</summary>
    public static string Patches => string.Join('\n', Enumerable.Range(0, 16).Select(n => $"{{ .mlx; nop.m 0; movl r8={n} ;; }}"));
}

/// <summary>How control comes to code that was changed.</summary>
public enum Way
{
    /// <summary>By a branch inside of the region.</summary>
    Branch,

    /// <summary>By a call inside of the page.</summary>
    Call,

    /// <summary>By a call through a branch register.</summary>
    IndirectCall,
}
