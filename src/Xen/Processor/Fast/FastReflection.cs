using FastXen.Core.Emit;
using FastXen.Core.State;
using FastXen.Core.Translate;
using static FastXen.Core.Emit.HostRegister;
using static FastXen.Xen.Processor.Fast.FastCode;

namespace FastXen.Xen.Processor.Fast;

/// <summary>A break that is the guest's own, to the break vector of its kernel: <see cref="Reflection.Interrupt"/>.</summary>
internal static unsafe class FastReflection
{
    // rdx: the break; rsi: the bundle before; rdi: the immediate; r13, rax: the processor's PSR, before and after; r11: the virtual one; r12: the bank.
    public static nint Emit(FastCode code, bool ofKernel)
    {
        Assembler asm = code.Asm;
        nint start = code.Begin();
        // Nested ones, and hypercalls.
        asm.Arithmetic(Alu.Cmp, Shared(&X->InterruptCollectionEnabled), 0, 4);
        code.Fail(Condition.E);
        if (ofKernel)
        {
            asm.Load(Rax, Vcpu(&P->HypercallImmediate), 4);
            asm.Arithmetic(Alu.Cmp, Rax, Rdi);
            code.Fail(Condition.E);
        }

        code.FailOnBankInAlat();
        asm.Arithmetic(Alu.Cmp, State(StateOffsets.Dirty), 0, 4);
        code.Fail(Condition.L);
        asm.Load(R13, State(StateOffsets.Psr), 8);
        asm.MovImmediate(Rcx, Reflection.Cleared & ~Changeable);
        asm.Test(R13, Rcx);
        code.Fail(Condition.Ne);
        asm.Test(Shared(&X->Dcr), (int)Dcr.Be, 4);
        code.Fail(Condition.Ne);
        asm.MovImmediate(Rax, ~(Reflection.Cleared & Changeable));
        asm.Arithmetic(Alu.And, Rax, R13);
        asm.BitTestSet(Rax, Psr.CplShift);
        code.FindContext();

        code.SetPsr();

        asm.Store(State(StateOffsets.CrOf(Cr.Iim)), Rdi, 8);
        asm.Store(Shared(&X->Iim), Rdi, 8);
        asm.StoreImmediate(State(StateOffsets.IcInFlight), 0, 4);
        asm.Store(State(StateOffsets.LastIp), Rsi, 8);
        asm.Store(Shared(&X->Iipa), Rsi, 8);
        asm.Load(Rcx, State(StateOffsets.ArOf(Ar.Unat)), 8);
        asm.Store(Shared(&X->Unat), Rcx, 8);
        asm.Load(Rcx, State(StateOffsets.Cfm), 8);
        asm.BitTestSet(Rcx, 63);
        asm.Store(Shared(&X->PrecoverIfs), Rcx, 8);
        asm.StoreImmediate(Shared(&X->Ifs), 0, 8);
        asm.Mov(R11, Rdx, 4);
        asm.Arithmetic(Alu.And, R11, 3, 4);
        asm.ShiftBy(Shift.Shl, R11, Psr.RiShift);
        // ISR.ei is where ri is in the PSR.
        asm.Store(Shared(&X->Isr), R11, 8);
        if (!ofKernel)
        {
            asm.MovImmediate(Rcx, Psr.Cpl);
            asm.Arithmetic(Alu.And, Rcx, R13);
            asm.Arithmetic(Alu.Or, R11, Rcx);
        }

        code.ReadVirtualPsr();
        asm.Store(Shared(&X->Ipsr), R11, 8);
        asm.Arithmetic(Alu.And, Rdx, -16);
        asm.Store(Shared(&X->Iip), Rdx, 8);
        Label same = asm.NewLabel();
        asm.Test(R12, R12, 4);
        asm.Jump(Condition.E, same);
        code.CopyBank(toShared: true);
        asm.StoreImmediate(Shared(&X->Vnat), 0, 8);
        asm.StoreImmediate(Shared(&X->BankNumber), 0, 4);
        asm.Bind(same);
        asm.StoreImmediate(Info(&I->UpcallMask), 1, 1);
        asm.StoreImmediate(Shared(&X->VpsrDfh), 0, 1);
        asm.StoreImmediate(Shared(&X->InterruptCollectionEnabled), 0, 4);
        asm.Load(Rdx, Vcpu(&P->Iva), 8);
        asm.Arithmetic(Alu.Add, Rdx, (int)Vector.BreakInstruction);
        asm.Arithmetic(Alu.And, Rdx, -16);
        code.End();
        return start;
    }
}
