using FastXen.Core.Emit;
using FastXen.Core.State;
using static FastXen.Core.Emit.HostRegister;
using static FastXen.Core.Emit.HostVector;

namespace FastXen.Core.Translate;

/// <summary>
/// A modulo-scheduled loop of one block in a second form, in which rotation costs next to nothing: the rotating general registers stand in
/// <see cref="CodeState.Window"/>, where a rotation moves their base (r12) down by one, the rotating predicates are bits of r13, where it is a shift, and
/// CFM, the floating-point registers and the budget follow when the window is left. The loop's plain form enters it behind its branch, and
/// takes over wherever the window is left: at the loop's end, after some turns, and for the handler of an instruction.
/// </summary>
internal sealed unsafe partial class Generator
{
    private const HostRegister WindowBase = R12, WindowPredicates = R13;

    // While a window is emitted.
    private bool onWindow;

    // Where the plain form of an instruction goes on behind its handler.
    private readonly Dictionary<nint, Label> plainResumes = [];

    private static HostAddress Windowed(int guest) => new(WindowBase, CodeState.WindowBias + 8 * (guest - FirstRotating));

    private void EmitWindow(in Stub stub)
    {
        ref Block block = ref plan.Blocks[stub.Target];
        IrInstruction loop = stub.Instruction;
        int sor = loop.Length, slots = block.End - block.First;
        Label head = asm.NewLabel(), rotate = asm.NewLabel(), drain = asm.NewLabel(), over = asm.NewLabel();
        EmitEnterWindow(block, sor, slots);
        asm.Bind(head);
        CountBlock(block);
        openQp = 0;
        flagsP1 = flagsP2 = 0;
        onWindow = true;
        for (int k = block.FirstIr; k < block.EndIr - 1; k++)
            EmitOne(ref plan.Ir[k]);
        CloseQp();
        if (loop.D == IrInstruction.LoopCount)
        {
            EmitTestLoopCount();
            asm.Jump(Condition.E, drain);
            EmitCountDown();
            asm.Lea(WindowPredicates, new HostAddress(WindowPredicates, WindowPredicates, 1, 1));
        }
        else
        {
            JumpIf(loop.P2, false, drain);
            asm.Arithmetic(Alu.Add, WindowPredicates, WindowPredicates);
        }

        asm.Bind(rotate);
        EmitSlide(sor);
        asm.Arithmetic(Alu.Cmp, WindowBase, State(StateOffsets.WindowLimit));
        asm.Jump(Condition.A, head);
        onWindow = false;
        // The plain form has the branch before it, and the look.
        EmitLeaveWindow(sor, slots);
        asm.Lea(R15, new HostAddress(R15, slots));
        asm.Jump(stub.Slow);

        // The epilogue: AR.EC counts.
        asm.Bind(drain);
        asm.Load(Rcx, State(StateOffsets.ArOf(Ar.Ec)), 8);
        asm.Test(Rcx, Rcx);
        asm.Jump(Condition.E, over);
        asm.Arithmetic(Alu.Add, WindowPredicates, WindowPredicates);
        asm.Arithmetic(Alu.Sub, Rcx, 1);
        asm.Store(State(StateOffsets.ArOf(Ar.Ec)), Rcx, 8);
        asm.Jump(Condition.Ne, rotate);
        EmitSlide(sor);
        EmitLeaveWindow(sor, slots);
        asm.Lea(R15, new HostAddress(R15, slots));
        asm.Jump(stub.Resume);
        asm.Bind(over);
        asm.BitTestReset(WindowPredicates, 63 - FirstRotatingPredicate);
        EmitLeaveWindow(sor, slots);
        asm.Jump(stub.Resume);
    }

