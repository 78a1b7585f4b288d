using FastXen.Core.Interpret;
using FastXen.Mmu;

namespace FastXen.Core.Tests.Smp;

/// <summary>Global purges (SDM vol 3, ptc.g, ptc.ga): done on every processor when the instruction completes, and nobody waits for ever.</summary>
public sealed unsafe class PurgeTests
{
    // A page at 1 << 61 in the data translation cache of a vCPU, with region identifier 0x123.
    private const ulong Page = 1UL << 61, Rid = 0x123, Pte = 1 | 1 << 5 | 1 << 6 | 3 << 9;

    private static void Map(Vcpu vcpu, ulong page = Page)
    {
        Assert.Equal(TlbResult.Ok, MmuRegisters.SetRr(vcpu.State->Mmu, Page, Rid << 8 | 14 << 2));
        Assert.Equal(TlbResult.Ok, Tlb.InsertDataCache(vcpu.State->Mmu, page, 14 << 2, Pte));
    }

    private static bool IsMapped(Vcpu vcpu, ulong page = Page) =>
        Enumerable.Range(0, TranslationCache.Entries).Any(n => TranslationCache.Read(&vcpu.State->Mmu->Dtc, n) is { } entry && entry.Offset == (page & ~(7UL << 61)));

    private static string Purges(string purge, int count) =>
        "{ .mlx; nop.m 0; movl r8=0x2000000000000000 ;; } { .mlx; nop.m 0; movl r9=14<<2 ;; } " +
        $"{{ .mlx; nop.m 0; movl r10={count - 1} ;; }} {{ .mii; nop.m 0; mov.i ar.lc=r10; nop.i 0 ;; }} " +
        $"1: {{ .mmi; {purge} r8,r9 ;; nop.m 0; nop.i 0 }} {{ .mib; nop.m 0; nop.i 0; br.cloop.sptk.few 1b ;; }} " + Processors.Stop;

    [Theory]
    [InlineData("ptc.g", true, EngineKind.Translator)]
    [InlineData("ptc.ga", false, EngineKind.Translator)]
    [InlineData("ptc.g", true, EngineKind.Interpreter)]
    [InlineData("ptc.ga", false, EngineKind.Interpreter)]
    public void A_processor_that_does_not_run_purges_before_it_does(string purge, bool keepsAlat, EngineKind engine)
    {
        using var m = new Processors(2, engine);
        m.Load(0, Purges(purge, 1));
        m.Load(1, Processors.Wait + Processors.Stop);
        Map(m[0]);
        Map(m[1]);
        Map(m[1], Page + 0x4000);
        Alat.Insert(m[1].State, 20, isFloat: false, Processors.Data, 8);
        Assert.Equal(VcpuPause.Stopped, m[0].RunSlice());
        Assert.False(IsMapped(m[0]));
        Assert.True(IsMapped(m[1]));
        Assert.Equal(VcpuPause.Blocked, m[1].RunSlice());
        Assert.False(IsMapped(m[1]));
        Assert.True(IsMapped(m[1], Page + 0x4000));
        Assert.Equal(keepsAlat, Alat.Check(m[1].State, 20, isFloat: false));
    }

    [Fact]
    public void More_than_the_mailbox_holds_purges_everything()
    {
        using var m = new Processors(2);
        m.Load(0, Purges("ptc.g", 1000));
        m.Load(1, Processors.Wait + Processors.Stop);
        Map(m[0]);
        Map(m[1]);
        Map(m[1], Page + 0x4000);
        Assert.Equal(VcpuPause.Stopped, m[0].RunSlice());
        Assert.Equal(VcpuPause.Blocked, m[1].RunSlice());
        Assert.False(IsMapped(m[1]) || IsMapped(m[1], Page + 0x4000));
        // It works on.
        Map(m[1], Page + 0x4000);
        Assert.Equal(VcpuPause.Blocked, m[1].RunSlice());
        Assert.True(IsMapped(m[1], Page + 0x4000));
    }

    // All of them wait for all others, all the time.
    [Theory]
    [InlineData(2, EngineKind.Translator)]
    [InlineData(4, EngineKind.Translator)]
    [InlineData(2, EngineKind.Interpreter)]
    public void Processors_that_purge_at_once_do_not_wait_for_ever(int count, EngineKind engine)
    {
        using var m = new Processors(count, engine);
        for (int n = 0; n < count; n++)
            m.Load(n, Purges("ptc.ga", 500));
        m.RunAll();
    }
}
