using static FastXen.Mmu.Tests.TestMachine;

namespace FastXen.Mmu.Tests;

public sealed unsafe class TranslationTests
{
    private const ulong Va = 5UL << 61 | 0x1230_0000;
    private const uint Rid = 0x123456, Key = 0x77;

    // Everything that can be wrong with a page at once; each is repaired in the order of priority.
    private static readonly TranslationOutcome[] Order =
    [
        TranslationOutcome.AlternateTlb, TranslationOutcome.PageNotPresent, TranslationOutcome.NatPageConsumption, TranslationOutcome.KeyMiss,
        TranslationOutcome.KeyPermission, TranslationOutcome.AccessRights, TranslationOutcome.DirtyBit, TranslationOutcome.AccessBit,
        TranslationOutcome.Debug, TranslationOutcome.Ok,
    ];

    /// <summary>Makes a page on which exactly the faults of <paramref name="wrong"/> would occur.</summary>
    private static void Arrange(TestMachine machine, HashSet<TranslationOutcome> wrong)
    {
        machine.SetRr(5, Rr(Rid));
        MmuState* m = machine.M;
        if (!wrong.Contains(TranslationOutcome.AlternateTlb))
        {
            ulong pte = Pte(
                0x8000, rights: wrong.Contains(TranslationOutcome.AccessRights) ? 0 : 3, privilege: wrong.Contains(TranslationOutcome.AccessRights) ? 0 : 3,
                attribute: wrong.Contains(TranslationOutcome.NatPageConsumption) ? 7 : 0,
                present: !wrong.Contains(TranslationOutcome.PageNotPresent),
                accessed: !wrong.Contains(TranslationOutcome.AccessBit), dirty: !wrong.Contains(TranslationOutcome.DirtyBit), ed: true);
            machine.InsertData(Va, pte, key: Key);
            machine.InsertCode(Va, pte, key: Key);
        }
        if (!wrong.Contains(TranslationOutcome.KeyMiss))
            MmuRegisters.SetPkr(m, 4, (ulong)Key << 8 | 1 | (wrong.Contains(TranslationOutcome.KeyPermission) ? 0xeUL : 0));
        if (wrong.Contains(TranslationOutcome.Debug))
        {
            for (ulong i = 0; i < 2; i++)
            {
                ulong value = i == 0 ? Va : ulong.MaxValue;
                MmuRegisters.SetDbr(m, i, value);
                MmuRegisters.SetIbr(m, i, value);
            }
        }
    }

    [Theory]
    [InlineData(AccessKind.Read, false)]
    [InlineData(AccessKind.Write, true)]
    [InlineData(AccessKind.ReadWrite, true)]
    [InlineData(AccessKind.Fetch, false)]
    [InlineData(AccessKind.Read | AccessKind.Rse, false)]
    [InlineData(AccessKind.Write | AccessKind.Rse, true)]
    public void FaultsComeInTheOrderOfTheirPriority(AccessKind kind, bool writes)
    {
        for (int first = 0; first < Order.Length; first++)
        {
            if (Order[first] == TranslationOutcome.DirtyBit && !writes)
                continue;
            // Every subset of the lower ones must not matter; all and none are the telling ones.
            foreach (bool all in (bool[])[false, true])
            {
                using var machine = new TestMachine();
                Arrange(machine, all ? Order[first..].ToHashSet() : [Order[first]]);
                TranslationOutcome outcome = machine.Resolve(Va, kind, out Translation t, privilege: 3, psr: Normal | Pk | Db, size: 16);
                Assert.Equal(Order[first], outcome);
                Assert.Equal(Va, t.Ifa);
                Assert.Equal((ulong)Rid << 8 | 14 << 2, t.Itir);
                if (outcome == TranslationOutcome.Ok)
                {
                    Assert.Equal(0x8000UL, t.PhysicalAddress);
                    Assert.True(t.Pte.Ed);
                    Assert.Equal(Key, t.Key);
                }
            }
        }
    }

    [Fact]
    public void PsrSwitchesChecksOff()
    {
        Check(TranslationOutcome.KeyMiss, AccessKind.Read, Normal | Db, TranslationOutcome.Ok);
        Check(TranslationOutcome.KeyMiss, AccessKind.Fetch, Normal | Db, TranslationOutcome.Ok);
        Check(TranslationOutcome.Debug, AccessKind.Read, Normal, TranslationOutcome.Ok);
        Check(TranslationOutcome.Debug, AccessKind.Fetch, Normal, TranslationOutcome.Ok);
        Check(TranslationOutcome.Debug, AccessKind.Write, Normal | Db | Dd, TranslationOutcome.Ok);
        Check(TranslationOutcome.Debug, AccessKind.Write, Normal | Db | Id | Da, TranslationOutcome.Debug);
        Check(TranslationOutcome.Debug, AccessKind.Fetch, Normal | Db | Id, TranslationOutcome.Ok);
        Check(TranslationOutcome.Debug, AccessKind.Fetch, Normal | Db | Dd | Ia, TranslationOutcome.Debug);
        Check(TranslationOutcome.DirtyBit, AccessKind.Write, Normal | Da, TranslationOutcome.Ok);
        Check(TranslationOutcome.AccessBit, AccessKind.Write, Normal | Da, TranslationOutcome.Ok);
        Check(TranslationOutcome.AccessBit, AccessKind.Read, Normal | Dd | Ia, TranslationOutcome.AccessBit);
        Check(TranslationOutcome.AccessBit, AccessKind.Fetch, Normal | Ia, TranslationOutcome.Ok);
        Check(TranslationOutcome.AccessBit, AccessKind.Fetch, Normal | Da, TranslationOutcome.AccessBit);

        static void Check(TranslationOutcome wrong, AccessKind kind, ulong psr, TranslationOutcome expected)
        {
            using var machine = new TestMachine();
            Arrange(machine, new HashSet<TranslationOutcome> { wrong });
            Assert.Equal(expected, machine.Resolve(Va, kind, 3, psr));
        }
    }

