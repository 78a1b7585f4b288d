using static FastXen.Mmu.Tests.TestMachine;

namespace FastXen.Mmu.Tests;

public sealed unsafe class TlbTests
{
    private static readonly int[] Shifts = [12, 13, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32];

    [Fact]
    public void EveryPageSizeTranslatesItsWholePageAndNothingElse()
    {
        using var machine = new TestMachine();
        for (int shift = 0; shift < 64; shift++)
        {
            Tlb.PurgeAll(machine.M);
            ulong size = 1UL << shift;
            ulong va = 3UL << 61 | 1UL << 40;
            TlbResult result = Tlb.InsertDataCache(machine.M, va + 0x123, Itir(shift), Pte(1UL << 45 | 0xabc000));
            if (!Shifts.Contains(shift))
            {
                Assert.Equal(TlbResult.ReservedRegisterField, result);
                continue;
            }
            Assert.Equal(TlbResult.Ok, result);
            ulong physical = (1UL << 45 | 0xabc000) & ~(size - 1);
            foreach (ulong offset in (ulong[])[0, 8, size / 2, size - 8])
            {
                Assert.Equal(TranslationOutcome.Ok, machine.Resolve(va + offset, AccessKind.Read, out Translation t));
                Assert.Equal(physical + offset, t.PhysicalAddress);
                Assert.Equal(shift, t.PageShift);
            }
            Assert.Equal(TranslationOutcome.AlternateTlb, machine.Resolve(va - 1, AccessKind.Read));
            Assert.Equal(TranslationOutcome.AlternateTlb, machine.Resolve(va + size, AccessKind.Read));
            Assert.Equal(TranslationOutcome.AlternateTlb, machine.Resolve(va, AccessKind.Fetch));
        }
    }

    [Fact]
    public void TheRegionIdentifierIsPartOfTheTag()
    {
        using var machine = new TestMachine();
        machine.SetRr(1, Rr(0xffffff));
        machine.SetRr(2, Rr(0x7fffff));
        machine.InsertData(1UL << 61, Pte(0x4000));
        Assert.Equal(TranslationOutcome.Ok, machine.Resolve(1UL << 61, AccessKind.Read));
        Assert.Equal(TranslationOutcome.AlternateTlb, machine.Resolve(2UL << 61, AccessKind.Read));
        machine.SetRr(2, Rr(0xffffff));
        Assert.Equal(TranslationOutcome.Ok, machine.Resolve(2UL << 61, AccessKind.Read));
        machine.SetRr(1, Rr(0x7fffff));
        Assert.Equal(TranslationOutcome.AlternateTlb, machine.Resolve(1UL << 61, AccessKind.Read));
    }

    [Fact]
    public void ManyEntriesAreKept()
    {
        using var machine = new TestMachine();
        for (ulong i = 0; i < TranslationCache.Entries; i++)
            machine.InsertData(i << 14, Pte(i << 14));
        int kept = 0;
        for (ulong i = 0; i < TranslationCache.Entries; i++)
            kept += machine.Resolve(i << 14, AccessKind.Read) == TranslationOutcome.Ok ? 1 : 0;
        Assert.Equal(TranslationCache.Entries, kept);
    }

    [Theory]
    [InlineData(1UL << 1)]
    [InlineData(1UL << 50)]
    [InlineData(1UL << 51)]
    [InlineData(1UL << 2)]
    [InlineData(2UL << 2)]
    [InlineData(3UL << 2)]
    public void ReservedFieldsOfPresentTranslationsFault(ulong bits)
    {
        using var machine = new TestMachine();
        Assert.Equal(TlbResult.ReservedRegisterField, Tlb.InsertDataCache(machine.M, 0, Itir(14), Pte(0) | bits));
        Assert.Equal(TlbResult.ReservedRegisterField, Tlb.InsertDataRegister(machine.M, 0, 0, Itir(14), Pte(0) | bits));
        Assert.Equal(TranslationOutcome.AlternateTlb, machine.Resolve(0, AccessKind.Read));
        Assert.Equal(TlbResult.Ok, Tlb.InsertDataCache(machine.M, 0, Itir(14), Pte(0, present: false) | bits));
        Assert.Equal(TranslationOutcome.PageNotPresent, machine.Resolve(0, AccessKind.Read));
    }

