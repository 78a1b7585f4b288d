using FastXen.Core.Interpret;
using FastXen.Core.State;

namespace FastXen.Core.Tests.SystemLevel;

/// <summary>Traps and what PSR.ss, tb, lp, id, da, dd and ia do (SDM vol 2, 5.5, 5.6, 7.1).</summary>
public sealed unsafe class TrapTests
{
    private const ulong Code = SystemMachine.Code, User = SystemMachine.User;
    private const string Nops = "{ .mii; nop.m 0; nop.i 0; nop.i 0 ;; } ";
    private const string Break = "{ .mii; break.m 0x99; nop.i 0; nop.i 0 ;; } ";

    public static TheoryData<Loop> Loops => [Loop.Fast, Loop.Careful];

    private static void AtTrap(SystemMachine m, Vector vector, ulong code, int slot, ulong ipsr, ulong iip, ulong iipa)
    {
        Assert.Equal(vector, m.Vector);
        Assert.Equal(code | (ulong)slot << Isr.EiShift, m.S->Cr[Cr.Isr]);
        Assert.Equal(ipsr, m.S->Cr[Cr.Ipsr]);
        Assert.Equal(iip, m.S->Cr[Cr.Iip]);
        Assert.Equal(iipa, m.S->Cr[Cr.Iipa]);
    }

    [Theory, MemberData(nameof(Loops))]
    public void Taken_branch(Loop loop)
    {
        using var m = new SystemMachine(loop, User | Psr.Tb);
        m.Load(Code, Nops + "{ .mib; nop.m 0; nop.i 0; br.cond.sptk.few 1f ;; } " + Break + "1: " + Nops).Run();
        AtTrap(m, Vector.TakenBranchTrap, TrapCode.TakenBranch, 2, User | Psr.Tb, Code + 48, Code + 16);
    }

    [Theory, MemberData(nameof(Loops))]
    public void Taken_branch_and_single_step_are_one_trap(Loop loop)
    {
        const ulong psr = User | Psr.Tb | Psr.Ss;
        using var m = new SystemMachine(loop, psr | Psr.Id | Psr.Dd);
        m.Load(Code, "{ .mib; nop.m 0; nop.i 0; br.cond.sptk.few 1f ;; } " + Break + "1: " + Nops);
        m.S->Slot = 2;
        m.Run();
        AtTrap(m, Vector.TakenBranchTrap, TrapCode.TakenBranch | TrapCode.SingleStep, 2, psr, Code + 32, Code);
    }

    [Theory, MemberData(nameof(Loops))]
    public void Single_step(Loop loop)
    {
        using var m = new SystemMachine(loop, User | Psr.Ss | Psr.Id | Psr.Da);
        m.Load(Code, Nops).Run();
        AtTrap(m, Vector.SingleStepTrap, TrapCode.SingleStep, 0, User | Psr.Ss | 1UL << Psr.RiShift, Code, Code);
    }

    [Theory, MemberData(nameof(Loops))]
    public void Single_step_of_an_instruction_that_is_predicated_off(Loop loop)
    {
        using var m = new SystemMachine(loop, User | Psr.Ss);
        m.Load(Code, "{ .mii; nop.m 0; nop.i 0; (p6) break.i 7 ;; } " + Nops);
        m.S->Slot = 2;
        m.Run();
        AtTrap(m, Vector.SingleStepTrap, TrapCode.SingleStep, 2, User | Psr.Ss, Code + 16, Code);
    }

    [Theory, MemberData(nameof(Loops))]
    public void Single_step_after_rfi_is_of_the_target(Loop loop)
    {
        using var m = new SystemMachine(loop, SystemMachine.Kernel & ~Psr.Ic);
        m.Load(Code, "{ .mib; nop.m 0; nop.i 0; rfi ;; }").Load(Code + 0x1000, "{ .mlx; nop.m 0; movl r3=0x1234567890 ;; } " + Break);
        m.S->Cr[Cr.Ipsr] = User | Psr.Ss | 1UL << Psr.RiShift;
        m.S->Cr[Cr.Iip] = Code + 0x1000;
        m.Run();
        Assert.Equal(0x1234567890UL, m.Gr(3));
        AtTrap(m, Vector.SingleStepTrap, TrapCode.SingleStep, 1, User | Psr.Ss, Code + 0x1010, Code + 0x1000);
    }

