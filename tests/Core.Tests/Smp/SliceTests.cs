using System.Diagnostics;
using FastXen.Core.Interpret;
using FastXen.Core.State;

namespace FastXen.Core.Tests.Smp;

/// <summary>A vCPU that is run in slices: what ends them, and that no request is lost.</summary>
public sealed unsafe class SliceTests
{
    private const byte Vector = 0x41;
    private const string Forever = "1: { .mib; adds r10=1,r10; nop.i 0; br.cond.sptk.few 1b ;; } ";

    // Takes the interrupt: the highest vector to r8, and ends it.
    private const string Acknowledge = "{ .mmi; mov r8=cr.ivr ;; mov cr.eoi=r0; nop.i 0 ;; } ";

    public static TheoryData<EngineKind> Engines => [EngineKind.Interpreter, EngineKind.Translator];

    [Theory, MemberData(nameof(Engines))]
    public void One_that_waits_blocks_until_an_interrupt_is_requested(EngineKind engine)
    {
        using var m = new Processors(1, engine);
        m.Load(0, Processors.Wait + Acknowledge + Processors.Stop);
        int woken = 0;
        m[0].Woken = () => woken++;
        Assert.Equal(VcpuPause.Blocked, m[0].RunSlice());
        Assert.False(m[0].HasWork);
        Assert.Null(m[0].WakeAt);
        Assert.Equal(VcpuPause.Blocked, m[0].RunSlice());
        Assert.Equal(0, woken);
        m[0].PostInterrupt(Vector);
        Assert.Equal(1, woken);
        Assert.True(m[0].HasWork);
        Assert.Equal(VcpuPause.Stopped, m[0].RunSlice());
        Assert.Equal(Vector, Registers.Gr(m[0].State, 8));
    }

    [Theory, MemberData(nameof(Engines))]
    public void An_interrupt_that_came_before_ends_the_wait(EngineKind engine)
    {
        using var m = new Processors(1, engine);
        m.Load(0, Processors.Wait + Acknowledge + Processors.Stop);
        m[0].PostInterrupt(Vector);
        Assert.Equal(VcpuPause.Stopped, m[0].RunSlice());
    }

    [Theory, MemberData(nameof(Engines))]
    public void Its_own_timer_wakes_one_that_waits(EngineKind engine)
    {
        using var m = new Processors(1, engine);
        m.Load(0, Processors.Wait + Acknowledge + Processors.Stop);
        VcpuState* s = m[0].State;
        s->Cr[Cr.Itv] = Vector;
        s->Cr[Cr.Itm] = Clock.Itc(s) + Clock.ItcFrequency / 100;
        s->ItmFired = 0;
        long before = Stopwatch.GetTimestamp();
        if (m[0].RunSlice() == VcpuPause.Blocked)
        {
            long due = Assert.NotNull(m[0].WakeAt);
            Assert.InRange(due, before, before + Stopwatch.Frequency / 50);
            while (Stopwatch.GetTimestamp() < due)
                Thread.Yield();
            Assert.True(m[0].HasWork);
            Assert.Equal(VcpuPause.Stopped, m[0].RunSlice());
        }

        Assert.Equal(Vector, Registers.Gr(s, 8));
    }

    [Theory, MemberData(nameof(Engines))]
    public void Time_that_is_shared_does_not_pass_by_itself(EngineKind engine)
    {
        using var m = new Processors(1, engine, deterministic: true);
        m.Load(0, Processors.Wait + Acknowledge + Processors.Stop);
        VcpuState* s = m[0].State;
        s->Cr[Cr.Itv] = Vector;
        s->Cr[Cr.Itm] = 100_000;
        s->ItmFired = 0;
        m[0].SkipsIdleTime = false;
        Assert.Equal(VcpuPause.Blocked, m[0].RunSlice());
        Assert.False(m[0].HasWork);
        m[0].SkipsIdleTime = true;
        Assert.Equal(VcpuPause.Stopped, m[0].RunSlice());
        Assert.Equal(Vector, Registers.Gr(s, 8));
    }

    [Theory, MemberData(nameof(Engines))]
    public void A_busy_one_is_preempted_and_goes_on(EngineKind engine)
    {
        using var m = new Processors(1, engine);
        m.Load(0, Forever);
        ulong retired = 0;
        for (int round = 0; round < 20; round++)
        {
            var other = new Thread(() =>
            {
                // Not before it runs: what is asked before a slice ends that slice at once.
                while (Volatile.Read(ref m[0].State->Retired) == Volatile.Read(ref retired))
                    Thread.Yield();
                m[0].Preempt();
            });
            other.Start();
            Assert.Equal(VcpuPause.Preempted, m[0].RunSlice());
            other.Join();
            Assert.True(m[0].State->Retired > retired);
            Volatile.Write(ref retired, m[0].State->Retired);
        }
    }

    [Theory, MemberData(nameof(Engines))]
    public void A_preemption_between_slices_ends_the_next_one_only(EngineKind engine)
    {
        using var m = new Processors(1, engine);
        m.Load(0, Processors.Stop);
        m[0].Preempt();
        Assert.Equal(VcpuPause.Preempted, m[0].RunSlice());
        Assert.Equal(0UL, m[0].State->Retired);
        Assert.Equal(VcpuPause.Stopped, m[0].RunSlice());
    }