    [Fact]
    public void ReservedFieldsOfItirFault()
    {
        using var machine = new TestMachine();
        foreach (ulong bit in (ulong[])[1, 2, 1UL << 32, 1UL << 63])
        {
            Assert.Equal(TlbResult.ReservedRegisterField, Tlb.InsertInstructionCache(machine.M, 0, Itir(14) | bit, Pte(0)));
            Assert.Equal(bit < 4 ? TlbResult.ReservedRegisterField : TlbResult.Ok, Tlb.InsertInstructionCache(machine.M, 0, Itir(14) | bit, Pte(0, present: false)));
        }
    }

    [Fact]
    public void RegistersHaveSlots()
    {
        using var machine = new TestMachine();
        Assert.Equal(TlbResult.ReservedRegisterField, Tlb.InsertDataRegister(machine.M, 64, 0, Itir(14), Pte(0)));
        Assert.Equal(TlbResult.ReservedRegisterField, Tlb.InsertInstructionRegister(machine.M, 0xff, 0, Itir(14), Pte(0)));
        // Bits above 7 of the register number are ignored.
        Assert.Equal(TlbResult.Ok, Tlb.InsertDataRegister(machine.M, 0x13f, 1 << 20, Itir(14, 5), Pte(0x8000)));
        TlbEntry entry = TranslationRegisters.Read(&machine.M->Dtr, 63)!.Value;
        Assert.Equal((1UL << 20, 14, 5u), (entry.Offset, entry.Shift, entry.Key));
        Assert.Null(TranslationRegisters.Read(&machine.M->Dtr, 62));
        Assert.Null(TranslationRegisters.Read(&machine.M->Dtr, 64));
        Assert.Equal(TranslationOutcome.Ok, machine.Resolve((1 << 20) + 0x3fff, AccessKind.Read, out Translation t, size: 1));
        Assert.Equal(0xbfffUL, t.PhysicalAddress);
        Assert.Equal(TranslationOutcome.AlternateTlb, machine.Resolve(1 << 20, AccessKind.Fetch));
    }

    [Fact]
    public void RegistersSurvivePurgesOfTheCaches()
    {
        using var machine = new TestMachine();
        Tlb.InsertDataRegister(machine.M, 3, 0x10000, Itir(16), Pte(0x10000));
        machine.InsertData(0x40000, Pte(0x40000));
        Tlb.PurgeAll(machine.M);
        Assert.Equal(TranslationOutcome.Ok, machine.Resolve(0x10000, AccessKind.Read));
        Assert.Equal(TranslationOutcome.AlternateTlb, machine.Resolve(0x40000, AccessKind.Read));
        Tlb.PurgeRemote(machine.M, 0x10000, Itir(16), 0);
        Assert.Equal(TranslationOutcome.Ok, machine.Resolve(0x10000, AccessKind.Read));
    }

    [Fact]
    public void OverlapsWithRegistersAreMachineChecks()
    {
        using var machine = new TestMachine();
        Assert.Equal(TlbResult.Ok, Tlb.InsertDataRegister(machine.M, 1, 0x100000, Itir(16), Pte(0x10000)));
        // Equal, larger, smaller.
        foreach (int shift in (int[])[16, 24, 12])
        {
            ulong va = 0x10f000;
            Assert.Equal(TlbResult.MachineCheck, Tlb.InsertDataCache(machine.M, va, Itir(shift), Pte(0)));
            Assert.Equal(TlbResult.MachineCheck, Tlb.InsertDataRegister(machine.M, 2, va, Itir(shift), Pte(0)));
            Assert.Equal(TlbResult.MachineCheck, Tlb.PurgeLocal(machine.M, va, Itir(shift)));
            Assert.Equal(TlbResult.MachineCheck, Tlb.PurgeGlobal(machine.M, va, Itir(shift)));
            // The other TLB does not mind.
            Assert.Equal(TlbResult.Ok, Tlb.InsertInstructionCache(machine.M, va, Itir(shift), Pte(0)));
        }
        Assert.Equal(TlbResult.Ok, Tlb.InsertDataCache(machine.M, 0x110000, Itir(12), Pte(0)));
        Assert.Equal(TlbResult.Ok, Tlb.PurgeLocal(machine.M, 0x110000, Itir(16)));
        // The same slot is replaced, wherever it was.
        Assert.Equal(TlbResult.Ok, Tlb.InsertDataRegister(machine.M, 1, 0x100000, Itir(14), Pte(0x20000)));
        Assert.Equal(TranslationOutcome.Ok, machine.Resolve(0x100000, AccessKind.Read, out Translation t));
        Assert.Equal(0x20000UL, t.PhysicalAddress);
        Assert.Equal(TranslationOutcome.AlternateTlb, machine.Resolve(0x104000, AccessKind.Read));
    }