    [Theory, MemberData(nameof(Loops))]
    public void Lower_privilege_transfer_shows_the_other_traps(Loop loop)
    {
        foreach (ulong more in new ulong[] { 0, Psr.Tb, Psr.Ss, Psr.Tb | Psr.Ss })
        {
            using var m = new SystemMachine(loop, SystemMachine.Kernel | Psr.Lp | more);
            m.Load(Code, "{ .mib; nop.m 0; nop.i 0; br.ret.sptk.many b6 ;; }");
            m.S->Br[6] = Code + 0x2003;
            m.S->Ar[Ar.Pfs] = 3UL << 62;
            m.S->Slot = 2;
            m.Run();
            ulong code = TrapCode.LowerPrivilege | ((more & Psr.Tb) != 0 ? TrapCode.TakenBranch : 0) | ((more & Psr.Ss) != 0 ? TrapCode.SingleStep : 0);
            AtTrap(m, Vector.LowerPrivilegeTransferTrap, code, 2, User | Psr.Lp | more, Code + 0x2000, Code);
        }
    }

    [Theory, MemberData(nameof(Loops))]
    public void A_step_over_br_ret_comes_before_the_loads_of_its_frame(Loop loop)
    {
        using var m = new SystemMachine(loop, User | Psr.Ss);
        m.Load(Code, "{ .mib; nop.m 0; nop.i 0; br.ret.sptk.many b6 ;; }");
        m.S->Slot = 2;
        m.S->Br[6] = Code + 0x2000;
        m.S->Ar[Ar.Pfs] = 3UL << 62 | 4 | 4 << 7;
        // The frame's registers are in memory that is not mapped.
        m.S->BspStore = SystemMachine.Region1 | 0x100;
        m.Run();
        AtTrap(m, Vector.SingleStepTrap, TrapCode.SingleStep | Isr.Ir, 2, User | Psr.Ss, Code + 0x2000, Code);
        Assert.Equal(-4, m.S->Dirty);
    }

    [Theory, MemberData(nameof(Loops))]
    public void Frame_loads_of_br_ret_fault_at_its_target(Loop loop)
    {
        using var m = new SystemMachine(loop, User);
        m.Load(Code, "{ .mib; nop.m 0; nop.i 0; br.ret.sptk.many b6 ;; }");
        m.S->Br[6] = Code + 0x2000;
        m.S->Ar[Ar.Pfs] = 3UL << 62 | 4 | 4 << 7;
        m.S->BspStore = SystemMachine.Region1 | 0x100;
        m.Run();
        AtTrap(m, Vector.AlternateDataTlb, Isr.R | Isr.Rs | Isr.Ir, 0, User, Code + 0x2000, Code);
        Assert.Equal(SystemMachine.Region1 | 0xF8, m.S->Cr[Cr.Ifa]);
    }

    [Theory, MemberData(nameof(Loops))]
    public void Frame_loads_resume_after_a_handler_with_cover(Loop loop)
    {
        // The handler covers, maps nothing but moves on to a place that is mapped, and returns.
        using var m = new SystemMachine(loop, User);
        m.Load(Code, "{ .mib; nop.m 0; nop.i 0; br.ret.sptk.many b6 ;; }").Load(Code + 0x2000, "{ .mii; break.m 0x77; nop.i 0; nop.i 0 ;; }");
        m.Handler(Vector.AlternateDataTlb, "{ .mib; nop.m 0; nop.i 0; cover ;; } { .mmi; itc.d r9 ;; nop.m 0; nop.i 0 ;; } { .mib; nop.m 0; nop.i 0; rfi ;; }");
        m.SetGr(9, SystemMachine.Stack | SystemMachine.Page);
        for (ulong k = 0; k < 4; k++)
            m.Memory.Write(SystemMachine.Stack + 0xE0 + 8 * k, 100 + k);
        m.S->Br[6] = Code + 0x2000;
        // One rotation: r33 is the frame's first physical register.
        m.S->Ar[Ar.Pfs] = 3UL << 62 | 8 | 4 << 7 | 1 << 14 | 7 << 18;
        m.S->BspStore = SystemMachine.Region1 | 0x100;
        m.Run();
        Assert.Equal(Vector.BreakInstruction, m.Vector);
        Assert.Equal(0, m.S->Dirty);
        Assert.Equal(0x77UL, m.S->Cr[Cr.Iim]);
        Assert.Equal((100UL, 101UL, 102UL, 103UL), (m.Gr(33), m.Gr(34), m.Gr(35), m.Gr(36)));
    }

