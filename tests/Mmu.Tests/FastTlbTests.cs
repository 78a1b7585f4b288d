using static FastXen.Mmu.Tests.TestMachine;

namespace FastXen.Mmu.Tests;

public sealed unsafe class FastTlbTests
{
    private const ulong Va = 5UL << 61 | 0x1230_0000;

    private static byte* Read(TestMachine machine, ulong va, int size = 8)
    {
        if (machine.Resolve(va, AccessKind.Read, out Translation t, size: size) == TranslationOutcome.Ok)
            FastTlb.Fill(machine.M, machine.Memory, machine.M->Data, va, t);
        return FastTlb.TryRead(machine.M, va, size);
    }

    private static TestMachine Machine(ulong pte, ulong psr = Normal)
    {
        var machine = new TestMachine();
        FastTlb.SelectMode(machine.M, psr, 0);
        machine.InsertData(Va, pte);
        return machine;
    }

    [Fact]
    public void AHitGivesTheHostAddressOfAlignedAccesses()
    {
        using TestMachine machine = Machine(Pte(0x8000));
        Assert.True(FastTlb.TryRead(machine.M, Va, 8) == null);
        Assert.True(Read(machine, Va + 0xff0) == machine.Memory.Base + 0x8ff0);
        foreach (int size in (int[])[1, 2, 4, 8, 16])
        {
            for (ulong offset = 0xfe0; offset < 0x1000; offset++)
            {
                byte* expected = offset % (ulong)size == 0 ? machine.Memory.Base + 0x8000 + offset : null;
                Assert.True(expected == FastTlb.TryRead(machine.M, Va + offset, size));
                Assert.True(expected == FastTlb.TryWrite(machine.M, Va + offset, size));
            }
        }
        Assert.True(FastTlb.TryRead(machine.M, Va + 0x1000, 8) == null);
        Assert.True(FastTlb.TryRead(machine.M, Va + (1UL << 22), 8) == null);
        Assert.True(FastTlb.TryRead(machine.M, Va ^ 1UL << 61, 8) == null);
    }

    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 1)]
    public void ATranslationThatIsReplacedIsForgottenWhereItWasUsed(bool used, uint forgotten)
    {
        using TestMachine machine = Machine(Pte(0x8000));
        if (used)
            Assert.True(Read(machine, Va) == machine.Memory.Base + 0x8000);
        uint version = machine.M->DataVersion;
        // The same once more changes nothing.
        machine.InsertData(Va, Pte(0x8000));
        Assert.Equal(version, machine.M->DataVersion);
        Assert.Equal(used, FastTlb.TryRead(machine.M, Va, 8) != null);
        machine.InsertData(Va, Pte(0xc000));
        Assert.Equal(version + forgotten, machine.M->DataVersion);
        Assert.True(FastTlb.TryRead(machine.M, Va, 8) == null);
        Assert.True(Read(machine, Va) == machine.Memory.Base + 0xc000);
        // Another size, in which it lies, and one in it.
        machine.InsertData(Va, Pte(0x10_0000), 20);
        Assert.True(Read(machine, Va + 0x4000) == machine.Memory.Base + 0x10_4000);
        machine.InsertData(Va, Pte(0x4000));
        Assert.Equal(TranslationOutcome.AlternateTlb, machine.Resolve(Va + 0x4000, AccessKind.Read));
        Assert.True(Read(machine, Va) == machine.Memory.Base + 0x4000);
    }

    [Theory]
    [InlineData(4, true, true, false, false)]
    [InlineData(6, true, true, false, false)]
    [InlineData(0, false, true, false, false)]
    [InlineData(0, true, false, true, false)]
    [InlineData(0, true, true, true, true)]
    public void OnlyWhatNeedsNoCheckIsFilled(int attribute, bool accessed, bool dirty, bool readable, bool writable)
    {
        using TestMachine machine = Machine(Pte(0x8000, attribute: attribute, accessed: accessed, dirty: dirty));
        // With the access and dirty bits not checked for one instruction, Resolve says Ok.
        Assert.Equal(TranslationOutcome.Ok, machine.Resolve(Va, AccessKind.Write, out Translation t, psr: Normal | Da));
        FastTlb.Fill(machine.M, machine.Memory, machine.M->Data, Va, t);
        Assert.Equal(readable, FastTlb.TryRead(machine.M, Va, 8) != null);
        Assert.Equal(writable, FastTlb.TryWrite(machine.M, Va, 8) != null);
    }

    [Fact]
    public void DevicesAndHolesAreNeverFilled()
    {
        using TestMachine machine = Machine(Pte(RamSize));
        Assert.True(Read(machine, Va) == null);
    }

    [Fact]
    public void APrivilegeLevelHasItsOwnTables()
    {
        using TestMachine machine = Machine(Pte(0x8000, rights: 4, privilege: 3));
        Assert.True(Read(machine, Va) != null);
        Assert.True(FastTlb.TryWrite(machine.M, Va, 8) != null);
        FastTlb.SelectMode(machine.M, Normal | 3UL << 32, 3);
        Assert.True(FastTlb.TryRead(machine.M, Va, 8) == null);
        Assert.True(machine.M->Rse == machine.M->Data);
        Assert.Equal(TranslationOutcome.Ok, machine.Resolve(Va, AccessKind.Read, out Translation t, privilege: 3));
        FastTlb.Fill(machine.M, machine.Memory, machine.M->Data, Va, t);
        Assert.True(FastTlb.TryRead(machine.M, Va, 8) != null);
        Assert.True(FastTlb.TryWrite(machine.M, Va, 8) == null);
        FastTlb.SelectMode(machine.M, Normal, 3);
        Assert.True(FastTlb.TryWrite(machine.M, Va, 8) != null);
        Assert.True(FastTlb.TryWrite(machine.M->Rse, Va, 8) == null);
        Assert.True(FastTlb.TryRead(machine.M->Rse, Va, 8) != null);
    }

    [Fact]
    public void ARegionThatComesBackIsStillFilled()
    {
        using TestMachine machine = Machine(Pte(0x8000));
        Assert.True(Read(machine, Va) != null);
        Assert.True(Read(machine, Va + 0x1000) != null);
        machine.SetRr(5, Rr(77));
        Assert.True(FastTlb.TryRead(machine.M, Va, 8) == null);
        machine.InsertData(Va, Pte(0x10000));
        Assert.True(Read(machine, Va) == machine.Memory.Base + 0x10000);
        machine.SetRr(5, Rr(0));
        Assert.True(Read(machine, Va) == machine.Memory.Base + 0x8000);
        Assert.True(FastTlb.TryRead(machine.M, Va + 0x1000, 8) == machine.Memory.Base + 0x9000);
    }

    [Fact]
    public void AFrameIsForgottenInAllTablesOfItsPlaceAndNowhereElse()
    {
        using TestMachine machine = Machine(Pte(0x8000));
        machine.SetRr(5, Rr(77));
        machine.InsertData(Va, Pte(0x10000));
        Assert.True(Read(machine, Va) != null);
        machine.SetRr(5, Rr(0));
        Assert.True(Read(machine, Va) != null);
        Assert.True(Read(machine, Va + 0x3000) != null);
        // Another group of the table, another region at the same place, another address at the same place.
        machine.InsertData(Va + 0x4000, Pte(0x18000));
        machine.InsertData(Va ^ 1UL << 61, Pte(0x20000));
        Assert.True(Read(machine, Va + 0x4000) != null);
        Assert.True(Read(machine, Va ^ 1UL << 61) != null);
        FrameCacher keeper = FrameCacher.Of(3, Va + 0x2008, AccessKind.Read);
        Assert.Equal((3u, true), (keeper.Vcpu, keeper.IsPlace));
        uint version = machine.M->DataVersion;
        FastTlb.Forget(machine.M, keeper);
        Assert.NotEqual(version, machine.M->DataVersion);
        Assert.True(FastTlb.TryRead(machine.M, Va, 8) == null);
        Assert.True(FastTlb.TryWrite(machine.M, Va, 8) == null);
        Assert.True(FastTlb.TryRead(machine.M, Va + 0x3000, 8) == null);
        Assert.True(FastTlb.TryRead(machine.M, Va + 0x4000, 8) != null);
        Assert.True(FastTlb.TryRead(machine.M, Va ^ 1UL << 61, 8) != null);
        machine.SetRr(5, Rr(77));
        Assert.True(FastTlb.TryRead(machine.M, Va, 8) == null);
        // Of a fetch nobody says where it is: everything goes.
        FrameCacher code = FrameCacher.Of(3, Va, AccessKind.Fetch);
        Assert.False(code.IsPlace);
        FastTlb.Forget(machine.M, code);
        Assert.True(FastTlb.TryRead(machine.M, Va ^ 1UL << 61, 8) == null);
    }

    [Fact]
    public void BreakpointsSwitchTheFastPathOff()
    {
        using TestMachine machine = Machine(Pte(0x8000));
        Assert.True(Read(machine, Va) != null);
        FastTlb.SelectMode(machine.M, Normal | Db, 0);
        Assert.True(Read(machine, Va) == null);
        Assert.True(CodeTlb.Find(machine.M, Va) == null);
    }

    [Fact]
    public void KeysAreCheckedWhenFilledAndForgottenWhenTheyChange()
    {
        using TestMachine machine = Machine(Pte(0x8000), Normal | Pk);
        MmuRegisters.SetPkr(machine.M, 0, 1 | 2);
        Assert.True(Read(machine, Va) != null);
        Assert.True(FastTlb.TryWrite(machine.M, Va, 8) == null);
        MmuRegisters.SetPkr(machine.M, 0, 1);
        Assert.True(FastTlb.TryRead(machine.M, Va, 8) == null);
        Assert.True(Read(machine, Va) != null);
        Assert.True(FastTlb.TryWrite(machine.M, Va, 8) != null);
        MmuRegisters.SetPkr(machine.M, 0, 1 | 4);
        Assert.True(Read(machine, Va) == null);
    }

    [Fact]
    public void PhysicalModeHasItsTable()
    {
        using TestMachine machine = Machine(Pte(0x8000), Ic);
        Fill(0x4000);
        Assert.True(FastTlb.TryWrite(machine.M, 0x4008, 8) == machine.Memory.Base + 0x4008);
        Fill(1UL << 63 | 0x4000);
        Assert.True(FastTlb.TryRead(machine.M, 1UL << 63 | 0x4000, 8) == null);
        Fill(RamSize);
        Assert.True(FastTlb.TryRead(machine.M, RamSize, 8) == null);
        Tlb.PurgeAll(machine.M);
        Assert.True(FastTlb.TryRead(machine.M, 0x4000, 8) != null);
        FastTlb.SelectMode(machine.M, Normal, 0);
        Assert.True(FastTlb.TryRead(machine.M, 0x4000, 8) == null);
        FastTlb.SelectMode(machine.M, 0, 0);
        Assert.True(FastTlb.TryRead(machine.M, 0x4000, 8) != null);
        FastTlb.Clear(machine.M);
        FastTlb.SelectMode(machine.M, 0, 0);
        Assert.True(FastTlb.TryRead(machine.M, 0x4000, 8) == null);

        void Fill(ulong address)
        {
            Assert.Equal(TranslationOutcome.Ok, machine.Resolve(address, AccessKind.Read, out Translation t, psr: Ic));
            FastTlb.Fill(machine.M, machine.Memory, machine.M->Data, address, t);
        }
    }

    [Fact]
    public void MoreAddressSpacesThanTables()
    {
        using TestMachine machine = Machine(Pte(0x8000));
        for (int round = 0; round < 3; round++)
        {
            for (uint rid = 1; rid <= 300; rid++)
            {
                machine.SetRr((int)(rid & 7), Rr(rid));
                ulong va = (ulong)(rid & 7) << 61 | 0x4000;
                if (round == 0)
                    machine.InsertData(va, Pte((ulong)rid << 14));
                Assert.True(Read(machine, va) == machine.Memory.Base + ((ulong)rid << 14));
            }
        }
    }

    [Fact]
    public void FetchRemembersTranslationAndRights()
    {
        using TestMachine machine = Machine(Pte(0x8000));
        MmuState* m = machine.M;
        machine.InsertCode(Va, Pte(0x8000, rights: 7, privilege: 0, ed: true));
        Fill(Va + 0x1230);
        CodeEntry* entry = CodeTlb.Find(m, Va + 0x1ff0);
        Assert.True(entry != null && entry->PhysicalPage == 0x9000 && entry->Pte.Ed && entry->Pte.Rights == 7);
        Assert.True(CodeTlb.Find(m, Va) == null);
        FastTlb.SelectMode(m, Normal | 1UL << 32, 0);
        Assert.True(CodeTlb.Find(m, Va + 0x1230) == null);
        FastTlb.SelectMode(m, Normal & ~It, 0);
        Assert.True(CodeTlb.Find(m, Va + 0x1230) == null);
        FastTlb.SelectMode(m, Normal, 0);
        Assert.True(CodeTlb.Find(m, Va + 0x1230) != null);
        machine.SetRr(5, Rr(9));
        Assert.True(CodeTlb.Find(m, Va + 0x1230) == null);
        machine.SetRr(5, Rr(0));
        Assert.True(CodeTlb.Find(m, Va + 0x1230) != null);
        machine.InsertData(Va, Pte(0x8000));
        Assert.True(CodeTlb.Find(m, Va + 0x1230) != null);
        machine.InsertCode(Va, Pte(0x8000, accessed: false));
        Assert.True(CodeTlb.Find(m, Va + 0x1230) == null);
        Assert.Equal(TranslationOutcome.Ok, machine.Resolve(Va, AccessKind.Fetch, out Translation t, psr: Normal | Ia));
        CodeTlb.Fill(m, machine.Memory, Va, t);
        Assert.True(CodeTlb.Find(m, Va) == null);
        FastTlb.SelectMode(m, 0, 0);
        Assert.Equal(TranslationOutcome.Ok, machine.Resolve(0x5000, AccessKind.Fetch, out t, psr: 0));
        CodeTlb.Fill(m, machine.Memory, 0x5000, t);
        Assert.True(CodeTlb.Find(m, 0x5010)->PhysicalPage == 0x5000);

        void Fill(ulong va)
        {
            Assert.Equal(TranslationOutcome.Ok, machine.Resolve(va, AccessKind.Fetch, out Translation t));
            CodeTlb.Fill(m, machine.Memory, va, t);
        }
    }

    /// <summary>Whatever happens, a hit of the fast path is what Resolve says at that moment.</summary>
    [Theory]
    [InlineData(11, 60_000)]
    [InlineData(12, 60_000)]
    public void TheFastPathNeverGivesWhatResolveWouldNot(int seed, int operations)
    {
        using var machine = new TestMachine();
        MmuState* m = machine.M;
        var random = new Random(seed);
        int[] shifts = [12, 12, 13, 14, 16, 20, 22, 24, 28];
        ulong psr = Normal;
        int privilege = 0, rsePrivilege = 0, hits = 0, misses = 0;
        FastTlb.SelectMode(m, psr, rsePrivilege);
        for (int n = 0; n < operations; n++)
        {
            ulong va = (ulong)random.Next(8) << 61 | (random.Next(2) == 0 ? (ulong)random.Next(64) << 12 : (ulong)random.Next(16) << random.Next(12, 26)) | (ulong)random.Next(512) * 8;
            int shift = shifts[random.Next(shifts.Length)];
            ulong pte = Pte((ulong)random.Next(1 << 13) << 12, random.Next(8), random.Next(4), random.Next(8) == 0 ? 4 : 0, random.Next(16) != 0, random.Next(8) != 0, random.Next(4) != 0);
            uint key = (uint)random.Next(4);
            switch (random.Next(64))
            {
                case < 6:
                    Tlb.InsertDataCache(m, va, Itir(shift, key), pte);
                    break;
                case < 10:
                    Tlb.InsertInstructionCache(m, va, Itir(shift, key), pte);
                    break;
                case 10:
                    Tlb.InsertDataRegister(m, (ulong)random.Next(8), va, Itir(shift, key), pte);
                    break;
                case 11:
                    Tlb.InsertInstructionRegister(m, (ulong)random.Next(8), va, Itir(shift, key), pte);
                    break;
                case 12:
                    Tlb.PurgeLocal(m, va, Itir(shift));
                    break;
                case 13:
                    if (random.Next(2) == 0)
                        Tlb.PurgeDataRegister(m, va, Itir(shift));
                    else
                        Tlb.PurgeInstructionRegister(m, va, Itir(shift));
                    break;
                case 14:
                    if (random.Next(16) == 0)
                        Tlb.PurgeAll(m);
                    else
                        MmuRegisters.SetPkr(m, (ulong)random.Next(3), ((ulong)random.Next(4) << 8) + (ulong)random.Next(16));
                    break;
                case 15:
                    machine.SetRr(random.Next(8), Rr((uint)random.Next(6)));
                    break;
                case 16:
                    if (random.Next(8) == 0)
                        FastTlb.Clear(m);
                    psr = (ulong)random.Next(4) << 32 | Ic | (random.Next(16) == 0 ? 0 : Dt) | (random.Next(16) == 0 ? 0 : It) | (random.Next(8) == 0 ? 0 : Rt) | (random.Next(2) == 0 ? Pk : 0) | (random.Next(8) == 0 ? Db : 0);
                    privilege = (int)(psr >> 32) & 3;
                    rsePrivilege = random.Next(4);
                    FastTlb.SelectMode(m, psr, rsePrivilege);
                    break;
                default:
                    Access(va);
                    break;
            }
        }
        Assert.True(hits > 1000 && misses > 1000, $"{hits} hits, {misses} misses");

        void Access(ulong va)
        {
            foreach (AccessKind kind in (AccessKind[])[AccessKind.Read, AccessKind.ReadWrite, AccessKind.Read | AccessKind.Rse, AccessKind.Write | AccessKind.Rse])
            {
                bool rse = (kind & AccessKind.Rse) != 0;
                FastEntry** tables = rse ? m->Rse : m->Data;
                byte* host = (kind & AccessKind.Write) != 0 ? FastTlb.TryWrite(tables, va, 8) : FastTlb.TryRead(tables, va, 8);
                TranslationOutcome outcome = machine.Resolve(va, kind, out Translation t, rse ? rsePrivilege : privilege, psr);
                if (host != null)
                {
                    hits++;
                    Assert.Equal(TranslationOutcome.Ok, outcome);
                    Assert.Equal(t.PhysicalAddress, (ulong)(host - machine.Memory.Base));
                }
                else
                {
                    misses++;
                    if (outcome == TranslationOutcome.Ok)
                        FastTlb.Fill(m, machine.Memory, tables, va, t);
                }
            }
            CodeEntry* code = CodeTlb.Find(m, va);
            TranslationOutcome fetch = machine.Resolve(va, AccessKind.Fetch, out Translation f, privilege, psr);
            if (code != null)
            {
                hits++;
                Assert.Equal(TranslationOutcome.Ok, fetch);
                Assert.Equal(f.PhysicalAddress, code->PhysicalPage | va & 0xfff);
                Assert.Equal(f.Pte, code->Pte);
            }
            else if (fetch == TranslationOutcome.Ok)
            {
                CodeTlb.Fill(m, machine.Memory, va, f);
            }
        }
    }
}
