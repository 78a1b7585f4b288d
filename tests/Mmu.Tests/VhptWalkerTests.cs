using System.Buffers.Binary;
using static FastXen.Mmu.Tests.TestMachine;

namespace FastXen.Mmu.Tests;

public sealed unsafe class VhptWalkerTests
{
    // The table lies at physical 1 MiB, mapped in region 6 at 16 MiB.
    private const ulong Table = 6UL << 61 | 16 << 20, TablePhysical = 1 << 20;
    private const ulong Va = 5UL << 61 | 0x0123_4567_8000;
    private const uint Rid = 0x00abcd, TableRid = 0x000006;
    private const ulong Be = 2;

    private static TestMachine Machine(bool longFormat, int size = 20)
    {
        var machine = new TestMachine();
        machine.SetRr(5, Rr(Rid, 14, walker: true));
        machine.SetRr(6, Rr(TableRid, 20));
        Assert.Equal(TlbResult.Ok, MmuRegisters.SetPta(machine.M, Table | (ulong)size << 2 | (longFormat ? 1UL << 8 : 0) | 1));
        Assert.Equal(TlbResult.Ok, Tlb.InsertDataRegister(machine.M, 0, longFormat ? Table : ShortTable, Itir(20), Pte(TablePhysical)));
        return machine;
    }

    // The short format's table is in the region of the address itself; the page of the table that holds Va's entry.
    private static ulong ShortTable => (5UL << 61 | 16 << 20) & ~0xfffffUL;

    private static void Write(TestMachine machine, ulong entry, params ulong[] words)
    {
        ulong physical = TablePhysical + (entry & 0xfffff);
        for (int i = 0; i < words.Length; i++)
            machine.Memory.Write(physical + 8 * (ulong)i, words[i]);
    }

    [Fact]
    public void ShortFormatHashIsTheManuals()
    {
        using var machine = new TestMachine();
        machine.SetRr(5, Rr(1, 14));
        for (int size = 15; size <= 61; size++)
        {
            Assert.Equal(TlbResult.Ok, MmuRegisters.SetPta(machine.M, 0xffff_ffff_ffff_8000 | (ulong)size << 2));
            ulong mask = (1UL << size) - 1;
            ulong offset = (Va & ((1UL << 61) - 1)) >> 14 << 3;
            Assert.Equal(5UL << 61 | ((1UL << 61) - 0x8000 & ~mask) | (offset & mask), VhptWalker.Thash(machine.M, Va));
        }
        // As Linux/ia64 sets it up: the last 2^58 bytes of each region.
        MmuRegisters.SetPta(machine.M, (1UL << 61) - (1UL << 40) | 40 << 2);
        Assert.Equal((5UL << 61) + (1UL << 61) - (1UL << 40) + (0x0123_4567_8000UL >> 14 << 3), VhptWalker.Thash(machine.M, Va));
    }

    [Fact]
    public void LongFormatHashAndTagNameThePageUniquely()
    {
        using var machine = new TestMachine();
        var random = new Random(1);
        foreach (int size in (int[])[15, 16, 20, 30, 61])
        {
            MmuRegisters.SetPta(machine.M, Table | (ulong)size << 2 | 1 << 8);
            var seen = new Dictionary<(ulong, ulong), (uint, ulong)>();
            for (int i = 0; i < 20000; i++)
            {
                // Near pages, far pages, near and far regions: single-bit neighbours of a few points.
                uint rid = (uint)(1 << random.Next(24)) ^ (random.Next(4) == 0 ? 0xffffffu : 0);
                ulong page = (1UL << random.Next(49)) ^ (random.Next(4) == 0 ? (1UL << 49) - 1 : (ulong)random.Next(64));
                machine.SetRr(2, Rr(rid & 0xffffff, 12));
                ulong va = 2UL << 61 | page << 12;
                ulong hash = VhptWalker.Thash(machine.M, va), tag = VhptWalker.Ttag(machine.M, va);
                Assert.Equal(0UL, tag >> 63);
                Assert.Equal(0UL, hash & 31);
                Assert.Equal(Table & ~((1UL << size) - 1), hash & ~((1UL << size) - 1));
                if (!seen.TryAdd((hash, tag), (rid & 0xffffff, page)))
                    Assert.Equal((rid & 0xffffff, page), seen[(hash, tag)]);
            }
            Assert.True(seen.Count > 5000);
        }
    }