    [Theory, MemberData(nameof(Loops))]
    public void A_bad_previous_frame_gives_an_empty_one(Loop loop)
    {
        using var m = new SystemMachine(loop, User);
        m.Load(Code, "{ .mib; nop.m 0; nop.i 0; br.ret.sptk.many b6 ;; }").Load(Code + 0x2000, Break);
        m.S->Br[6] = Code + 0x2000;
        m.S->Ar[Ar.Pfs] = 3UL << 62 | 4 | 90 << 7;
        m.S->BspStore = SystemMachine.Region1 | 0x100;
        m.Run();
        Assert.Equal((Vector.BreakInstruction, 0UL, 0), (m.Vector, m.S->Cfm, m.S->Dirty));
    }

    [Theory, MemberData(nameof(Loops))]
    public void Returns_that_pile_up_on_an_incomplete_frame_stay_in_the_register_file(Loop loop)
    {
        using var m = new SystemMachine(loop, User);
        m.Load(Code, "{ .mib; nop.m 0; nop.i 0; br.ret.sptk.many b6 ;; }");
        m.Handler(Vector.AlternateDataTlb, "{ .mmi; mov cr.ifs=r9 ;; add r10=-1,r10; nop.i 0 ;; } { .mii; cmp.eq p6,p7=0,r10; nop.i 0; nop.i 0 ;; } " +
            "{ .mib; (p6) break.m 0x1f0000; nop.i 0; rfi ;; }");
        m.SetGr(9, 1UL << 63 | 96 | 96 << 7);
        m.SetGr(10, 50);
        m.S->Ar[Ar.Pfs] = 3UL << 62 | 96 | 96 << 7;
        m.S->BspStore = SystemMachine.Region1 | 0x10_0000;
        m.Run();
        Assert.Equal((0UL, -Rse.PhysicalRegisters), (m.Gr(10), m.S->Dirty));
    }

    [Theory, MemberData(nameof(Loops))]
    public void A_branch_to_an_unimplemented_physical_address_traps(Loop loop)
    {
        using var m = new SystemMachine(loop, SystemMachine.Kernel & ~Psr.It);
        m.Load(Code, "{ .mib; nop.m 0; nop.i 0; br.cond.sptk.many b6 ;; }");
        m.S->Br[6] = 1UL << 55;
        m.Run();
        Assert.Equal((Vector.LowerPrivilegeTransferTrap, TrapCode.UnimplementedAddress), (m.Vector, m.S->Cr[Cr.Isr] & 0xFFFF));
        Assert.Equal((1UL << 55, Code), (m.S->Cr[Cr.Iip], m.S->Cr[Cr.Iipa]));
    }

    [Theory, MemberData(nameof(Loops))]
    public void Instruction_breakpoint_and_its_disable(Loop loop)
    {
        foreach (bool disabled in new[] { false, true })
        {
            ulong psr = SystemMachine.Kernel | Psr.Db | (disabled ? Psr.Id : 0);
            using var m = new SystemMachine(loop, psr);
            m.Load(Code, "{ .mii; nop.m 0; nop.i 0; nop.i 0 ;; } " + Break);
            m.S->Mmu->Ibr[0] = Code;
            m.S->Mmu->Ibr[1] = 1UL << 63 | 1UL << 56 | 0x00ff_ffff_ffff_ffff;
            m.Run();
            ulong slot = disabled ? 1UL : 0;
            AtTrap(m, Vector.Debug, Isr.X, (int)slot, SystemMachine.Kernel | Psr.Db | slot << Psr.RiShift, Code, disabled ? Code : SystemMachine.NothingExecuted);
            Assert.Equal(Code, m.S->Cr[Cr.Ifa]);
        }
    }

