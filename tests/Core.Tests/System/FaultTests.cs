using FastXen.Core.State;

namespace FastXen.Core.Tests.SystemLevel;

/// <summary>One fault at a time, then several in one instruction: vector, ISR, IPSR, IIP, IIPA and the registers that the vector defines (SDM vol 2, 5.5, 8.3).</summary>
public sealed unsafe class FaultTests
{
    private const ulong A = SystemMachine.Region1 | 0x4_0000, V = SystemMachine.Region2 | 0x4_0000;
    private const ulong Rr1 = 1 << 8 | 14 << 2, Rr2 = 2 << 8 | 14 << 2;
    private const ulong Physical = 0x20_0000;
    private const ulong R = Isr.R, W = Isr.W, Na = Isr.Na;

    private static readonly FaultCase[] Cases = [.. General(), .. Breaks(), .. NatConsumption(), .. References(), .. FloatingPoint(), .. Translation(), .. Priorities()];

    static FaultTests() => Assembly.Prepare(Cases.Select(c => c.Program));

    public static TheoryData<string, Loop> Names()
    {
        var data = new TheoryData<string, Loop>();
        foreach (FaultCase c in Cases)
        {
            data.Add(c.Name, Loop.Fast);
            data.Add(c.Name, Loop.Careful);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Fault_is_delivered(string name, Loop loop)
    {
        FaultCase c = Cases.Single(candidate => candidate.Name == name);
        using var m = new SystemMachine(loop, c.Psr);
        m.SetGr(4, A);
        m.SetGr(5, 0x55);
        c.Setup?.Invoke(m);
        m.Load(SystemMachine.Code, c.Program);
        m.S->Cr[Cr.Iva] = SystemMachine.Iva;
        ulong itir = m.S->Cr[Cr.Itir] = 0xEE0;
        ulong ifa = m.S->Cr[Cr.Ifa] = 0xEE1;

        m.Run();

        Assert.Equal(c.Vector, m.Vector);
        Assert.Equal(c.Isr | (ulong)c.Slot << Isr.EiShift, m.S->Cr[Cr.Isr]);
        Assert.Equal(c.Psr | (ulong)c.Slot << Psr.RiShift, m.S->Cr[Cr.Ipsr]);
        Assert.Equal(SystemMachine.Code + 16, m.S->Cr[Cr.Iip]);
        Assert.Equal(c.Slot == 0 ? SystemMachine.Code : SystemMachine.Code + 16, m.S->Cr[Cr.Iipa]);
        Assert.Equal(0UL, m.S->Cr[Cr.Ifs]);
        Assert.Equal(c.Psr & (Psr.Dt | Psr.Rt | Psr.It | Psr.Pk | Psr.Mfl | Psr.Mfh), m.S->PsrValue);
        foreach ((int register, ulong value) in c.Registers)
            Assert.Equal(value, m.S->Cr[register]);
        if (c.Vector is Vector.GeneralException && !c.Registers.Any(r => r.Register == Cr.Ifa))
            Assert.Equal((itir, ifa), (m.S->Cr[Cr.Itir], m.S->Cr[Cr.Ifa]));
    }

    [Fact]
    public void There_are_as_many_cases_as_names() => Assert.Equal(Cases.Length, Cases.DistinctBy(c => c.Name).Count());

    private static FaultCase Ge(string instruction, int slot, ulong code, ulong psr = SystemMachine.Kernel, Action<SystemMachine>? setup = null) =>
        new($"{instruction} gives 0x{code:x2}{(psr == SystemMachine.User ? " in user mode" : "")}", instruction, slot, Vector.GeneralException, code, setup) { Psr = psr };

    private static IEnumerable<FaultCase> General()
    {
        const ulong user = SystemMachine.User;
        // Illegal Operation.
        yield return Ge("B:br.ia.sptk.many b1", 2, 0x00);
        yield return Ge("I:add r40=r4,r5", 2, 0x00);
        yield return Ge("M:ld8 r40=[r4]", 0, 0x00);
        yield return Ge("M:ld8 r3=[r40],8", 1, 0x00);
        yield return Ge("M:st8 [r40]=r4,8", 0, 0x00);
        yield return Ge("M:mov r40=psr", 0, 0x00, user);
        yield return Ge("M:mov r3=cr.iip", 0, 0x00);
        yield return Ge("M:mov r3=cr.ifs", 0, 0x00, user);
        yield return Ge("M:mov cr.ipsr=r4", 0, 0x00);
        yield return Ge("M:itc.d r4", 0, 0x00, user);
        yield return Ge("M:itr.i itr[r4]=r5", 0, 0x00);
        yield return Ge("M:mov ar.bspstore=r4", 1, 0x00, setup: m => m.SetAr(Ar.Rsc, 3));
        yield return Ge("M:mov r3=ar.rnat", 1, 0x00, setup: m => m.SetAr(Ar.Rsc, 1));
        yield return Ge("M:loadrs", 0, 0x00, setup: m => { m.SetAr(Ar.Rsc, 8 << 16); m.Frame(4, 2); });
        yield return Ge("B:vmsw.0", 2, 0x00);
        yield return Ge("B:epc", 2, 0x00, user);
        // Privileged Operation.
        yield return Ge("M:ssm 0x2000", 0, 0x10, user);
        yield return Ge("M:rsm 0x2000", 1, 0x10, user);
        yield return Ge("M:mov r3=psr", 1, 0x10, user);
        yield return Ge("M:mov psr.l=r4", 0, 0x10, user);
        yield return Ge("B:rfi", 2, 0x10, user);
        yield return Ge("B:bsw.0", 2, 0x10, user);
        yield return Ge("M:ptc.l r4,r5", 0, 0x10, user);
        yield return Ge("M:ptc.e r4", 0, 0x10, user);
        yield return Ge("M:ptr.d r4,r5", 0, 0x10, user);
        yield return Ge("M:mov rr[r4]=r5", 0, 0x10, user);
        yield return Ge("M:mov r3=rr[r4]", 0, 0x10, user);
        yield return Ge("M:mov r3=cr.ivr", 0, 0x10, user);
        yield return Ge("M:mov cr.tpr=r4", 0, 0x10, user);
        yield return Ge("M:mov pkr[r4]=r5", 0, 0x10, user);
        yield return Ge("M:mov dbr[r4]=r5", 0, 0x10, user);
        yield return Ge("M:mov pmc[r4]=r5", 0, 0x10, user);
        yield return Ge("M:tpa r3=r4", 0, 0x10, user);
        yield return Ge("M:tak r3=r4", 0, 0x10, user);
        // Privileged Register.
        yield return Ge("M:mov ar.k0=r4", 0, 0x20, user);
        yield return Ge("M:mov ar.itc=r4", 0, 0x20, user);
        yield return Ge("M:mov r3=ar.itc", 0, 0x20, user | Psr.Si);
        // Reserved Register/Field.
        yield return Ge("M:mov ar.rsc=r4", 0, 0x30, user, m => m.SetGr(4, 1 << 5));
        yield return Ge("M:mov ar.fpsr=r4", 0, 0x30, setup: m => m.SetGr(4, 1 << 12));
        yield return Ge("I:mov ar.pfs=r4", 2, 0x30, setup: m => m.SetGr(4, 1UL << 40));
        yield return Ge("M:mov psr.l=r4", 0, 0x30, setup: m => m.SetGr(4, 1 << 7));
        yield return Ge("M:mov psr.um=r4", 0, 0x30, user, m => m.SetGr(4, 1 << 6));
        yield return Ge("M:ssm 0x40", 0, 0x30);
        yield return Ge("M:mov rr[r4]=r5", 0, 0x30, setup: m => m.SetGr(5, 5 << 2));
        yield return Ge("M:mov pkr[r4]=r5", 0, 0x30, setup: m => m.SetGr(4, 200));
        yield return Ge("M:mov dbr[r4]=r5", 0, 0x30, setup: m => m.SetGr(4, 200));
        yield return Ge("M:mov r3=cpuid[r4]", 0, 0x30, user, m => m.SetGr(4, 250));
        yield return Ge("M:mov cr.itv=r4", 0, 0x30, setup: m => m.SetGr(4, 0x8000));
        yield return Ge("M:alloc r3=ar.pfs,24,0,0,24", 0, 0x30, setup: m => { m.Frame(16, 8, 8); m.Rotate(); });
    }

    private static IEnumerable<FaultCase> Breaks()
    {
        static FaultCase Break(string instruction, int slot, ulong iim) =>
            new(instruction, instruction, slot, Vector.BreakInstruction, 0) { Psr = SystemMachine.User, Registers = [(Cr.Iim, iim)] };
        yield return Break("M:break.m 0x12345", 0, 0x12345);
        yield return Break("I:break.i 0x1fffff", 2, 0x1fffff);
        yield return Break("F:break.f 0x777", 1, 0x777);
        yield return Break("X:break.x 0x123456789abcdef", 1, 0x123456789abcdef);
        yield return Break("B:break.b 0x1234", 2, 0);
        // The firmware's breaks are breaks at other privilege levels.
        yield return Break("M:break.m 0x1f0000", 0, 0x1f0000);
    }

    private static IEnumerable<FaultCase> NatConsumption()
    {
        static FaultCase Nat(string instruction, int slot, ulong isr, Action<SystemMachine>? setup = null) =>
            new("NaT " + instruction, instruction, slot, Vector.NatConsumption, isr, setup ?? (m => m.SetGr(4, A, nat: true)));
        yield return Nat("M:ld8 r3=[r4]", 0, 0x10 | R);
        yield return Nat("M:ld8.a r3=[r4]", 0, 0x10 | R);
        yield return Nat("M:ld16 r3,ar.csd=[r4]", 0, 0x10 | R);
        yield return Nat("M:ldfd f6=[r4]", 0, 0x10 | R);
        yield return Nat("M:st8 [r4]=r5", 1, 0x10 | W);
        yield return Nat("M:st8 [r5]=r4", 1, 0x10 | W);
        yield return Nat("M:st8.spill [r4]=r5", 1, 0x10 | W);
        yield return Nat("M:stfd [r4]=f6", 1, 0x10 | W);
        yield return Nat("M:fetchadd8.acq r3=[r4],1", 0, 0x10 | R | W);
        yield return Nat("M:xchg8 r3=[r5],r4", 0, 0x10 | R | W);
        yield return Nat("M:cmpxchg8.acq r3=[r4],r5,ar.ccv", 0, 0x10 | R | W);
        yield return Nat("M:fc r4", 0, 0x10 | R | Na | 1);
        yield return Nat("M:lfetch.fault [r4]", 0, 0x10 | R | Na | 4);
        yield return Nat("M:probe.r r3=r4,0", 0, 0x10 | R | Na | 2);
        yield return Nat("M:probe.w r3=r4,0", 0, 0x10 | W | Na | 2);
        yield return Nat("M:probe.rw.fault r4,0", 0, 0x10 | R | W | Na | 5);
        yield return Nat("M:tpa r3=r4", 0, 0x10 | Na);
        yield return Nat("M:tak r3=r4", 0, 0x10 | Na | 3);
        yield return Nat("I:mov ar.lc=r4", 2, 0x10);
        yield return Nat("I:mov b1=r4", 2, 0x10);
        yield return Nat("I:mov pr=r4,-1", 2, 0x10);
        yield return Nat("M:mov cr.tpr=r4", 0, 0x10);
        yield return Nat("M:mov psr.l=r4", 0, 0x10);
        yield return Nat("M:mov rr[r4]=r5", 0, 0x10);
        yield return Nat("M:mov r3=cpuid[r4]", 0, 0x10);
        yield return Nat("M:ptc.l r5,r4", 0, 0x10);
        static FaultCase Page(string instruction, ulong isr) =>
            new("NaT page " + instruction, instruction, 0, Vector.NatConsumption, isr, m => m.MapData(A, Physical | SystemMachine.Page | 7 << 2))
            { Registers = [(Cr.Ifa, A), (Cr.Itir, Rr1)] };
        yield return Page("M:ld8 r3=[r4]", 0x20 | R);
        yield return Page("M:st8 [r4]=r5", 0x20 | W);
        yield return Page("M:fetchadd8.acq r3=[r4],1", 0x20 | R | W);
        yield return Page("M:probe.r r3=r4,0", 0x22 | R | Na);
        yield return Page("M:tpa r3=r4", 0x20 | Na);
    }

    private static IEnumerable<FaultCase> References()
    {
        const ulong ac = SystemMachine.Kernel | Psr.Ac;
        static FaultCase Unaligned(string instruction, ulong isr, ulong psr) =>
            new($"unaligned {instruction}{((psr & Psr.Ac) != 0 ? " ac" : "")}", instruction, 0, Vector.UnalignedReference, isr, m => m.SetGr(4, Physical + 1))
            { Psr = psr, Registers = [(Cr.Ifa, Physical + 1)] };
        yield return Unaligned("M:ld8 r3=[r4]", R, ac);
        yield return Unaligned("M:ld2 r3=[r4]", R, ac);
        yield return Unaligned("M:ld4.s r3=[r4]", R | Isr.Sp, ac);
        yield return Unaligned("M:ldfe f6=[r4]", R, ac);
        yield return Unaligned("M:ldf.fill f6=[r4]", R, SystemMachine.Kernel);
        yield return Unaligned("M:st4 [r4]=r5", W, ac);
        yield return Unaligned("M:stf.spill [r4]=f6", W, SystemMachine.Kernel);
        yield return Unaligned("M:ld16 r3,ar.csd=[r4]", R, SystemMachine.Kernel);
        yield return Unaligned("M:st16 [r4]=r5,ar.csd", W, SystemMachine.Kernel);
        yield return Unaligned("M:xchg2 r3=[r4],r5", R | W, SystemMachine.Kernel);
        yield return Unaligned("M:fetchadd4.rel r3=[r4],-1", R | W, SystemMachine.Kernel);
        yield return Unaligned("M:cmpxchg8.rel r3=[r4],r5,ar.ccv", R | W, SystemMachine.Kernel);
        static FaultCase Unsupported(string instruction, ulong isr) =>
            new("unsupported " + instruction, instruction, 0, Vector.UnsupportedDataReference, isr, m => m.MapData(A, Physical | SystemMachine.Page | 4 << 2))
            { Registers = [(Cr.Ifa, A)] };
        yield return Unsupported("M:xchg8 r3=[r4],r5", R | W);
        yield return Unsupported("M:cmpxchg4.acq r3=[r4],r5,ar.ccv", R | W);
        yield return Unsupported("M:fetchadd8.acq r3=[r4],1", R | W);
        yield return Unsupported("M:ld16 r3,ar.csd=[r4]", R);
        yield return Unsupported("M:st16 [r4]=r5,ar.csd", W);
    }

    private static IEnumerable<FaultCase> FloatingPoint()
    {
        static FaultCase Disabled(string instruction, int slot, ulong psr, ulong code) =>
            new($"disabled {instruction} {code}", instruction, slot, Vector.DisabledFpRegister, code) { Psr = SystemMachine.User | psr };
        yield return Disabled("F:fmpy.s0 f6=f7,f8", 1, Psr.Dfl, 1);
        yield return Disabled("F:fmpy.s0 f6=f7,f40", 1, Psr.Dfh, 2);
        yield return Disabled("F:fmpy.s0 f6=f7,f40", 1, Psr.Dfl | Psr.Dfh, 3);
        yield return Disabled("M:ldfd f40=[r4]", 0, Psr.Dfh, 2);
        yield return Disabled("M:stfd [r4]=f6", 0, Psr.Dfl, 1);
        yield return Disabled("M:setf.sig f40=r4", 0, Psr.Dfh, 2);
        yield return Disabled("M:getf.exp r3=f6", 0, Psr.Dfl, 1);
        yield return new("divide by zero", "F:frcpa.s0 f6,p6=f1,f0", 1, Vector.FloatingPointFault, 4, m => m.SetAr(Ar.Fpsr, 0x0009_804c_0270_0300));
        yield return new("invalid", "F:frsqrta.s0 f6,p6=f7", 1, Vector.FloatingPointFault, 1, m =>
        {
            m.SetAr(Ar.Fpsr, 0x0009_804c_0270_0300);
            m.SetFr(7, 1UL << 63, 0x2_ffff);
        });
    }

    private static Action<SystemMachine> Map(ulong pte, uint key = 0) => m => m.MapData(A, Physical | pte, key: key);

    private static FaultCase At(string name, string instruction, Vector vector, ulong isr, Action<SystemMachine>? setup, ulong psr = SystemMachine.Kernel) =>
        new(name, instruction, 0, vector, isr, setup) { Psr = psr, Registers = [(Cr.Ifa, A)] };

    private static IEnumerable<FaultCase> Translation()
    {
        const string load = "M:ld8 r3=[r4]", store = "M:st8 [r4]=r5", swap = "M:xchg8 r3=[r4],r5";
        const ulong page = SystemMachine.Page, user = SystemMachine.User, pk = SystemMachine.Kernel | Psr.Pk;
        foreach ((string text, ulong isr) in new[] { (load, R), (store, W), (swap, R | W), ("M:probe.r r3=r4,0", R | Na | 2), ("M:probe.w.fault r4,0", W | Na | 5),
            ("M:tpa r3=r4", Na), ("M:fc r4", R | Na | 1), ("M:lfetch.fault [r4]", R | Na | 4), ("M:ld8.s r3=[r4]", R | Isr.Sp), ("M:ldfp8 f6,f7=[r4]", R) })
        {
            yield return At("alternate TLB " + text, text, Vector.AlternateDataTlb, isr, null) with { Registers = [(Cr.Ifa, A), (Cr.Itir, Rr1)] };
            yield return At("not present " + text, text, Vector.PageNotPresent, isr, Map(page & ~1UL));
        }

        // The walker: table not mapped, entry not usable, page not present.
        Action<SystemMachine> wanted = m => m.SetGr(4, V);
        ulong iha = SystemMachine.Region2 | SystemMachine.Table | (V >> 14 << 3 & 0x7fff);
        yield return new("VHPT translation", load, 0, Vector.VhptTranslation, R, wanted) { Registers = [(Cr.Ifa, V), (Cr.Iha, iha), (Cr.Itir, Rr2)] };
        Action<SystemMachine> withTable = m =>
        {
            m.SetGr(4, V);
            m.MapData(SystemMachine.Region2 | SystemMachine.Table, SystemMachine.Table | SystemMachine.Page);
        };
        yield return new("VHPT entry not present", store, 0, Vector.PageNotPresent, W, withTable) { Registers = [(Cr.Ifa, V), (Cr.Itir, Rr2)] };
        yield return new("VHPT entry reserved", store, 0, Vector.DataTlb, W, withTable + (m => m.Memory.Write(iha & 0xff_ffff, 1UL << 2 | page)))
        { Registers = [(Cr.Ifa, V), (Cr.Iha, iha), (Cr.Itir, Rr2)] };

        yield return At("key miss", load, Vector.DataKeyMiss, R, OwnKey + Map(page, key: 7), pk);
        Action<SystemMachine> noRead = m => { m.SetPkr(0, 1); m.SetPkr(1, 7 << 8 | 4 | 1); };
        yield return At("key permission", load, Vector.KeyPermission, R, noRead + Map(page, key: 7), pk);
        yield return At("key permission of a semaphore", swap, Vector.KeyPermission, R | W, noRead + Map(page, key: 7), pk);
        yield return At("write access rights", store, Vector.DataAccessRights, W, Map(page & ~(7UL << 9)));
        yield return At("semaphore access rights", swap, Vector.DataAccessRights, R | W, Map(page & ~(7UL << 9)));
        yield return At("read access rights of a user", load, Vector.DataAccessRights, R, Map(page & ~(3UL << 7)), user);
        yield return At("probe.fault access rights", "M:probe.r.fault r4,3", Vector.DataAccessRights, R | Na | 5, Map(page & ~(3UL << 7)));
        yield return At("speculative access rights", "M:ld8.s r3=[r4]", Vector.DataAccessRights, R | Isr.Sp, Map(page & ~(3UL << 7)), user);
        yield return At("dirty bit", store, Vector.DirtyBit, W, Map(page & ~(1UL << 6)));
        yield return At("dirty bit of a semaphore", swap, Vector.DirtyBit, R | W, Map(page & ~(1UL << 6)));
        yield return At("access bit", load, Vector.DataAccessBit, R, Map(page & ~(1UL << 5)));
        const ulong db = SystemMachine.Kernel | Psr.Db;
        static Action<SystemMachine> Watch(ulong control) => m => m.Watch(A, control | 0x00ff_ffff_ffff_fff8);
        yield return At("data debug read", load, Vector.Debug, R, Watch(1UL << 63 | 1UL << 56) + Map(page), db);
        yield return At("data debug write", store, Vector.Debug, W, Watch(1UL << 62 | 1UL << 56) + Map(page), db);
        yield return new("unimplemented physical address", load, 0, Vector.GeneralException, 0x30 | R, m => m.SetGr(4, 1UL << 55))
        { Psr = SystemMachine.Kernel & ~Psr.Dt, Registers = [(Cr.Ifa, 1UL << 55)] };
    }

    // The key of the program itself.
    private static Action<SystemMachine> OwnKey => m => m.SetPkr(0, 1);

    private static Action<SystemMachine> AtOffset(ulong offset) => m => m.SetGr(4, A + offset);

    private static IEnumerable<FaultCase> Priorities()
    {
        const string load = "M:ld8 r3=[r4]", store = "M:st8 [r4]=r5";
        const ulong page = SystemMachine.Page, pk = SystemMachine.Kernel | Psr.Pk;
        Action<SystemMachine> nat = m => m.SetGr(4, A, nat: true);
        yield return Ge("M:ld8 r40=[r4]", 0, 0, setup: nat) with { Name = "illegal target before NaT base" };
        yield return Ge("M:mov r40=psr", 0, 0, SystemMachine.User) with { Name = "illegal target before privileged operation" };
        yield return Ge("M:mov cr.tpr=r4", 0, 0x10, SystemMachine.User, nat) with { Name = "privileged operation before NaT" };
        yield return Ge("M:mov ar.rsc=r4", 0, 0, setup: nat) with { Name = "NaT before reserved field", Vector = Vector.NatConsumption, Isr = 0x10 };
        yield return Ge("M:mov ar.k0=r4", 0, 0, SystemMachine.User, nat) with { Name = "NaT before privileged register", Vector = Vector.NatConsumption, Isr = 0x10 };
        yield return Ge("M:ldfd f6=[r40],8", 0, 0, SystemMachine.User | Psr.Dfl) with { Name = "illegal target before disabled FP" };
        yield return Ge("M:ldfd f6=[r4]", 0, 1, SystemMachine.User | Psr.Dfl, nat) with { Name = "disabled FP before NaT", Vector = Vector.DisabledFpRegister };
        yield return Ge(load, 0, 0x10 | R, setup: nat) with { Name = "NaT base before a TLB miss", Vector = Vector.NatConsumption };
        yield return At("TLB miss before unaligned", load, Vector.AlternateDataTlb, R, m => m.SetGr(4, A + 1), SystemMachine.Kernel | Psr.Ac) with { Registers = [(Cr.Ifa, A + 1)] };
        yield return At("not present before NaT page", load, Vector.PageNotPresent, R, Map((page | 7 << 2) & ~1UL));
        yield return At("NaT page before key miss", load, Vector.NatConsumption, R | 0x20, OwnKey + Map(page | 7 << 2, key: 9), pk);
        yield return At("key miss before access rights", store, Vector.DataKeyMiss, W, OwnKey + Map(page & ~(7UL << 9), key: 9), pk);
        yield return At("access rights before dirty, access and debug", store, Vector.DataAccessRights, W, All(page & ~(7UL << 9 | 3UL << 5)), SystemMachine.Kernel | Psr.Db);
        yield return At("dirty before access and debug", store, Vector.DirtyBit, W, All(page & ~(3UL << 5)), SystemMachine.Kernel | Psr.Db);
        yield return At("access before debug", load, Vector.DataAccessBit, R, All(page & ~(3UL << 5)), SystemMachine.Kernel | Psr.Db);
        yield return At("debug before unaligned", load, Vector.Debug, R, All(page) + AtOffset(1), SystemMachine.Kernel | Psr.Db | Psr.Ac) with { Registers = [(Cr.Ifa, A + 1)] };
        yield return At("unaligned before unsupported", "M:xchg8 r3=[r4],r5", Vector.UnalignedReference, R | W, Map(page | 4 << 2) + AtOffset(4)) with { Registers = [(Cr.Ifa, A + 4)] };
        yield return At("access rights before unsupported", "M:xchg8 r3=[r4],r5", Vector.DataAccessRights, R | W, Map((page | 4 << 2) & ~(7UL << 9)));

        static Action<SystemMachine> All(ulong pte) => Map(pte) + (m => m.Watch(A, 3UL << 62 | 1UL << 56 | 0x00ff_ffff_ffff_fff0));
    }
}