    [Theory]
    [InlineData(AccessKind.Read)]
    [InlineData(AccessKind.Write)]
    [InlineData(AccessKind.Fetch)]
    [InlineData(AccessKind.Read | AccessKind.Rse)]
    public void ShortFormatEntriesTakeSizeAndKeyFromTheRegion(AccessKind kind)
    {
        using TestMachine machine = Machine(longFormat: false);
        ulong entry = VhptWalker.Thash(machine.M, Va);
        Write(machine, entry, Pte(0x123_4000));
        Assert.Equal(TranslationOutcome.Ok, machine.Resolve(Va + 0x3ff0, kind, out Translation t));
        Assert.Equal((0x123_7ff0UL, 14, Rid), (t.PhysicalAddress, t.PageShift, t.Key));
        // It is in the TLB now.
        Write(machine, entry, 0);
        Assert.Equal(TranslationOutcome.Ok, machine.Resolve(Va, kind));
        Tlb.PurgeLocal(machine.M, Va, Itir(14));
        Assert.Equal(TranslationOutcome.PageNotPresent, machine.Resolve(Va, kind));
        // And a page that becomes present needs no purge.
        Write(machine, entry, Pte(0x8000));
        Assert.Equal(TranslationOutcome.Ok, machine.Resolve(Va, kind));
    }

    [Theory]
    [InlineData(0UL)]
    [InlineData(Be)]
    public void LongFormatEntriesHaveTheirOwnSizeAndKey(ulong dcr)
    {
        using TestMachine machine = Machine(longFormat: true);
        ulong entry = VhptWalker.Thash(machine.M, Va);
        ulong[] words = [Pte(0x40_0000), Itir(16, 0x55), VhptWalker.Ttag(machine.M, Va), 0];
        if (dcr == Be)
            BinaryPrimitives.ReverseEndianness(words, words);
        Write(machine, entry, words);
        Assert.Equal(TranslationOutcome.Ok, machine.Resolve(Va, AccessKind.Read, out Translation t, dcr: dcr));
        Assert.Equal((0x40_0000UL | (Va & 0xffff), 16, 0x55u), (t.PhysicalAddress, t.PageShift, t.Key));
        Tlb.PurgeAll(machine.M);
        Assert.Equal(TranslationOutcome.TlbMiss, machine.Resolve(Va, AccessKind.Read, out t, dcr: dcr ^ Be));
        Assert.Equal(entry, t.Iha);
    }

    [Fact]
    public void WhatTheWalkerMustNotUseIsATlbMiss()
    {
        using TestMachine machine = Machine(longFormat: true);
        ulong entry = VhptWalker.Thash(machine.M, Va), tag = VhptWalker.Ttag(machine.M, Va);
        ulong pte = Pte(0x8000), itir = Itir(14);
        Check(TranslationOutcome.Ok, pte, itir, tag);
        Check(TranslationOutcome.TlbMiss, pte, itir, tag ^ 1);
        Check(TranslationOutcome.TlbMiss, pte, itir, tag | 1UL << 63);
        Check(TranslationOutcome.TlbMiss, pte | 2, itir, tag);
        Check(TranslationOutcome.TlbMiss, pte | 1UL << 50, itir, tag);
        Check(TranslationOutcome.TlbMiss, pte | 1 << 2, itir, tag);
        Check(TranslationOutcome.TlbMiss, pte, Itir(15), tag);
        Check(TranslationOutcome.TlbMiss, pte, itir | 1, tag);
        Check(TranslationOutcome.TlbMiss, pte, itir | 1UL << 40, tag);
        Check(TranslationOutcome.PageNotPresent, 0, itir | 1UL << 40, tag);
        // The page would cover a translation register.
        Tlb.InsertDataRegister(machine.M, 7, Va + 0x4000, Itir(12), Pte(0));
        Check(TranslationOutcome.TlbMiss, pte, Itir(16), tag);
        Check(TranslationOutcome.Ok, pte, Itir(14), tag);

        void Check(TranslationOutcome expected, params ulong[] words)
        {
            Write(machine, entry, words);
            Tlb.PurgeAll(machine.M);
            Assert.Equal(expected, machine.Resolve(Va, AccessKind.Read, out Translation t));
            Assert.Equal((ulong)Rid << 8 | 14 << 2, t.Itir);
            Assert.Equal(entry, t.Iha);
            if (expected == TranslationOutcome.TlbMiss)
                Assert.Equal(TranslationOutcome.DataNestedTlb, machine.Resolve(Va, AccessKind.Read, psr: Normal & ~Ic));
        }
    }