    [Theory, MemberData(nameof(Loops))]
    public void Access_and_dirty_disable_hold_for_one_instruction(Loop loop)
    {
        const ulong a = SystemMachine.Region1 | 0x8000;
        using var m = new SystemMachine(loop, SystemMachine.Kernel | Psr.Da);
        m.Load(Code, "{ .mmi; st8 [r4]=r5; st8 [r4]=r5; nop.i 0 ;; }");
        m.SetGr(4, a);
        m.MapData(a, SystemMachine.Data | (SystemMachine.Page & ~(3UL << 5)));
        m.Run();
        AtTrap(m, Vector.DirtyBit, Isr.W, 1, SystemMachine.Kernel | 1UL << Psr.RiShift, Code, Code);
    }

    [Theory, MemberData(nameof(Loops))]
    public void Instruction_access_disable_holds_for_one_instruction(Loop loop)
    {
        const ulong a = SystemMachine.Region1 | 0x8000;
        using var m = new SystemMachine(loop);
        m.Load(Code, Nops + Nops).MapCode(a, Code | (SystemMachine.Page & ~(1UL << 5)));
        m.Start(a, SystemMachine.Kernel | Psr.Ia);
        m.Run();
        AtTrap(m, Vector.InstructionAccessBit, Isr.X, 1, SystemMachine.Kernel | 1UL << Psr.RiShift, a, a);
    }

    public static TheoryData<ulong, int, bool, Vector, ulong, Loop> Fetches
    {
        get
        {
            var data = new TheoryData<ulong, int, bool, Vector, ulong, Loop>();
            const ulong page = SystemMachine.Page;
            foreach (Loop loop in new[] { Loop.Fast, Loop.Careful })
            {
                data.Add(0, 1, false, Vector.AlternateInstructionTlb, 0, loop);
                data.Add(0, 2, false, Vector.VhptTranslation, 0, loop);
                data.Add(page & ~1UL, 1, true, Vector.PageNotPresent, 0, loop);
                data.Add(page | 7 << 2, 1, true, Vector.NatConsumption, 0x20, loop);
                data.Add(page & ~(3UL << 7), 1, true, Vector.InstructionAccessRights, 0, loop);
                data.Add(page & ~(6UL << 9) & ~(1UL << 9), 1, true, Vector.InstructionAccessRights, 0, loop);
                data.Add(page & ~(1UL << 5), 1, true, Vector.InstructionAccessBit, 0, loop);
            }

            return data;
        }
    }

    [Theory, MemberData(nameof(Fetches))]
    public void Fetch_faults_at_the_target_of_a_branch(ulong pte, int region, bool mapped, Vector vector, ulong code, Loop loop)
    {
        ulong a = (ulong)region << 61 | 0x8000;
        using var m = new SystemMachine(loop, User);
        m.Load(Code, "{ .mib; nop.m 0; nop.i 0; br.cond.sptk.many b6 ;; }");
        if (mapped)
            m.MapCode(a, Code | pte);
        m.S->Br[6] = a;
        m.Run();
        AtTrap(m, vector, Isr.X | code, 0, User, a, Code);
        Assert.Equal(a, m.S->Cr[Cr.Ifa]);
    }

    [Theory, MemberData(nameof(Loops))]
    public void Code_runs_into_the_next_page_and_faults_there(Loop loop)
    {
        const ulong a = SystemMachine.Region1 | 0x8000;
        using var m = new SystemMachine(loop, User);
        m.MapCode(a, Code | SystemMachine.Page).Load(Code + 0x3FF0, Nops);
        m.Start(a + 0x3FF0, User);
        m.Run();
        AtTrap(m, Vector.AlternateInstructionTlb, Isr.X, 0, User, a + 0x4000, a + 0x3FF0);
    }
}
