using FastXen.Core.Emit;
using FastXen.Core.Translate;
using static FastXen.Core.Emit.HostRegister;
using static FastXen.Xen.Processor.Fast.FastCode;

namespace FastXen.Xen.Processor.Fast;

/// <summary>Hyperprivops that go on behind themselves: <see cref="Hyperprivops"/>, by their numbers. None while an event waits: it may be delivered behind them.</summary>
internal static unsafe class FastOperations
{
    private const ulong RegionOffset = (1UL << 61) - 1;

    public static IEnumerable<(int Number, nint Code)> Emit(FastCode code)
    {
        List<(int, nint)> all = [];
        foreach ((int number, Action<FastCode> emit) in (ReadOnlySpan<(int, Action<FastCode>)>)[(0x04, Cover), (0x05, FastInsertion.Emit), (0x07, EnableInterrupts), (0x09, GetTpr), (0x0d, Thash), (0x10, GetRr), (0x19, GetPsr)])
        {
            all.Add((number, code.Begin()));
            code.Asm.Arithmetic(Alu.Cmp, Info(&I->UpcallPending), 0, 1);
            code.Fail(Condition.Ne);
            emit(code);
            code.End();
        }

        return all;
    }

    internal static HostAddress Gr(int r) => State(StateOffsets.Gr + 8 * r);

    private static void EnableInterrupts(FastCode code)
    {
        code.Asm.StoreImmediate(Shared(&X->InterruptCollectionEnabled), 1, 4);
        code.Asm.StoreImmediate(Info(&I->UpcallMask), 0, 1);
    }

    private static void GetTpr(FastCode code)
    {
        code.Asm.Load(Rax, Shared(&X->Tpr), 8);
        code.Asm.Store(Gr(8), Rax, 8);
    }

    private static void GetRr(FastCode code)
    {
        Assembler asm = code.Asm;
        asm.Load(Rcx, Gr(8), 8);
        asm.ShiftBy(Shift.Shr, Rcx, 61);
        asm.Lea(Rax, Vcpu(P->RegionRegisters));
        asm.Load(Rax, new HostAddress(Rax, Rcx, 8), 8);
        asm.Store(Gr(8), Rax, 8);
    }

    private static void GetPsr(FastCode code)
    {
        const ulong Visible = 0x18_FFFF_FFFF;
        Assembler asm = code.Asm;
        asm.Load(R13, State(StateOffsets.Psr), 8);
        asm.MovImmediate(R11, 0);
        code.ReadVirtualPsr();
        asm.MovImmediate(Rax, Visible);
        asm.Arithmetic(Alu.And, Rax, R11);
        asm.Store(Gr(8), Rax, 8);
    }

    // Of the short format: base and region, and the page's number times eight in as many bits as the table has.
    private static void Thash(FastCode code)
    {
        const int LongFormat = 1 << 8, BaseLow = 0x7FFF;
        Assembler asm = code.Asm;
        asm.Load(Rdi, State(StateOffsets.Mmu), 8);
        asm.Load(Rsi, Pta(Rdi), 8);
        asm.Test(Rsi, LongFormat, 4);
        code.Fail(Condition.Ne);
        asm.Load(Rax, Gr(8), 8);
        asm.Mov(Rdx, Rax);
        asm.ShiftBy(Shift.Shr, Rdx, 61);
        asm.Lea(Rcx, Rr(Rdi));
        asm.Load(Rcx, new HostAddress(Rcx, Rdx, 8), 8);
        asm.ShiftBy(Shift.Shl, Rdx, 61);
        asm.ShiftBy(Shift.Shr, Rcx, 2, 4);
        // rax = the page's number times eight; shifts take the count modulo 64.
        asm.MovImmediate(R11, RegionOffset);
        asm.Arithmetic(Alu.And, Rax, R11);
        asm.Shrx(Rax, Rax, Rcx);
        asm.ShiftBy(Shift.Shl, Rax, 3);
        // rdi = the table's bits.
        asm.Mov(Rcx, Rsi, 4);
        asm.ShiftBy(Shift.Shr, Rcx, 2, 4);
        asm.MovImmediate(Rdi, 1);
        asm.Shlx(Rdi, Rdi, Rcx);
        asm.Arithmetic(Alu.Sub, Rdi, 1);
        asm.Arithmetic(Alu.And, Rax, Rdi);
        asm.Arithmetic(Alu.Or, Rdi, BaseLow);
        asm.Andn(Rsi, Rdi, Rsi);
        asm.Arithmetic(Alu.And, Rsi, R11);
        asm.Arithmetic(Alu.Or, Rax, Rsi);
        asm.Arithmetic(Alu.Or, Rax, Rdx);
        asm.Store(Gr(8), Rax, 8);
    }

    // The whole frame becomes dirty. XSI.ifs is set whatever psr.ic is.
    private static void Cover(FastCode code)
    {
        const int LargestUnrotated = 0x3_FFFF;
        Assembler asm = code.Asm;
        code.FailUnlessZero(StateOffsets.AlatRenamed);
        asm.Load(Rax, State(StateOffsets.Cfm), 8);
        asm.Arithmetic(Alu.Cmp, Rax, LargestUnrotated);
        code.Fail(Condition.A);
        asm.Arithmetic(Alu.Cmp, Rbx, State(StateOffsets.HighestFrame));
        code.Fail(Condition.A);
        asm.Mov(Rcx, Rax, 4);
        asm.Arithmetic(Alu.And, Rcx, 0x7F, 4);
        asm.BitTestSet(Rax, 63);
        asm.Store(Shared(&X->Ifs), Rax, 8);
        asm.Arithmetic(Alu.Add, State(StateOffsets.FrameNat), Rcx, 8);
        asm.Arithmetic(Alu.Add, State(StateOffsets.Dirty), Rcx, 4);
        asm.ShiftBy(Shift.Shl, Rcx, 3);
        asm.Arithmetic(Alu.Add, Rbx, Rcx);
        asm.Store(State(StateOffsets.FrameBase), Rbx, 8);
        asm.StoreImmediate(State(StateOffsets.Cfm), 0, 8);
        asm.StoreImmediate(State(StateOffsets.GrLimit), 31, 4);
    }
}
