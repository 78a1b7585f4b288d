using System.Reflection;
using FastXen.Core.Interpret;
using FastXen.Mmu;

namespace FastXen.Core.Tests.Smp;

/// <summary>
/// What vCPUs do over and over takes no lock: four of them run to their end while somebody else holds every lock of code, translator and memory.
/// </summary>
public sealed unsafe class LockTests
{
    private const int Vcpus = 4, Purges = 10, Turns = 200, WarmRounds = 20, Rounds = 20;
    // A page that all of them have, one that they purge, and a function on a page of code of its own.
    private const ulong Page = 1UL << 61, Purged = Page + 0x8000, Rid = 0x123, Pte = 1 | 1 << 5 | 1 << 6 | 3 << 9, Function = Processors.Code + 0x8_0000;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    // Loads, stores, a semaphore, calls of another page directly and by a register; then a purge on all processors.
    private static string Program(int vcpu) =>
        $"{{ .mlx; ssm {1 << 17}; movl r8=0x{Page:x} ;; }} {{ .mlx; srlz.d; movl r9={14 << 2} ;; }} {{ .mlx; nop.m 0; movl r10=0x{Purged:x} ;; }} " +
        $"{{ .mlx; nop.m 0; movl r11=0x{Function:x} ;; }} {{ .mii; adds r12={64 + (64 * vcpu)},r8; mov b6=r11; nop.i 0 ;; }} " +
        $"0: {{ .mii; mov r13={Purges}; nop.i 0; nop.i 0 ;; }} " +
        $"1: {{ .mii; mov r14={Turns - 1}; nop.i 0; mov.i ar.lc=r14 ;; }} {{ .mii; nop.m 0; mov r14={Turns - 1} ;; mov.i ar.lc=r14 ;; }} " +
        "2: { .mmi; ld8 r15=[r12] ;; adds r15=1,r15; nop.i 0 ;; } { .mmi; st8 [r12]=r15; fetchadd8.acq r16=[r8],1; nop.i 0 ;; } " +
        "{ .mib; nop.m 0; nop.i 0; br.call.sptk.many b0=b6 ;; } { .mib; nop.m 0; nop.i 0; br.cloop.sptk.few 2b ;; } " +
        "{ .mmi; ptc.g r10,r9 ;; srlz.d; adds r13=-1,r13 ;; } { .mib; cmp.ne p6,p7=0,r13; nop.i 0; nop.b 0 ;; } { .mib; nop.m 0; nop.i 0; (p6) br.cond.sptk.few 1b ;; } " +
        Processors.Wait + "{ .mmi; mov r20=cr.ivr ;; mov cr.eoi=r0; nop.i 0 ;; } { .mib; nop.m 0; nop.i 0; br.cond.sptk.few 0b ;; }";

    [Theory, InlineData(EngineKind.Translator), InlineData(EngineKind.Interpreter)]
    public void Warm_processors_take_no_lock(EngineKind engine)
    {
        using var m = new Processors(Vcpus, engine);
        for (int n = 0; n < Vcpus; n++)
            m.Load(n, Program(n));
        m.Write(Function, "{ .mib; adds r17=1,r17; nop.i 0; br.ret.sptk.many b0 ;; }");
        foreach (Vcpu vcpu in m.Vcpus)
        {
            vcpu.Overcommitted = Vcpus > Environment.ProcessorCount;
            Assert.Equal(TlbResult.Ok, MmuRegisters.SetRr(vcpu.State->Mmu, Page, Rid << 8 | 14 << 2));
            Assert.Equal(TlbResult.Ok, Tlb.InsertDataRegister(vcpu.State->Mmu, 0, Page, 14 << 2, Pte));
        }

        // So often that all code is decoded, and translated where it is worth it.
        Run(m, WarmRounds);
        ulong counted = m.Word(0), retired = Retired();
        Assert.Equal((ulong)WarmRounds * Vcpus * Purges * Turns, counted);
        Action release = Hold(Locks(m));
        // Who waits for a lock gets it in the end: a failure, not a hang.
        bool late = false;
        using (new Timer(_ => { late = true; release(); }, null, Patience, Timeout.InfiniteTimeSpan))
            Run(m, Rounds);
        release();
        Assert.False(late, "a processor waited for a lock, or for one that did");
        Assert.Equal((ulong)(WarmRounds + Rounds) * Vcpus * Purges * Turns, m.Word(0));
        Assert.True(Retired() - retired > 10 * Rounds * Vcpus * Purges * Turns, $"{Retired()} instructions");

        ulong Retired() => m.Vcpus.Aggregate(0UL, static (sum, vcpu) => sum + vcpu.State->Retired);
    }

    // So many rounds of each program, which begin with an interrupt and end with a wait.
    private static void Run(Processors m, int rounds)
    {
        Thread[] threads = [.. m.Vcpus.Select(vcpu => new Thread(() =>
        {
            for (int round = 0; round < rounds; round++)
            {
                // It waits since the last round.
                if (!vcpu.HasWork)
                    vcpu.PostInterrupt(0x41);
                VcpuPause pause;
                do
                    pause = vcpu.RunSlice();
                while (pause is VcpuPause.Preempted or VcpuPause.Yielded);
            }
        }))];
        foreach (Thread thread in threads)
            thread.Start();
        foreach (Thread thread in threads)
            thread.Join();
        Assert.All(m.Vcpus, vcpu => Assert.True(vcpu.StopReason == VcpuStop.None, $"{vcpu.StopReason} {vcpu.CrashReason} at 0x{vcpu.State->Ip:x}"));
    }

    // Of the domain's code, its translator, its memory, and those that decoding shares among all domains.
    private static List<object> Locks(Processors m)
    {
        DomainCode code = m[0].Code;
        List<object> owners = [code, m.Memory];
        if (code.TranslatorOrNull is { } translator)
            owners.Add(translator);
        List<object> locks = [.. owners.SelectMany(LocksOf), .. (object[])typeof(CodePage).GetField("Decoding", BindingFlags.Static | BindingFlags.NonPublic)!.GetValue(null)!];
        Assert.True(locks.Count > owners.Count, "each has one, and decoding some");
        return locks;
    }

    private static IEnumerable<object> LocksOf(object owner)
    {
        object[] locks =
        [
            .. owner.GetType().GetFields(BindingFlags.Instance | BindingFlags.NonPublic)
                .Where(static field => field.FieldType == typeof(Lock) || field.FieldType == typeof(object)).Select(field => field.GetValue(owner)!),
        ];
        Assert.NotEmpty(locks);
        return locks;
    }

    // By a thread that does nothing else, until the result is called.
    private static Action Hold(List<object> locks)
    {
        ManualResetEventSlim held = new(), done = new();
        Thread holder = new(() =>
        {
            foreach (object one in locks)
            {
                if (one is Lock modern)
                    modern.Enter();
                else
                    Monitor.Enter(one);
            }

            held.Set();
            done.Wait();
            foreach (object one in locks)
            {
                if (one is Lock modern)
                    modern.Exit();
                else
                    Monitor.Exit(one);
            }
        });
        holder.Start();
        held.Wait();
        return done.Set;
    }
}