    [Fact]
    public void InsertsPurgeWhatTheyOverlapInTheCache()
    {
        using var machine = new TestMachine();
        machine.InsertData(0x100000, Pte(0), 12);
        machine.InsertData(0x10f000, Pte(0), 12);
        machine.InsertData(0x110000, Pte(0), 12);
        machine.InsertData(0x104000, Pte(0x30000), 16);
        Assert.Equal(TranslationOutcome.Ok, machine.Resolve(0x10f008, AccessKind.Read, out Translation t));
        Assert.Equal(0x3f008UL, t.PhysicalAddress);
        Assert.Equal(TranslationOutcome.Ok, machine.Resolve(0x110000, AccessKind.Read));
        machine.InsertData(0x108000, Pte(0x50000), 13);
        Assert.Equal(TranslationOutcome.AlternateTlb, machine.Resolve(0x100000, AccessKind.Read));
        Assert.Equal(TranslationOutcome.Ok, machine.Resolve(0x109000, AccessKind.Read));
        Tlb.InsertDataRegister(machine.M, 0, 0, Itir(28), Pte(0));
        Tlb.PurgeDataRegister(machine.M, 0, Itir(28));
        Assert.Equal(TranslationOutcome.AlternateTlb, machine.Resolve(0x109000, AccessKind.Read));
        Assert.Equal(TranslationOutcome.AlternateTlb, machine.Resolve(0x110000, AccessKind.Read));
    }

    [Fact]
    public void PurgeRegisterTakesAllThatOverlap()
    {
        using var machine = new TestMachine();
        Tlb.InsertInstructionRegister(machine.M, 0, 0x10000, Itir(12), Pte(0));
        Tlb.InsertInstructionRegister(machine.M, 9, 0x1f000, Itir(12), Pte(0));
        Tlb.InsertInstructionRegister(machine.M, 5, 0x20000, Itir(12), Pte(0));
        Tlb.InsertDataRegister(machine.M, 5, 0x10000, Itir(12), Pte(0));
        machine.InsertCode(0x14000, Pte(0));
        Tlb.PurgeInstructionRegister(machine.M, 0x1abcd, Itir(16));
        Assert.Equal(TranslationOutcome.AlternateTlb, machine.Resolve(0x10000, AccessKind.Fetch));
        Assert.Equal(TranslationOutcome.AlternateTlb, machine.Resolve(0x1f000, AccessKind.Fetch));
        Assert.Equal(TranslationOutcome.AlternateTlb, machine.Resolve(0x14000, AccessKind.Fetch));
        Assert.Equal(TranslationOutcome.Ok, machine.Resolve(0x20000, AccessKind.Fetch));
        Assert.Equal(TranslationOutcome.Ok, machine.Resolve(0x10000, AccessKind.Read));
    }

    [Theory]
    [InlineData(14UL << 2 | 2, false)]
    [InlineData(15UL << 2, false)]
    [InlineData(11UL << 2, false)]
    [InlineData(14UL << 2 | 1UL << 32, false)]
    [InlineData(32UL << 2 | 1 | 0xffffff00UL, true)]
    public void RegionRegisterFieldsAreChecked(ulong value, bool valid)
    {
        using var machine = new TestMachine();
        Assert.Equal(valid ? TlbResult.Ok : TlbResult.ReservedRegisterField, MmuRegisters.SetRr(machine.M, 5UL << 61, value));
        Assert.Equal(valid ? value : 12UL << 2, machine.M->Rr[5]);
    }

    [Theory]
    [InlineData(14UL << 2, false)]
    [InlineData(62UL << 2, false)]
    [InlineData(15UL << 2 | 2, false)]
    [InlineData(15UL << 2 | 1 << 9, false)]
    [InlineData(15UL << 2 | 1 << 14, false)]
    [InlineData(61UL << 2 | 0x101, true)]
    [InlineData(0xffff_ffff_ffff_8000UL | 15 << 2, true)]
    public void PtaFieldsAreChecked(ulong value, bool valid)
    {
        using var machine = new TestMachine();
        Assert.Equal(valid ? TlbResult.Ok : TlbResult.ReservedRegisterField, MmuRegisters.SetPta(machine.M, value));
    }
}
