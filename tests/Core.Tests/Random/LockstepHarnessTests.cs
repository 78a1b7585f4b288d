using FastXen.Core.Interpret;
using FastXen.Core.State;
using Xunit.Abstractions;

namespace FastXen.Core.Tests.RandomPrograms;

/// <summary>The harness finds engines that are wrong on purpose.</summary>
public sealed unsafe class LockstepHarnessTests(ITestOutputHelper log)
{
    [Fact]
    public void A_wrong_instruction_is_found_and_isolated()
    {
        var harness = new LockstepHarness(EngineKind.Interpreter, EngineKind.Interpreter, BrokenEngine.BreakDecoded);
        ProgramDifference? found = null;
        for (int seed = 100; found is null; seed++)
            found = harness.Run(ProgramGenerator.Make(seed));
        log.WriteLine(found.Report());

        ProgramDifference small = harness.Shrink(found);

        log.WriteLine(small.Report());
        Assert.Contains(small.Run, address => small.Program.Disassemble(address).Contains("xor", StringComparison.Ordinal));
        Assert.NotEmpty(small.Differences);
        Assert.True(small.Program.Instructions * 20 < found.Program.Instructions, $"{small.Program.Instructions} of {found.Program.Instructions} instructions are left");
    }

    [Fact]
    public void A_lost_store_is_found()
    {
        var harness = new LockstepHarness(EngineKind.Interpreter, EngineKind.Interpreter, subject => subject.Memory.Write(Layout.Data + 0x3_1238, 0x5555_AAAAUL));
        ProgramDifference found = harness.Run(ProgramGenerator.Make(7))!;
        Assert.Contains(found.Differences, difference => difference.Name == "the memory at 0x71238");
    }

    [Fact]
    public void A_wrong_register_of_each_kind_is_named()
    {
        Check("p17", s => s->Pr ^= 1UL << 17);
        Check("r14", s => s->Gr[14]++);
        Check("the NaT bit of r14", s => (s->NatPresent, s->GrNat[14]) = (1, (byte)(s->GrNat[14] ^ 1)));
        Check("f40", s => s->RotatingFr[40].Significand ^= 1);
        Check("f7", s => s->FrStatic[15] ^= 0x2_0000);
        Check("the dirty register 1 below r32", s => s->FrameBase[31]--);
        Check("r20 of the other bank", s => s->OtherBank[4]++);
        Check("b5", s => s->Br[5]++);
        Check("ar65", s => s->Ar[Ar.Lc]++);
        Check("cr20", s => s->Cr[Cr.Ifa]++);
        Check("rr3", s => s->Mmu->Rr[3] ^= 0x100);
        Check("the end of ALAT entry 3", s => (s->AlatValid, s->AlatEnd[3]) = (8, 0x1008));
        Check("instructions retired", s => s->Retired++);
        Check("cr.irr3", s => s->Irr[3] |= 4);
        Check("psr", s => s->PsrValue ^= Psr.Mfl);
        Check("of the data translation cache", s => _ = Mmu.Tlb.InsertDataCache(s->Mmu, 0x70_0000_0000, 12 << 2, Layout.Page));
    }

    private delegate void Change(VcpuState* s);

    private static void Check(string name, Change change)
    {
        GuestProgram program = ProgramGenerator.Make(3);
        using var a = new ProgramMachine(program, EngineKind.Interpreter);
        using var b = new ProgramMachine(program, EngineKind.Interpreter);
        foreach (ProgramMachine machine in (ReadOnlySpan<ProgramMachine>)[a, b])
        {
            VcpuState* s = machine.Vcpu.State;
            Rse.SetFrameSize(s, 8 | 8 << 7);
            Rse.Call(s);
        }

        Assert.True(Lockstep.StateComparison.Same(a.Vcpu.State, b.Vcpu.State));
        change(b.Vcpu.State);
        Assert.False(Lockstep.StateComparison.Same(a.Vcpu.State, b.Vcpu.State), name);
        string[] names = [.. Lockstep.StateComparison.Differences(a.Vcpu.State, b.Vcpu.State).Select(difference => difference.Name)];
        Assert.Contains(names, n => n == name || (name.StartsWith("of", StringComparison.Ordinal) && n.EndsWith(name, StringComparison.Ordinal)));
    }
}