    [Theory]
    [InlineData(AccessKind.Read, TranslationOutcome.DataNestedTlb)]
    [InlineData(AccessKind.Write | AccessKind.Rse, TranslationOutcome.DataNestedTlb)]
    [InlineData(AccessKind.FlushCache, TranslationOutcome.DataNestedTlb)]
    [InlineData(AccessKind.Fetch, TranslationOutcome.AlternateTlb)]
    public void DataMissesNestWhileCollectionIsOff(AccessKind kind, TranslationOutcome expected)
    {
        using var machine = new TestMachine();
        Assert.Equal(expected, machine.Resolve(Va, kind, psr: Normal & ~Ic));
        machine.InsertData(Va, Pte(0, present: false));
        machine.InsertCode(Va, Pte(0, present: false));
        Assert.Equal(TranslationOutcome.PageNotPresent, machine.Resolve(Va, kind, psr: Normal & ~Ic));
    }

    [Fact]
    public void FlushCacheChecksRightsButNotKeysBitsAndBreakpoints()
    {
        foreach (TranslationOutcome wrong in Order)
        {
            using var machine = new TestMachine();
            Arrange(machine, new HashSet<TranslationOutcome> { wrong });
            TranslationOutcome expected = wrong is TranslationOutcome.KeyMiss or TranslationOutcome.KeyPermission or TranslationOutcome.DirtyBit
                or TranslationOutcome.AccessBit or TranslationOutcome.Debug ? TranslationOutcome.Ok : wrong;
            Assert.Equal(expected, machine.Resolve(Va, AccessKind.FlushCache, 3, Normal | Pk | Db));
        }
    }

    [Fact]
    public void ProbeAnswersRightsAndFaultsOnTheRest()
    {
        foreach (TranslationOutcome wrong in Order)
        {
            using var machine = new TestMachine();
            Arrange(machine, new HashSet<TranslationOutcome> { wrong });
            bool faults = wrong is TranslationOutcome.AlternateTlb or TranslationOutcome.PageNotPresent or TranslationOutcome.NatPageConsumption or TranslationOutcome.KeyMiss;
            TranslationOutcome outcome = AddressTranslation.Probe(machine.M, machine.Memory, Va, AccessKind.Write, 3, Normal | Pk | Db, 0, out bool granted, out _);
            Assert.Equal(faults ? wrong : TranslationOutcome.Ok, outcome);
            Assert.Equal(!faults && wrong is not (TranslationOutcome.KeyPermission or TranslationOutcome.AccessRights), granted);
            // PSR.dt is 0: the TLB is still searched.
            Assert.Equal(outcome, AddressTranslation.Probe(machine.M, machine.Memory, Va, AccessKind.Write, 3, Ic | Pk, 0, out bool again, out _));
            Assert.Equal(granted, again);
        }
    }

    [Fact]
    public void TpaAndTakLookAtTheTranslationOnly()
    {
        foreach (TranslationOutcome wrong in Order)
        {
            using var machine = new TestMachine();
            Arrange(machine, new HashSet<TranslationOutcome> { wrong });
            bool faults = wrong is TranslationOutcome.AlternateTlb or TranslationOutcome.PageNotPresent or TranslationOutcome.NatPageConsumption;
            foreach (ulong psr in (ulong[])[Normal | Pk | Db, Ic])
            {
                Assert.Equal(faults ? wrong : TranslationOutcome.Ok, AddressTranslation.Tpa(machine.M, machine.Memory, Va + 5, psr, 0, out Translation t));
                if (!faults)
                    Assert.Equal(0x8005UL, t.PhysicalAddress);
                bool found = wrong is not (TranslationOutcome.AlternateTlb or TranslationOutcome.PageNotPresent);
                Assert.Equal(found ? Key << 8 : 1UL, AddressTranslation.Tak(machine.M, machine.Memory, Va, psr, 0));
            }
        }
    }

