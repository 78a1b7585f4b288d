using FastXen.Core.Emit;
using FastXen.Core.Float;
using FastXen.Core.State;
using static FastXen.Core.Emit.HostRegister;
using static FastXen.Core.Emit.HostVector;

namespace FastXen.Core.Translate;

/// <summary>
/// Modulo-scheduled loops: br.ctop, br.cexit, br.wtop, br.wexit (SDM vol 3, br) with the rotation of all three register files. What moves
/// one place up in memory is loaded and stored in pieces that are the same in each turn of the loop, so that a load finds its data in one
/// earlier store.
/// </summary>
internal sealed unsafe partial class Generator
{
    private const int FirstRotating = 32;
    private const int FirstRotatingPredicate = 16;

    // rrb.gr, rrb.fr, rrb.pr of CFM.
    private const int RrbGrShift = 18, RrbFrShift = 25, RrbPrShift = 32;

    private void EmitRotatingLoop(in IrInstruction ir, int nextEmitted)
    {
        bool counted = ir.D == IrInstruction.LoopCount, exits = ir.UsesImmediate;
        int sor = ir.Length;
        asm.Arithmetic(Alu.Cmp, State(StateOffsets.AlatRenamed), 0, 4);
        Slow(ir, Condition.Ne);
        asm.Arithmetic(Alu.Cmp, State(StateOffsets.RotatingStepsTagged), 0, 1);
        Slow(ir, Condition.Ne);
        asm.Load(Rcx, State(StateOffsets.RotatingFr), 8);
        asm.Lea(Rax, new HostAddress(Rcx, FirstRotating * sizeof(FloatRegister)));
        asm.Arithmetic(Alu.Cmp, Rax, State(StateOffsets.FrBuffer));
        Slow(ir, Condition.E);

        // rdx: the loop goes on; rax: what p63 is before it becomes p16.
        Label goesOn = asm.NewLabel(), rotate = asm.NewLabel(), decide = asm.NewLabel(), not = asm.NewLabel();
        if (counted)
            EmitTestLoopCount();
        else
            asm.Arithmetic(Alu.Cmp, Predicate(ir.P2), 0, 1);
        asm.Jump(Condition.Ne, goesOn);
        asm.Load(Rcx, State(StateOffsets.ArOf(Ar.Ec)), 8);
        asm.MovImmediate(Rdx, 0);
        asm.Test(Rcx, Rcx);
        Label ended = asm.NewLabel();
        asm.Jump(Condition.E, ended);
        asm.Arithmetic(Alu.Sub, Rcx, 1);
        asm.SetCondition(Condition.Ne, Rdx);
        asm.Store(State(StateOffsets.ArOf(Ar.Ec)), Rcx, 8);
        asm.MovImmediate(Rax, 0);
        asm.Jump(rotate);
        asm.Bind(ended);
        asm.StoreImmediate(Predicate(63), 0, 1);
        asm.Jump(decide);

        asm.Bind(goesOn);
        if (counted)
            EmitCountDown();

        asm.MovImmediate(Rdx, 1);
        asm.MovImmediate(Rax, counted ? 1UL : 0);
        asm.Bind(rotate);
        EmitRotatePredicates();
        EmitRotateFloats();
        if (sor != 0)
            EmitRotateGeneral(sor);
        EmitRotateMarker(sor);
        dirty |= registers.Writes(ir);

        asm.Bind(decide);
        asm.Test(Rdx, Rdx, 4);
        asm.Jump(exits ? Condition.Ne : Condition.E, not);
        int target = plan.BlockAt(plan.TargetSlot(ir));
        if (current.IsWindow)
        {
            // Entered with the branch behind it; taken over before it.
            Label window = asm.NewLabel(), taken = asm.NewLabel();
            stubs.Add(new Stub { Label = window, Kind = StubKind.Window, Slow = taken, Resume = not, Dirty = dirty, Target = target, Block = current, Instruction = ir });
            asm.Bind(taken);
            EmitTakenEdge(ir, target, -1, window);
        }
        else if (target >= 0)
        {
            EmitTakenEdge(ir, target, -1);
        }
        else
        {
            EmitLeave(ir, BundleOf(ir.Slot) + ir.Immediate);
        }

        CloseSlow();
        asm.Bind(not);
        FallThrough(nextEmitted);
    }

    private void EmitCountDown()
    {
        if (IsAssigned(IrInstruction.LoopCount))
            asm.Arithmetic(Alu.Sub, HostOf(IrInstruction.LoopCount), 1);
        else
            asm.Arithmetic(Alu.Sub, InMemory(IrInstruction.LoopCount), 1, 8);
    }