    [Fact]
    public void AMissingTranslationOfTheTableIsAVhptFault()
    {
        using TestMachine machine = Machine(longFormat: true);
        Tlb.PurgeDataRegister(machine.M, Table, Itir(20));
        foreach (AccessKind kind in (AccessKind[])[AccessKind.Read, AccessKind.Fetch, AccessKind.Write | AccessKind.Rse])
        {
            Assert.Equal(TranslationOutcome.VhptTranslation, machine.Resolve(Va, kind, out Translation t));
            Assert.Equal((Va, VhptWalker.Thash(machine.M, Va), (ulong)TableRid << 8 | 20 << 2), (t.Ifa, t.Iha, t.Itir));
        }
        Assert.Equal(TranslationOutcome.DataNestedTlb, machine.Resolve(Va, AccessKind.Read, psr: Normal & ~Ic));
        // The walker is off for instructions while PSR.ic or PSR.dt is 0.
        Assert.Equal(TranslationOutcome.AlternateTlb, machine.Resolve(Va, AccessKind.Fetch, psr: Normal & ~Ic));
        Assert.Equal(TranslationOutcome.AlternateTlb, machine.Resolve(Va, AccessKind.Fetch, psr: Normal & ~Dt));
        // tpa and probe do not walk while PSR.dt is 0.
        Assert.Equal(TranslationOutcome.VhptTranslation, AddressTranslation.Tpa(machine.M, machine.Memory, Va, Normal, 0, out _));
        Assert.Equal(TranslationOutcome.AlternateTlb, AddressTranslation.Tpa(machine.M, machine.Memory, Va, Ic, 0, out _));
        Assert.Equal(1UL, AddressTranslation.Tak(machine.M, machine.Memory, Va, Normal, 0));
    }

    [Fact]
    public void ATableThatMayNotBeReadIsATlbMiss()
    {
        foreach (ulong pte in (ulong[])[Pte(TablePhysical, present: false), Pte(TablePhysical, attribute: 4), Pte(TablePhysical, attribute: 7),
            Pte(TablePhysical, accessed: false), Pte(RamSize)])
        {
            using TestMachine machine = Machine(longFormat: true);
            Tlb.InsertDataRegister(machine.M, 0, Table, Itir(20), pte);
            Assert.Equal(TranslationOutcome.TlbMiss, machine.Resolve(Va, AccessKind.Read));
        }
        using TestMachine keyed = Machine(longFormat: true);
        Write(keyed, VhptWalker.Thash(keyed.M, Va), Pte(0x8000), Itir(14), VhptWalker.Ttag(keyed.M, Va));
        MmuRegisters.SetPkr(keyed.M, 0, 1);
        Assert.Equal(TranslationOutcome.Ok, keyed.Resolve(Va, AccessKind.Read, psr: Normal | Pk));
        MmuRegisters.SetPkr(keyed.M, 0, 1 | 4);
        Tlb.PurgeAll(keyed.M);
        Assert.Equal(TranslationOutcome.TlbMiss, keyed.Resolve(Va, AccessKind.Read, psr: Normal | Pk));
        MmuRegisters.SetDbr(keyed.M, 0, VhptWalker.Thash(keyed.M, Va));
        MmuRegisters.SetDbr(keyed.M, 1, ulong.MaxValue);
        Assert.Equal(TranslationOutcome.TlbMiss, keyed.Resolve(Va, AccessKind.Read, psr: Normal | Db));
        Assert.Equal(TranslationOutcome.Ok, keyed.Resolve(Va, AccessKind.Read));
    }

    [Fact]
    public void TheWalkerIsOffWithoutPtaOrRegion()
    {
        using TestMachine machine = Machine(longFormat: true);
        machine.SetRr(5, Rr(Rid));
        Assert.Equal(TranslationOutcome.AlternateTlb, machine.Resolve(Va, AccessKind.Read));
        machine.SetRr(5, Rr(Rid, walker: true));
        Assert.Equal(TranslationOutcome.TlbMiss, machine.Resolve(Va, AccessKind.Read));
        MmuRegisters.SetPta(machine.M, machine.M->Pta & ~1UL);
        Assert.Equal(TranslationOutcome.AlternateTlb, machine.Resolve(Va, AccessKind.Read));
    }

    [Fact]
    public void SpeculativeMissesAreDeferredByDcrDm()
    {
        using TestMachine machine = Machine(longFormat: true);
        Assert.Equal(TranslationOutcome.TlbMiss, Load(Normal, 0));
        Assert.Equal(TranslationOutcome.Deferred, Load(Normal, 1 << 8));
        Assert.Equal(TranslationOutcome.Deferred, Load(Normal & ~Ic, 0));
        Tlb.PurgeDataRegister(machine.M, Table, Itir(20));
        Assert.Equal(TranslationOutcome.VhptTranslation, Load(Normal, 0));
        Assert.Equal(TranslationOutcome.Deferred, Load(Normal, 1 << 8));

        TranslationOutcome Load(ulong psr, ulong dcr) =>
            AddressTranslation.ResolveSpeculative(machine.M, machine.Memory, Va, 8, 0, psr, dcr, true, out _);
    }
}
