using static FastXen.Mmu.Tests.TestMachine;

namespace FastXen.Mmu.Tests;

/// <summary>
/// Random inserts, purges and lookups against a list that is searched from end to end. The model never forgets what the
/// architecture lets it keep; the TLB may have dropped cache entries, so that it may miss where the model hits, but never the other way round.
/// </summary>
public sealed unsafe class TlbFuzzTests
{
    private static readonly int[] Shifts = [12, 12, 12, 13, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32];

    private readonly record struct Entry(ulong Offset, uint Rid, int Shift, ulong Pte, uint Key, int Slot)
    {
        public bool Overlaps(ulong offset, uint rid, int shift)
        {
            ulong start = Offset >> Shift << Shift, wanted = offset >> shift << shift;
            return rid == Rid && start < wanted + (1UL << shift) && wanted < start + (1UL << Shift);
        }

        public ulong Physical(ulong offset) => (Pte & 0x0003_ffff_ffff_f000) >> Shift << Shift | offset & ((1UL << Shift) - 1);
    }

    [Theory]
    [InlineData(1, 60_000)]
    [InlineData(2, 60_000)]
    [InlineData(3, 60_000)]
    public void TheTlbAgreesWithASearchedList(int seed, int operations)
    {
        using var machine = new TestMachine();
        var random = new Random(seed);
        uint[] rids = [0, 1, 0x100, 0xffffff];
        List<Entry>[] model = [[], []];
        int hits = 0, dropped = 0, checks = 0;
        for (int n = 0; n < operations; n++)
        {
            uint rid = rids[random.Next(rids.Length)];
            int region = random.Next(8);
            machine.SetRr(region, Rr(rid));
            ulong offset = Offset(random);
            ulong va = (ulong)region << 61 | offset;
            int shift = Shifts[random.Next(Shifts.Length)];
            bool fetch = random.Next(2) == 0;
            List<Entry> list = model[fetch ? 1 : 0];
            ulong pte = Pte((ulong)random.NextInt64(1L << 50) & ~0xfffUL);
            uint key = (uint)random.Next(1 << 24);
            switch (random.Next(100))
            {
                case < 30:
                    {
                        TlbResult result = fetch ? Tlb.InsertInstructionCache(machine.M, va, Itir(shift, key), pte) : Tlb.InsertDataCache(machine.M, va, Itir(shift, key), pte);
                        if (list.Any(e => e.Slot >= 0 && e.Overlaps(offset, rid, shift)))
                        {
                            Assert.Equal(TlbResult.MachineCheck, result);
                            break;
                        }
                        Assert.Equal(TlbResult.Ok, result);
                        list.RemoveAll(e => e.Overlaps(offset, rid, shift));
                        list.Add(new Entry(offset, rid, shift, pte, key, -1));
                        Assert.True(Lookup(va, fetch, must: true));
                        break;
                    }
                case < 33:
                    {
                        int slot = random.Next(66);
                        shift = Math.Min(shift, 20);
                        TlbResult result = fetch ? Tlb.InsertInstructionRegister(machine.M, (ulong)slot, va, Itir(shift, key), pte) : Tlb.InsertDataRegister(machine.M, (ulong)slot, va, Itir(shift, key), pte);
                        if (slot >= 64)
                        {
                            Assert.Equal(TlbResult.ReservedRegisterField, result);
                            break;
                        }
                        if (list.Any(e => e.Slot >= 0 && e.Slot != slot && e.Overlaps(offset, rid, shift)))
                        {
                            Assert.Equal(TlbResult.MachineCheck, result);
                            break;
                        }
                        Assert.Equal(TlbResult.Ok, result);
                        list.RemoveAll(e => e.Slot == slot || e.Overlaps(offset, rid, shift));
                        list.Add(new Entry(offset, rid, shift, pte, key, slot));
                        break;
                    }
                case < 36:
                    if (fetch)
                        Tlb.PurgeInstructionRegister(machine.M, va, Itir(shift));
                    else
                        Tlb.PurgeDataRegister(machine.M, va, Itir(shift));
                    list.RemoveAll(e => e.Overlaps(offset, rid, shift));
                    break;
                case < 46:
                    {
                        shift = random.Next(20) == 0 ? random.Next(12, 61) : shift;
                        bool check = model.Any(l => l.Any(e => e.Slot >= 0 && e.Overlaps(offset, rid, shift)));
                        Assert.Equal(check ? TlbResult.MachineCheck : TlbResult.Ok, Tlb.PurgeLocal(machine.M, va, Itir(shift)));
                        foreach (List<Entry> l in model)
                            l.RemoveAll(e => e.Slot < 0 && e.Overlaps(offset, rid, shift));
                        break;
                    }
                case < 47 when random.Next(20) == 0:
                    Tlb.PurgeAll(machine.M);
                    foreach (List<Entry> l in model)
                        l.RemoveAll(e => e.Slot < 0);
                    break;
                default:
                    Lookup(list.Count > 0 && random.Next(2) == 0 ? va & 7UL << 61 | list[random.Next(list.Count)].Offset : va, fetch, must: false);
                    break;
            }
        }
        Assert.True(checks > 10_000 && hits > 2_000, $"{checks} lookups, {hits} hits");
        // "Keeps many": the sets are large enough for this load.
        Assert.True(dropped < hits / 4, $"{dropped} dropped, {hits} hits");

        bool Lookup(ulong va, bool fetch, bool must)
        {
            ulong offset = va & (1UL << 61) - 1;
            uint rid = MmuState.RegionId(machine.M, va);
            TranslationOutcome outcome = machine.Resolve(va, fetch ? AccessKind.Fetch : AccessKind.Read, out Translation t);
            Entry[] matches = [.. model[fetch ? 1 : 0].Where(e => e.Overlaps(offset, rid, 0))];
            Assert.True(matches.Length <= 1);
            checks++;
            if (outcome == TranslationOutcome.Ok)
            {
                hits++;
                Entry entry = Assert.Single(matches);
                Assert.Equal((entry.Physical(offset), entry.Key, entry.Shift), (t.PhysicalAddress, t.Key, t.PageShift));
                return true;
            }
            Assert.Equal(TranslationOutcome.AlternateTlb, outcome);
            Assert.False(must);
            Assert.DoesNotContain(matches, e => e.Slot >= 0);
            dropped += matches.Length;
            return false;
        }
    }

    // Few places, at all distances, so that ranges of all sizes meet.
    private static ulong Offset(Random random) => random.Next(3) switch
    {
        0 => (ulong)random.Next(256) << 12,
        1 => (ulong)random.Next(64) << random.Next(12, 34),
        _ => (1UL << 61) - (ulong)random.Next(1, 1 << 20) * 16,
    };
}