    [Theory, MemberData(nameof(Engines))]
    public void A_stop_wakes_one_that_waits(EngineKind engine)
    {
        using var m = new Processors(1, engine);
        m.Load(0, Processors.Wait + Processors.Stop);
        int woken = 0;
        m[0].Woken = () => woken++;
        Assert.Equal(VcpuPause.Blocked, m[0].RunSlice());
        m[0].RequestStop(VcpuStop.Requested);
        Assert.Equal(1, woken);
        Assert.True(m[0].HasWork);
        Assert.Equal(VcpuPause.Stopped, m[0].RunSlice());
        Assert.Equal(VcpuStop.Requested, m[0].StopReason);
    }

    [Theory, MemberData(nameof(Engines))]
    public void The_limit_is_no_stop(EngineKind engine)
    {
        using var m = new Processors(1, engine, deterministic: true);
        m.Load(0, Forever);
        m[0].RunLimit = 100;
        Assert.Equal(VcpuPause.Limit, m[0].RunSlice());
        Assert.InRange(m[0].State->Retired, 100UL, 103UL);
        Assert.Equal(VcpuPause.Limit, m[0].RunSlice());
        Assert.Equal(VcpuStop.None, m[0].StopReason);
    }

    // The second and third wait for a word that another vCPU would write.
    [Theory]
    [InlineData(EngineKind.Interpreter, "{ .mib; hint.m 0; nop.i 0; br.cond.sptk.few 1b ;; } ")]
    [InlineData(EngineKind.Translator, "{ .mib; hint.m 0; nop.i 0; br.cond.sptk.few 1b ;; } ")]
    [InlineData(EngineKind.Translator, "{ .mib; nop.m 0; hint.i 0; br.cond.sptk.few 1b ;; } ")]
    [InlineData(EngineKind.Translator, "{ .mbb; nop.m 0; hint.b 0; br.cond.sptk.few 1b ;; } ")]
    [InlineData(EngineKind.Interpreter, "{ .mmi; ld8.acq r9=[r8] ;; nop.m 0; cmp.eq p6,p0=r0,r9 ;; } { .mib; nop.m 0; nop.i 0; (p6) br.cond.sptk.few 1b ;; } ")]
    [InlineData(EngineKind.Translator, "{ .mmi; ld8.acq r9=[r8] ;; nop.m 0; cmp.eq p6,p0=r0,r9 ;; } { .mib; nop.m 0; nop.i 0; (p6) br.cond.sptk.few 1b ;; } ")]
    public void One_that_spins_yields_where_others_want_to_run(EngineKind engine, string loop)
    {
        using var m = new Processors(1, engine);
        m.Load(0, "{ .mlx; nop.m 0; movl r8=0x200000 ;; } 1: " + loop);
        m[0].Overcommitted = true;
        Assert.Equal(VcpuPause.Yielded, m[0].RunSlice());
        Assert.Equal(VcpuPause.Yielded, m[0].RunSlice());
        m[0].Overcommitted = false;
        using (new Timer(_ => m[0].Preempt(), null, 20, Timeout.Infinite))
            Assert.Equal(VcpuPause.Preempted, m[0].RunSlice());
    }

    [Theory, MemberData(nameof(Engines))]
    public void One_that_works_does_not_yield(EngineKind engine)
    {
        using var m = new Processors(1, engine);
        m.Load(0, Forever);
        m[0].Overcommitted = true;
        using (new Timer(_ => m[0].Preempt(), null, 20, Timeout.Infinite))
            Assert.Equal(VcpuPause.Preempted, m[0].RunSlice());
    }

    // Each interrupt is answered by a count in memory: one that is lost ends the test's progress.
    [Theory, MemberData(nameof(Engines))]
    public void No_interrupt_is_lost_between_the_look_and_the_sleep(EngineKind engine)
    {
        const ulong Rounds = 20_000;
        using var m = new Processors(1, engine);
        m.Load(0, "{ .mlx; nop.m 0; movl r9=0x200000 ;; } 1: " + Processors.Wait + Acknowledge +
            "{ .mmi; adds r10=1,r10 ;; st8.rel [r9]=r10; nop.i 0 } { .mib; nop.m 0; nop.i 0; br.cond.sptk.few 1b ;; } ");
        var runner = new Thread(() => m[0].Run());
        runner.Start();
        for (ulong round = 1; round <= Rounds; round++)
        {
            m[0].PostInterrupt(Vector);
            var patience = Stopwatch.StartNew();
            while (m.Word(Processors.Data) != round && patience.ElapsedMilliseconds < 20_000)
            {
                // From no wait at all to long ones: the poster meets all moments of the vCPU's way into its sleep.
                Thread.SpinWait((int)(round % 200));
                if (patience.ElapsedMilliseconds > 1)
                    Thread.Yield();
            }

            if (m.Word(Processors.Data) != round)
                break;
        }

        m[0].RequestStop(VcpuStop.Requested);
        runner.Join();
        Assert.Equal(Rounds, m.Word(Processors.Data));
    }
}
