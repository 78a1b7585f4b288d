using FastXen.Core.Emit;
using FastXen.Core.Interpret;
using FastXen.Core.State;
using FastXen.Core.Translate;
using static FastXen.Core.Emit.HostRegister;
using static FastXen.Xen.Processor.Fast.FastCode;

namespace FastXen.Xen.Processor.Fast;

/// <summary>The hyperprivop rfi to code with translation on: <see cref="InterruptionReturn"/>.</summary>
internal static unsafe class FastReturn
{
    private const int LargestUnrotated = 0x3_FFFF;

    // rax: the processor's PSR; r11: the virtual one; r14: the slot; r12: 1 where events are masked; r13: CFM; rdi: registers by which the frame moves; rsi: the bank.
    public static nint Emit(FastCode code)
    {
        Assembler asm = code.Asm;
        nint start = code.Begin();
        // It is where code that others changed is seen (SDM vol 2, 3.3.2: rfi serializes).
        asm.Arithmetic(Alu.Cmp, State(StateOffsets.Stale), 0, 8);
        code.Fail(Condition.Ne);
        code.FailOnBankInAlat();
        code.FailUnlessZero(StateOffsets.AlatRenamed);
        asm.Arithmetic(Alu.Cmp, State(StateOffsets.Dirty), Rse.PhysicalRegisters, 4);
        code.Fail(Condition.A);
        CheckPsr(code);
        CheckEvents(code);
        CheckRegions(code);
        CheckBank(code);
        CheckFrame(code);
        code.FindContext();

        code.SetPsr();
        asm.Arithmetic(Alu.And, Rdx, -16);
        asm.Store(State(StateOffsets.LastIp), Rdx, 8);
        StoreBit(asm, Psr.Ic, Shared(&X->InterruptCollectionEnabled), 4);
        asm.Store(Info(&I->UpcallMask), R12, 1);
        StoreBit(asm, Psr.Dfh, Shared(&X->VpsrDfh), 1);
        StoreBit(asm, Psr.Pp, Shared(&X->VpsrPp), 1);
        asm.StoreImmediate(Shared(&X->MetaphysicalMode), 0, 4);
        SetFrame(asm);
        Label same = asm.NewLabel();
        asm.Test(Rsi, Rsi, 4);
        asm.Jump(Condition.Ne, same);
        code.CopyBank(toShared: false);
        asm.StoreImmediate(Shared(&X->BankNumber), 1, 4);
        asm.Bind(same);
        asm.Load(Rdx, Shared(&X->Iip), 8);
        asm.Arithmetic(Alu.And, Rdx, -16);
        asm.Arithmetic(Alu.Or, Rdx, R14);
        code.End();
        return start;
    }

    // With translation, and nothing else that chooses how the processor runs.
    private static void CheckPsr(FastCode code)
    {
        Assembler asm = code.Asm;
        asm.Load(R11, Shared(&X->Ipsr), 8);
        asm.MovImmediate(Rax, VirtualPsr.Passed | Psr.Dfh);
        asm.Arithmetic(Alu.And, Rax, R11);
        asm.MovImmediate(Rcx, VirtualPsr.Real);
        asm.Arithmetic(Alu.Or, Rax, Rcx);
        // The level, at least the kernel's: 0 is below 1, and gets the carry.
        asm.Mov(Rcx, R11);
        asm.ShiftBy(Shift.Shr, Rcx, Psr.CplShift);
        asm.Arithmetic(Alu.And, Rcx, 3, 4);
        asm.Arithmetic(Alu.Cmp, Rcx, ParavirtualState.KernelLevel, 4);
        asm.Arithmetic(Alu.Adc, Rcx, 0, 4);
        asm.ShiftBy(Shift.Shl, Rcx, Psr.CplShift);
        asm.Arithmetic(Alu.Or, Rax, Rcx);
        asm.Mov(Rcx, Rax);
        asm.Arithmetic(Alu.Xor, Rcx, State(StateOffsets.Psr));
        asm.MovImmediate(Rdi, ~Changeable);
        asm.Test(Rcx, Rdi);
        code.Fail(Condition.Ne);
        asm.MovImmediate(Rcx, VirtualPsr.Translation);
        asm.Mov(Rdi, R11);
        asm.Arithmetic(Alu.And, Rdi, Rcx);
        asm.Arithmetic(Alu.Cmp, Rdi, Rcx);
        code.Fail(Condition.Ne);
        asm.Mov(R14, R11);
        asm.ShiftBy(Shift.Shr, R14, Psr.RiShift);
        asm.Arithmetic(Alu.And, R14, 3, 4);
        asm.Arithmetic(Alu.Cmp, R14, 3, 4);
        code.Fail(Condition.E);
    }