    // From the plain form, behind the loop's branch, while budget is left.
    private void EmitEnterWindow(in Block block, int sor, int slots)
    {
        const int fractionBits = 20;
        // As many turns as the budget allows for certain.
        asm.MultiplyImmediate(Rax, R15, (1 << fractionBits) / slots);
        asm.ShiftBy(Shift.Shr, Rax, fractionBits);
        asm.Jump(Condition.E, block.Label);
        Label fits = asm.NewLabel(), few = asm.NewLabel();
        asm.Arithmetic(Alu.Cmp, Rax, CodeState.WindowTurns);
        asm.Jump(Condition.Be, few);
        asm.MovImmediate(Rax, CodeState.WindowTurns);
        asm.Bind(few);
        asm.Lea(WindowBase, State(StateOffsets.WindowTop));
        asm.ShiftBy(Shift.Shl, Rax, 3);
        asm.Mov(Rcx, WindowBase);
        asm.Arithmetic(Alu.Sub, Rcx, Rax);
        asm.Store(State(StateOffsets.WindowLimit), Rcx, 8);
        // Room for the floating-point registers to move down in.
        asm.Load(Rcx, State(StateOffsets.RotatingFr), 8);
        asm.Arithmetic(Alu.Sub, Rcx, (CodeState.WindowTurns - FirstRotating) * 16);
        asm.Arithmetic(Alu.Cmp, Rcx, State(StateOffsets.FrBuffer));
        asm.Jump(Condition.Ae, fits);
        asm.Call(arena.RaiseFloats);
        asm.Bind(fits);
        for (int r = FirstRotating; r < FirstRotating + sor; r += 4)
        {
            asm.VectorLoad(Xmm0, new HostAddress(Rbx, 8 * r), 32);
            asm.VectorStore(Windowed(r), Xmm0, 32);
        }

        EmitPredicateMask();
        asm.ShiftBy(Shift.Shr, Rax, FirstRotatingPredicate);
        asm.Mov(WindowPredicates, Rax);
    }

    // What r32 and so on are called moves up; the highest becomes r32.
    private void EmitSlide(int sor)
    {
        if (sor != 0)
        {
            asm.Load(Rax, Windowed(FirstRotating + sor - 1), 8);
            asm.Store(Windowed(FirstRotating - 1), Rax, 8);
        }

        asm.Arithmetic(Alu.Sub, WindowBase, 8);
    }

    private void EmitLeaveWindow(int sor, int slots)
    {
        asm.MovImmediate(Rax, (uint)sor);
        asm.MovImmediate(Rcx, (uint)slots);
        asm.Call(arena.LeaveWindow);
    }

    // ---- rotating predicates as bits ----

    private bool IsBit(int p) => onWindow && p >= FirstRotatingPredicate;

    // Sets the flags; the condition under which the predicate is 1.
    private Condition EmitTestBit(int p)
    {
        int bit = p - FirstRotatingPredicate;
        if (bit >= 31)
        {
            asm.BitTest(WindowPredicates, bit);
            return Condition.B;
        }

        asm.Test(WindowPredicates, 1 << bit, bit < 7 ? 1 : 4);
        return Condition.Ne;
    }

    // Makes a predicate what al is (0 or 1). Uses rcx; al stays.
    private void EmitWriteBit(int p)
    {
        asm.ZeroExtend(Rcx, Rax, 1);
        asm.BitTestReset(WindowPredicates, p - FirstRotatingPredicate);
        asm.ShiftBy(Shift.Shl, Rcx, p - FirstRotatingPredicate);
        asm.Arithmetic(Alu.Or, WindowPredicates, Rcx);
    }

    // A predicate becomes itself and, or or, al. Uses rcx; al stays.
    private void EmitCombineBit(Alu op, int p)
    {
        int bit = p - FirstRotatingPredicate;
        asm.ZeroExtend(Rcx, Rax, 1);
        if (op == Alu.And)
            asm.Arithmetic(Alu.Xor, Rcx, 1, 4);
        if (bit != 0)
            asm.ShiftBy(Shift.Shl, Rcx, bit);
        if (op == Alu.And)
            asm.Andn(WindowPredicates, Rcx, WindowPredicates);
        else
            asm.Arithmetic(Alu.Or, WindowPredicates, Rcx);
    }
}