    [Theory]
    [InlineData(AccessKind.Read, Normal & ~Dt)]
    [InlineData(AccessKind.Fetch, Normal & ~It)]
    [InlineData(AccessKind.Write | AccessKind.Rse, Normal & ~Rt)]
    public void PhysicalModeTakesTheAttributeFromBit63(AccessKind kind, ulong psr)
    {
        using var machine = new TestMachine();
        Assert.Equal(TranslationOutcome.Ok, machine.Resolve((1UL << 50) - 16, kind, out Translation t, 3, psr));
        Assert.Equal(((1UL << 50) - 16, MemoryAttribute.WB), (t.PhysicalAddress, t.Attribute));
        Assert.Equal(TranslationOutcome.Ok, machine.Resolve(1UL << 63 | 0x1000, kind, out t, 3, psr));
        Assert.Equal((0x1000UL, MemoryAttribute.UC), (t.PhysicalAddress, t.Attribute));
        Assert.Equal(TranslationOutcome.UnimplementedAddress, machine.Resolve(1UL << 50, kind, 3, psr));
        Assert.Equal(TranslationOutcome.UnimplementedAddress, machine.Resolve(1UL << 62, kind, 3, psr));
    }

    [Fact]
    public void BreakpointsWorkInPhysicalMode()
    {
        using var machine = new TestMachine();
        MmuRegisters.SetDbr(machine.M, 0, 0x1000);
        MmuRegisters.SetDbr(machine.M, 1, ulong.MaxValue);
        Assert.Equal(TranslationOutcome.Debug, machine.Resolve(0x1000, AccessKind.Read, psr: Ic | Db));
        Assert.Equal(TranslationOutcome.Ok, machine.Resolve(0x1008, AccessKind.Read, psr: Ic | Db));
    }

    // DCR bit of each fault that it can defer.
    private static readonly Dictionary<TranslationOutcome, ulong> DcrBit = new()
    {
        [TranslationOutcome.AlternateTlb] = 1 << 8,
        [TranslationOutcome.PageNotPresent] = 1 << 9,
        [TranslationOutcome.KeyMiss] = 1 << 10,
        [TranslationOutcome.KeyPermission] = 1 << 11,
        [TranslationOutcome.AccessRights] = 1 << 12,
        [TranslationOutcome.AccessBit] = 1 << 13,
        [TranslationOutcome.Debug] = 1 << 14,
    };

    [Fact]
    public void SpeculativeLoadsDeferWhatDcrSays()
    {
        foreach ((TranslationOutcome wrong, ulong bit) in DcrBit)
        {
            using var machine = new TestMachine();
            Arrange(machine, new HashSet<TranslationOutcome> { wrong });
            Assert.Equal(wrong, Load(Normal, bit, ed: false));
            Assert.Equal(wrong, Load(Normal, 0x7f00 & ~bit, ed: true));
            Assert.Equal(TranslationOutcome.Deferred, Load(Normal, bit, ed: true));
            Assert.Equal(TranslationOutcome.Deferred, Load(Normal & ~Ic, 0, ed: false));

            TranslationOutcome Load(ulong psr, ulong dcr, bool ed) =>
                AddressTranslation.ResolveSpeculative(machine.M, machine.Memory, Va, 8, 3, psr | Pk | Db, dcr, ed, out _);
        }
    }

    [Fact]
    public void DeferredFaultsDoNotHideThoseThatTheyDoNotPreclude()
    {
        using var machine = new TestMachine();
        Arrange(machine, new HashSet<TranslationOutcome> { TranslationOutcome.KeyMiss, TranslationOutcome.AccessRights, TranslationOutcome.Debug });
        Assert.Equal(TranslationOutcome.AccessRights, Load(1 << 10));
        Assert.Equal(TranslationOutcome.Debug, Load(1 << 10 | 1 << 12));
        Assert.Equal(TranslationOutcome.Deferred, Load(1 << 10 | 1 << 12 | 1 << 14));

        TranslationOutcome Load(ulong dcr) =>
            AddressTranslation.ResolveSpeculative(machine.M, machine.Memory, Va, 8, 3, Normal | Pk | Db, dcr, true, out _);
    }

    [Theory]
    [InlineData(0, TranslationOutcome.Ok)]
    [InlineData(4, TranslationOutcome.Deferred)]
    [InlineData(5, TranslationOutcome.Deferred)]
    [InlineData(6, TranslationOutcome.Ok)]
    [InlineData(7, TranslationOutcome.Deferred)]
    public void SpeculationIsLimitedByTheMemoryAttribute(int attribute, TranslationOutcome expected)
    {
        using var machine = new TestMachine();
        machine.InsertData(Va, Pte(0x8000, attribute: attribute));
        Assert.Equal(expected, AddressTranslation.ResolveSpeculative(machine.M, machine.Memory, Va, 8, 3, Normal, 0, false, out _));
    }

    [Fact]
    public void SpeculationInPhysicalMode()
    {
        using var machine = new TestMachine();
        Assert.Equal(TranslationOutcome.Deferred, Load(1UL << 55));
        Assert.Equal(TranslationOutcome.Deferred, Load(1UL << 63));

        TranslationOutcome Load(ulong va) => AddressTranslation.ResolveSpeculative(machine.M, machine.Memory, va, 8, 0, Ic, 0, false, out _);
    }
}
