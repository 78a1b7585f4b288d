using System.Diagnostics;
using System.Globalization;
using Xunit.Abstractions;

namespace FastXen.Core.Tests.Smp;

/// <summary>
/// The memory model, on real host threads and both engines. <c>FASTXEN_LITMUS_ROUNDS</c>: rounds of each program on each engine. Without it each runs 20,480,
/// which is more than a million for all of them, or as many as a busy host does in half a second.
/// </summary>
public sealed unsafe class LitmusTests(ITestOutputHelper log)
{
    private const int Batch = 1024;

    // Locations of a round: x and y on host lines of their own, and 128 bytes further the results.
    private const ulong Locations = Processors.Data, RoundBytes = 256, Results = 0x60_0000, Meeting = Processors.Data - 0x1000;

    private static readonly string? Asked = Environment.GetEnvironmentVariable("FASTXEN_LITMUS_ROUNDS");
    private static readonly int Rounds = Asked is null ? 20_480 : int.Parse(Asked, CultureInfo.InvariantCulture);
    private static readonly TimeSpan Patience = Asked is null ? TimeSpan.FromSeconds(0.5) : TimeSpan.MaxValue;

    public static TheoryData<EngineKind, string> Programs
    {
        get
        {
            var data = new TheoryData<EngineKind, string>();
            foreach (EngineKind engine in (EngineKind[])[EngineKind.Interpreter, EngineKind.Translator])
            {
                foreach (LitmusProgram program in LitmusProgram.All)
                    data.Add(engine, program.Name);
            }

            return data;
        }
    }

    [Theory, MemberData(nameof(Programs))]
    public void No_outcome_that_the_manual_forbids(EngineKind engine, string name)
    {
        LitmusProgram program = LitmusProgram.All.Single(one => one.Name == name);
        Outcome outcome = Run(engine, program, Rounds);
        log.WriteLine($"{name}: {outcome.Rounds} rounds, {outcome.Kinds} outcomes, {outcome.Seen} relaxed");
        Assert.Equal(0, outcome.Forbidden);
    }

    // The host's stores do wait in its buffers: without this the tests above could be of vCPUs that never meet. (The interpreter's next load comes
    // so long after a store that this is rare.)
    [Theory, InlineData(EngineKind.Translator)]
    public void Stores_are_seen_to_wait_where_nothing_forbids_it(EngineKind engine)
    {
        if (Environment.ProcessorCount < 2)
            return;
        LitmusProgram program = LitmusProgram.All.Single(one => one.Name == "SB");
        long seen = 0;
        for (int attempt = 0; seen == 0 && attempt < 100; attempt++)
            seen = Run(engine, program, Batch * 4).Seen;
        log.WriteLine($"{seen} times");
        Assert.True(seen > 0);
    }

    private readonly record struct Outcome(long Rounds, long Forbidden, long Seen, int Kinds);

    private static Outcome Run(EngineKind engine, LitmusProgram program, int rounds)
    {
        int threads = program.Threads.Length;
        using var m = new Processors(threads, engine, memory: 16 << 20, shared: true);
        for (int n = 0; n < threads; n++)
            m.Load(n, Program(n, threads, program.Threads[n]));
        long done = 0, forbidden = 0, seen = 0;
        HashSet<long> kinds = [];
        int[] results = new int[2 * threads];
        var time = Stopwatch.StartNew();
        for (; done < rounds && (done == 0 || time.Elapsed < Patience); done += Batch)
        {
            m.Clear(Locations, Batch * RoundBytes);
            m.SetWord(Meeting, 0);
            m.RunAll();
            for (int round = 0; round < Batch; round++)
            {
                long kind = 0;
                for (int n = 0; n < results.Length; n++)
                {
                    results[n] = (int)m.Word(Results + (ulong)((n / 2 * Batch) + round) * 16 + (ulong)(n % 2) * 8);
                    kind = kind * 4 + results[n];
                }

                kinds.Add(kind);
                forbidden += program.Forbids(results) ? 1 : 0;
                seen += program.IsSeen?.Invoke(results) == true ? 1 : 0;
            }
        }

        return new Outcome(done, forbidden, seen, kinds.Count);
    }

    // All meet every eighth round (each adds to a word, and waits until all have); in between they run freely, side by side.
    private static string Program(int number, int threads, string operations) =>
        $"{{ .mlx; nop.m 0; movl r20=0x{Locations:x} ;; }} {{ .mlx; nop.m 0; movl r24=0x{Results + ((ulong)number * Batch * 16):x} ;; }} " +
        $"{{ .mlx; nop.m 0; movl r25=0x{Meeting:x} ;; }} {{ .mlx; nop.m 0; movl r26={threads} ;; }} {{ .mlx; nop.m 0; movl r10={Batch - 1} ;; }} " +
        $"{{ .mmi; mov r22=1; mov r23=2; mov.i ar.lc=r10 ;; }} {{ .mmi; mov.m ar.ccv=r0; mov r27=r26; mov r28=0 ;; }} {{ .mmi; mov.m ar.csd=r23; nop.m 0; nop.i 0 ;; }} " +
        // A round.
        "1: { .mmi; and r11=7,r28; adds r21=128,r20; mov r14=0 ;; } { .mib; mov r15=0; cmp.ne p6,p0=0,r11; (p6) br.cond.sptk.few 3f ;; } " +
        "{ .mmi; fetchadd8.rel r12=[r25],1 ;; nop.m 0; nop.i 0 } 2: { .mmi; ld8.acq r13=[r25] ;; nop.m 0; cmp.ltu p6,p7=r13,r27 ;; } " +
        "{ .mib; hint.m 0; nop.i 0; (p6) br.cond.sptk.few 2b ;; } { .mmi; add r27=r27,r26; nop.m 0; nop.i 0 ;; } " +
        // Each starts the round at another moment each time.
        "3: { .mmi; mov.m r12=ar.itc ;; nop.m 0; and r12=7,r12 ;; } 4: { .mmi; cmp.ne p6,p7=0,r12 ;; (p6) adds r12=-1,r12; nop.i 0 ;; } { .mib; nop.m 0; nop.i 0; (p6) br.cond.sptk.few 4b ;; } " +
        "{ .mmi; mov.m ar.csd=r23; nop.m 0; nop.i 0 ;; } " +
        operations +
        "{ .mmi; st8 [r24]=r14,8 ;; st8 [r24]=r15,8; adds r28=1,r28 ;; } " +
        $"{{ .mib; adds r20={RoundBytes},r20; nop.i 0; br.cloop.sptk.few 1b ;; }} " + Processors.Stop;
}