    private void EmitTestLoopCount()
    {
        if (IsAssigned(IrInstruction.LoopCount))
            asm.Test(HostOf(IrInstruction.LoopCount), HostOf(IrInstruction.LoopCount));
        else
            asm.Arithmetic(Alu.Cmp, InMemory(IrInstruction.LoopCount), 0, 8);
    }

    // p17-p63 become what p16-p62 were, p16 what is in rax. Three pieces: p17-p32, p33-p48, p49-p63 and the byte behind.
    private void EmitRotatePredicates()
    {
        const int first = FirstRotatingPredicate + 1;
        asm.Load(Rcx, Predicate(FirstRotatingPredicate), 1);
        asm.MoveToVector(Xmm3, Rcx, 4);
        asm.VectorLoad(Xmm0, Predicate(first), 16);
        asm.VectorLoad(Xmm1, Predicate(first + 16), 16);
        asm.VectorLoad(Xmm2, Predicate(first + 32), 16);
        asm.VectorAlign(Xmm2, Xmm2, Xmm1, 15);
        asm.VectorAlign(Xmm1, Xmm1, Xmm0, 15);
        asm.VectorShiftBytes(Shift.Shl, Xmm0, Xmm0, 1);
        asm.Vector(VectorOperation.Or, Xmm0, Xmm0, Xmm3);
        asm.VectorStore(Predicate(first), Xmm0, 16);
        asm.VectorStore(Predicate(first + 16), Xmm1, 16);
        asm.VectorStore(Predicate(first + 32), Xmm2, 16);
        asm.Store(Predicate(FirstRotatingPredicate), Rax, 1);
    }

    // The base moves down by one register; the wrapped one is copied. The buffer has room below.
    private void EmitRotateFloats()
    {
        const int size = 16;
        asm.Load(Rcx, State(StateOffsets.RotatingFr), 8);
        asm.VectorLoad(Xmm0, new HostAddress(Rcx, 127 * size), size);
        asm.VectorStore(new HostAddress(Rcx, 31 * size), Xmm0, size);
        asm.Arithmetic(Alu.Sub, Rcx, size);
        asm.Store(State(StateOffsets.RotatingFr), Rcx, 8);
    }

    // r33 and so on become what r32 and so on were, from the top down; r32 what the highest was.
    private void EmitRotateGeneral(int sor)
    {
        int top = FirstRotating + sor - 1;
        ReadInto(Rax, top);
        for (int r = top; r > FirstRotating;)
        {
            int run = 0;
            while (r - run > FirstRotating && !IsAssigned(r - run))
                run++;
            for (; run >= 4; run -= 4, r -= 4)
                EmitMoveFourUp(r - 3);
            for (; run > 0; run--, r--)
                asm.Store(InMemory(r), Read(r - 1, Rcx), 8);
            if (r > FirstRotating)
            {
                ReadInto(HostOf(r), r - 1);
                r--;
            }
        }

        if (IsAssigned(FirstRotating))
            asm.Mov(HostOf(FirstRotating), Rax);
        else
            asm.Store(InMemory(FirstRotating), Rax, 8);
    }

    // Four registers in memory from r on become what those from r - 1 on were.
    private void EmitMoveFourUp(int r)
    {
        asm.VectorPermute(Xmm0, InMemory(r), 0b10_01_00_11);
        if (IsAssigned(r - 1))
            asm.MoveToVector(Xmm1, HostOf(r - 1));
        else
            asm.VectorLoad(Xmm1, InMemory(r - 1), 8);
        asm.VectorBlend(Xmm0, Xmm0, Xmm1, 3, 32);
        asm.VectorStore(InMemory(r), Xmm0, 32);
    }

    // Each rotation base of CFM goes down by one, from 0 to the highest.
    private void EmitRotateMarker(int sor)
    {
        asm.Load(Rax, State(StateOffsets.Cfm), 8);
        if (sor != 0)
            EmitWrap(RrbGrShift, 0x7F, sor);
        EmitWrap(RrbFrShift, 0x7F, 96);
        EmitWrap(RrbPrShift, 0x3F, 48);
        asm.MovImmediate(Rcx, (sor != 0 ? 1UL << RrbGrShift : 0) | 1UL << RrbFrShift | 1UL << RrbPrShift);
        asm.Arithmetic(Alu.Sub, Rax, Rcx);
        asm.Store(State(StateOffsets.Cfm), Rax, 8);
    }

    // A field of rax that is 0 becomes the number of registers.
    private void EmitWrap(int shift, uint mask, int count)
    {
        Label keeps = asm.NewLabel();
        asm.MovImmediate(Rcx, (ulong)mask << shift);
        asm.Test(Rax, Rcx);
        asm.Jump(Condition.Ne, keeps);
        asm.MovImmediate(Rcx, (ulong)count << shift);
        asm.Arithmetic(Alu.Add, Rax, Rcx);
        asm.Bind(keeps);
    }
}