    // An event that is to be delivered is the handler's.
    private static void CheckEvents(FastCode code)
    {
        Assembler asm = code.Asm;
        asm.Mov(R12, R11, 4);
        asm.ShiftBy(Shift.Shr, R12, Bit(Psr.I), 4);
        asm.Arithmetic(Alu.And, R12, 1, 4);
        asm.Arithmetic(Alu.Xor, R12, 1, 4);
        Label quiet = asm.NewLabel();
        asm.Arithmetic(Alu.Cmp, Info(&I->UpcallPending), 0, 1);
        asm.Jump(Condition.E, quiet);
        asm.Test(R12, R12, 4);
        code.Fail(Condition.E);
        asm.Bind(quiet);
    }

    // Those that metaphysical mode replaces are the guest's own.
    private static void CheckRegions(FastCode code)
    {
        Assembler asm = code.Asm;
        asm.Load(Rcx, State(StateOffsets.Mmu), 8);
        foreach (int region in (ReadOnlySpan<int>)[0, 4])
        {
            asm.Load(Rdi, Rr(Rcx).Plus(8 * region), 8);
            asm.Arithmetic(Alu.Cmp, Rdi, Vcpu(P->RegionRegisters + region));
            code.Fail(Condition.Ne);
        }
    }

    private static void CheckBank(FastCode code)
    {
        Assembler asm = code.Asm;
        Label same = asm.NewLabel();
        asm.Load(Rsi, Shared(&X->BankNumber), 4);
        asm.Test(Rsi, Rsi, 4);
        asm.Jump(Condition.Ne, same);
        asm.Test(Shared(&X->Vnat), 0xFFFF, 4);
        code.Fail(Condition.Ne);
        asm.Bind(same);
    }

    // A frame that can be, of registers that are there, without rotation; or the one that there is.
    private static void CheckFrame(FastCode code)
    {
        Assembler asm = code.Asm;
        Label found = asm.NewLabel();
        asm.Load(Rcx, Shared(&X->Ifs), 8);
        asm.Load(R13, State(StateOffsets.Cfm), 8);
        asm.MovImmediate(Rdi, 0);
        asm.Test(Rcx, Rcx);
        asm.Jump(Condition.Ns, found);
        asm.Arithmetic(Alu.Cmp, R13, LargestUnrotated);
        code.Fail(Condition.A);
        asm.Mov(R13, Rcx);
        asm.ShiftBy(Shift.Shl, R13, 26);
        asm.ShiftBy(Shift.Shr, R13, 26);
        asm.Arithmetic(Alu.Cmp, R13, LargestUnrotated);
        code.Fail(Condition.A);
        asm.Mov(Rdi, R13, 4);
        asm.Arithmetic(Alu.And, Rdi, 0x7F, 4);
        asm.Arithmetic(Alu.Cmp, Rdi, Rse.PhysicalRegisters, 4);
        code.Fail(Condition.A);
        asm.Mov(Rcx, R13, 4);
        asm.ShiftBy(Shift.Shr, Rcx, 7, 4);
        asm.Arithmetic(Alu.And, Rcx, 0x7F, 4);
        asm.Arithmetic(Alu.Cmp, Rcx, Rdi, 4);
        code.Fail(Condition.A);
        asm.Mov(Rcx, R13, 4);
        asm.ShiftBy(Shift.Shr, Rcx, 14, 4);
        asm.ShiftBy(Shift.Shl, Rcx, 3, 4);
        asm.Arithmetic(Alu.Cmp, Rcx, Rdi, 4);
        code.Fail(Condition.A);
        asm.Arithmetic(Alu.Cmp, Rdi, State(StateOffsets.Dirty), 4);
        code.Fail(Condition.G);
        asm.Mov(Rcx, Rdi);
        asm.Negate(Rcx);
        asm.Lea(Rcx, new HostAddress(Rbx, Rcx, 8));
        asm.Arithmetic(Alu.Cmp, Rcx, State(StateOffsets.LowestFrame));
        code.Fail(Condition.B);
        asm.Bind(found);
    }

    private static void SetFrame(Assembler asm)
    {
        asm.Arithmetic(Alu.Sub, State(StateOffsets.FrameNat), Rdi, 8);
        asm.Arithmetic(Alu.Sub, State(StateOffsets.Dirty), Rdi, 4);
        asm.ShiftBy(Shift.Shl, Rdi, 3);
        asm.Arithmetic(Alu.Sub, Rbx, Rdi);
        asm.Store(State(StateOffsets.FrameBase), Rbx, 8);
        asm.Store(State(StateOffsets.Cfm), R13, 8);
        asm.Arithmetic(Alu.And, R13, 0x7F, 4);
        asm.Arithmetic(Alu.Add, R13, 31, 4);
        asm.Store(State(StateOffsets.GrLimit), R13, 4);
    }

    private static void StoreBit(Assembler asm, ulong bit, HostAddress to, int size)
    {
        asm.Mov(Rcx, R11, 4);
        asm.ShiftBy(Shift.Shr, Rcx, Bit(bit), 4);
        asm.Arithmetic(Alu.And, Rcx, 1, 4);
        asm.Store(to, Rcx, size);
    }
}
