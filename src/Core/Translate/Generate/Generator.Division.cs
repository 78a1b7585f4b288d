using FastXen.Core.Decode;
using FastXen.Core.Emit;
using FastXen.Core.Float;
using FastXen.Core.State;
using static FastXen.Core.Emit.HostRegister;
using static FastXen.Core.Emit.HostVector;

namespace FastXen.Core.Translate;

/// <summary>
/// Division sequences. Where the operands are ordinary and the flag I, which the sequence's steps raise, is set already, the host divides: the
/// registers of steps get the tags of their values only (see <see cref="DivisionSite"/>). Otherwise the instructions are executed one by one.
/// Instructions in between are the same in both forms, and find the state that they should.
/// </summary>
internal sealed unsafe partial class Generator
{
    private const int InexactFlag = 13 + 5, FieldWidth = 13;

    // The sequence that begins at an instruction; the index of its last one, or k where there is none.
    private int EmitDivision(in Block block, int k)
    {
        DivisionSequence? found = DivisionSequence.Find(plan, block, k, floats);
        if (found is not { } sequence || arena.NewDivisionSite(DivisionSite.FormOf(OperandTag(sequence.Kind), sequence.IsLate)) is not (>= 0 and var number))
            return k;
        CloseQp();
        flagsP1 = flagsP2 = 0;
        knownPages.Clear();
        Label normal = asm.NewLabel(), join = asm.NewLabel();
        uint dirtyBefore = dirty;
        ulong modifiedBefore = modifiedBits;
        Block before = current;
        deferNone = true;
        EmitHostDivision(sequence, number, normal);
        uint dirtyAfter = dirty;
        asm.Jump(join);

        asm.Bind(normal);
        dirty = dirtyBefore;
        current = before;
        modifiedBits = modifiedBefore;
        floatField = -1;
        knownPages.Clear();
        Label approximated = asm.NewLabel();
        if (sequence.Kind != DivisionKind.Double)
        {
            Want(plan.Ir[sequence.First], sequence.Dividend, tagged: false);
            Want(plan.Ir[sequence.First], sequence.Divisor, tagged: false);
            EmitZeroDividend(sequence, approximated);
        }

        EmitOne(ref plan.Ir[sequence.First]);
        CloseQp();
        asm.Bind(approximated);
        for (int n = sequence.First + 1; n <= sequence.Last; n++)
            EmitOne(ref plan.Ir[n]);
        CloseQp();
        asm.Bind(join);
        dirty |= dirtyAfter;
        modifiedBits = modifiedBefore;
        floatField = -1;
        knownPages.Clear();
        deferNone = false;
        return sequence.Last;
    }

    private static uint OperandTag(DivisionKind kind) => kind switch
    {
        DivisionKind.Double => TaggedFloats.Double,
        DivisionKind.Signed64 or DivisionKind.Signed32 => TaggedFloats.Signed,
        _ => TaggedFloats.Unsigned,
    };

    private void EmitHostDivision(DivisionSequence sequence, int number, Label normal)
    {
        int flag = InexactFlag + FieldWidth * sequence.Field;
        asm.Test(State(StateOffsets.ArOf(Ar.Fpsr) + flag / 8), 1 << (flag % 8), 1);
        asm.Jump(Condition.E, normal);
        if (sequence.PageEnd >= 0)
            EmitPageLook(normal);
        if (sequence.Power != 0)
            EmitCheckPower(sequence.Power, normal);
        bool direct = sequence.IsUnseen;
        if (sequence.Kind == DivisionKind.Double)
        {
            EmitTakeDoubles(sequence, number, normal);
            if (direct)
                EmitDivideDoubles(sequence, number, taken: true);
        }
        else
        {
            EmitTakeIntegers(sequence, number, normal);
            EmitDivideIntegers(sequence, number, direct);
        }

        Set(plan.Ir[sequence.First].P2, true);
        bool marked = false;
        for (int k = sequence.First; k < sequence.Last; k++)
        {
            ref IrInstruction ir = ref plan.Ir[k];
            if (k == sequence.PageEnd)
            {
                CloseQp();
                PassPage(ir);
                continue;
            }

            if (!sequence.Holds(k))
            {
                EmitOne(ref ir);
                marked &= !ir.MayLeave;
                continue;
            }

            CloseQp();
            if (k == sequence.Second && sequence.IsLate)
                EmitTakeLate(number);
            byte left = sequence.Left(k);
            if (left != DivisionValues.Unknown)
            {
                asm.StoreImmediate(Fr(ir.Guest->R1, Rcx, TagField), (int)DivisionSite.Tag(number, left), 4);
                if (!marked)
                    Mark(sequence);
                marked = true;
            }

            Modified(ir.Guest->R1);
        }

        CloseQp();
        uint target = plan.Ir[sequence.Last].Guest->R1;
        if (direct)
        {
            Modified(target);
            return;
        }

        if (sequence.Kind == DivisionKind.Double)
        {
            EmitDivideDoubles(sequence, number, taken: false);
        }
        else
        {
            LoadSite(Rax, number);
            asm.Load(Rax, new HostAddress(Rax, DivisionStubs.Quotient), 8);
            StoreQuotient(target);
        }

        Modified(target);
    }

    private void StoreQuotient(uint target)
    {
        asm.Store(Fr(target, Rcx), Rax, 8);
        asm.StoreImmediate(Field(target, SignExponentField), (int)FloatRegister.IntegerExponent, 8);
    }

    // frcpa of zero and a normal number: the quotient is zero, and the predicate is cleared.
    private void EmitZeroDividend(DivisionSequence sequence, Label approximated)
    {
        const int largestNormal = 0x1fffe;
        ref IrInstruction ir = ref plan.Ir[sequence.First];
        Label other = asm.NewLabel();
        asm.Arithmetic(Alu.Cmp, Fr(sequence.Dividend, Rcx, SignExponentField), 0, 8);
        asm.Jump(Condition.Ne, other);
        asm.Arithmetic(Alu.Cmp, Fr(sequence.Dividend, Rcx), 0, 8);
        asm.Jump(Condition.Ne, other);
        asm.Arithmetic(Alu.Cmp, Fr(sequence.Divisor, Rcx), 0, 8);
        asm.Jump(Condition.Ns, other);
        asm.Load(Rdx, Fr(sequence.Divisor, Rcx, SignExponentField), 8);
        asm.Mov(Rax, Rdx);
        asm.Arithmetic(Alu.And, Rax, ~(int)FloatKind.SignBit);
        asm.Arithmetic(Alu.Sub, Rax, 1);
        asm.Arithmetic(Alu.Cmp, Rax, largestNormal - 1);
        asm.Jump(Condition.A, other);
        asm.Arithmetic(Alu.And, Rdx, (int)FloatKind.SignBit, 4);
        asm.MovImmediate(Rax, 0);
        ulong modifiedBefore = modifiedBits;
        StoreExtended(ir.Guest->R1);
        modifiedBits = modifiedBefore;
        Clear(ir.P2);
        asm.Jump(approximated);
        asm.Bind(other);
    }

    private void Mark(DivisionSequence sequence)
    {
        NoteTags();
        if (sequence.LeavesRotating())
            asm.StoreImmediate(State(StateOffsets.RotatingStepsTagged), 1, 1);
    }

    private void EmitCheckPower(uint f, Label normal)
    {
        asm.Arithmetic(Alu.Cmp, Fr(f, Rcx, SignExponentField), DivisionValues.PowerExponent, 8);
        asm.Jump(Condition.Ne, normal);
        asm.Load(Rax, Fr(f, Rcx), 8);
        asm.Arithmetic(Alu.Add, Rax, Rax);
        asm.Jump(Condition.Ne, normal);
        asm.Jump(Condition.Ae, normal);
    }

    // The dividend in rax, the divisor in rcx, both in the site. Neither is zero; the most negative integer has a quotient that is none.
    private void EmitTakeIntegers(DivisionSequence sequence, int number, Label normal)
    {
        bool signed = sequence.Kind is DivisionKind.Signed64 or DivisionKind.Signed32, narrow = sequence.Kind is DivisionKind.Signed32 or DivisionKind.Unsigned32;
        uint tag = OperandTag(sequence.Kind);
        Label other = asm.NewLabel(), taken = asm.NewLabel();
        asm.Arithmetic(Alu.Cmp, Fr(sequence.Dividend, Rcx, TagField), (int)tag, 4);
        asm.Jump(Condition.Ne, other);
        asm.Arithmetic(Alu.Cmp, Fr(sequence.Divisor, Rcx, TagField), (int)tag, 4);
        asm.Jump(Condition.Ne, other);
        asm.Load(Rax, Fr(sequence.Dividend, Rcx), 8);
        asm.Load(Rcx, Fr(sequence.Divisor, Rcx), 8);
        asm.Bind(taken);
        stubs.Add(new Stub
        {
            Label = other,
            Resume = taken,
            Kind = StubKind.Integers,
            Slow = normal,
            Address = (ulong)number,
            Block = current,
            Instruction = plan.Ir[sequence.First],
            Target = signed ? 1 : 0,
        });
        foreach (HostRegister operand in (ReadOnlySpan<HostRegister>)[Rax, Rcx])
        {
            if (narrow)
            {
                if (signed)
                    asm.SignExtend(Rdx, operand, 4);
                else
                    asm.Mov(Rdx, operand, 4);
                asm.Arithmetic(Alu.Cmp, Rdx, operand);
                asm.Jump(Condition.Ne, normal);
            }

            if (signed)
            {
                asm.Mov(Rdx, operand);
                asm.Arithmetic(Alu.Add, Rdx, Rdx, narrow ? 4 : 8);
            }
            else
            {
                asm.Test(operand, operand);
            }

            asm.Jump(Condition.E, normal);
        }

        LoadSite(Rdx, number);
        asm.Store(new HostAddress(Rdx, DivisionStubs.Dividend), Rax, 8);
        asm.Store(new HostAddress(Rdx, DivisionStubs.Divisor), Rcx, 8);
    }

    // Operands of another form. The site's quotient is nothing that a register can stand for.
    private void EmitIntegersStub(in Stub stub)
    {
        Instruction* i = stub.Instruction.Guest;
        byte* convert = stub.Target != 0 ? arena.ToSignedInteger : arena.ToUnsignedInteger;
        asm.Lea(Rax, Fr(i->R3, Rax));
        asm.Call(convert);
        asm.Jump(Condition.B, stub.Slow);
        LoadSite(Rcx, (int)stub.Address);
        asm.Store(new HostAddress(Rcx, DivisionStubs.Quotient), Rax, 8);
        asm.Lea(Rax, Fr(i->R2, Rax));
        asm.Call(convert);
        asm.Jump(Condition.B, stub.Slow);
        LoadSite(Rcx, (int)stub.Address);
        asm.Load(Rcx, new HostAddress(Rcx, DivisionStubs.Quotient), 8);
        asm.Jump(stub.Resume);
    }

    // The quotient goes to its register at once where nothing can see the difference, else it waits in the site.
    private void EmitDivideIntegers(DivisionSequence sequence, int number, bool direct)
    {
        bool signed = sequence.Kind is DivisionKind.Signed64 or DivisionKind.Signed32;
        if (sequence.Kind is DivisionKind.Signed32 or DivisionKind.Unsigned32)
        {
            EmitDivide(signed, 4);
            if (signed)
                asm.SignExtend(Rax, Rax, 4);
        }
        else
        {
            // Hosts divide 32 bits faster.
            Label small = asm.NewLabel(), divided = asm.NewLabel();
            asm.Mov(Rdx, Rax);
            asm.Arithmetic(Alu.Or, Rdx, Rcx);
            asm.ShiftBy(Shift.Shr, Rdx, 32);
            asm.Jump(Condition.E, small);
            EmitDivide(signed, 8);
            asm.Jump(divided);
            asm.Bind(small);
            EmitDivide(false, 4);
            asm.Bind(divided);
        }

        if (direct)
        {
            StoreQuotient(plan.Ir[sequence.Last].Guest->R1);
            return;
        }

        LoadSite(Rdx, number);
        asm.Store(new HostAddress(Rdx, DivisionStubs.Quotient), Rax, 8);
    }

    // rax = rax / rcx.
    private void EmitDivide(bool signed, int size)
    {
        if (signed)
        {
            asm.SignIntoRdx(size);
            asm.DivideWideSigned(Rcx, size);
            return;
        }

        asm.MovImmediate(Rdx, 0);
        asm.DivideWide(Rcx, size);
    }

    // Each vCPU has its own sites.
    private void LoadSite(HostRegister to, int number)
    {
        asm.Load(to, State(StateOffsets.DivisionSites), 8);
        asm.Arithmetic(Alu.Add, to, number * sizeof(DivisionSite));
    }

    // Normal doubles whose quotient is normal by far.
    private void EmitTakeDoubles(DivisionSequence sequence, int number, Label normal)
    {
        const int farthest = 1000;
        uint a = sequence.Dividend, b = sequence.Divisor;
        if (a >= 2)
            WantDouble(a, normal);
        WantDouble(b, normal);
        LoadExponent(Rdx, b, normal);
        if (a >= 2)
            LoadExponent(Rax, a, normal);
        else
            asm.MovImmediate(Rax, 0x3FF);
        asm.Arithmetic(Alu.Sub, Rdx, Rax, 4);
        asm.Arithmetic(Alu.Add, Rdx, farthest, 4);
        asm.Arithmetic(Alu.Cmp, Rdx, 2 * farthest, 4);
        asm.Jump(Condition.A, normal);
        CollectFlags(plan.Ir[sequence.Last].Guest->Selector);
        _ = Double(a, Xmm0);
        _ = Double(b, Xmm1);
        LoadSite(Rax, number);
        asm.VectorStore(new HostAddress(Rax, DivisionStubs.Dividend), Xmm0, 8);
        asm.VectorStore(new HostAddress(Rax, DivisionStubs.Divisor), Xmm1, 8);
    }

    private void WantDouble(uint f, Label otherwise)
    {
        Label change = asm.NewLabel(), done = asm.NewLabel();
        asm.Arithmetic(Alu.Cmp, Fr(f, Rax, TagField), 1, 4);
        asm.Jump(Condition.Ne, change);
        asm.Bind(done);
        stubs.Add(new Stub { Label = change, Resume = done, Kind = StubKind.Tag, Target = (int)f, Slow = otherwise, Block = current });
    }

    // The exponent of a normal double. Uses rcx.
    private void LoadExponent(HostRegister to, uint f, Label notNormal)
    {
        const int largest = 0x7FE;
        asm.Load(to, Fr(f, Rcx), 8);
        asm.ShiftBy(Shift.Shr, to, 52);
        asm.Arithmetic(Alu.And, to, 0x7FF, 4);
        asm.Lea(Rcx, new HostAddress(to, -1), 4);
        asm.Arithmetic(Alu.Cmp, Rcx, largest - 1, 4);
        asm.Jump(Condition.A, notNormal);
    }

    private void EmitTakeLate(int number)
    {
        LoadSite(Rax, number);
        asm.Load(Rcx, new HostAddress(Rax, DivisionStubs.Dividend), 8);
        asm.Load(Rdx, new HostAddress(Rax, DivisionStubs.Divisor), 8);
        asm.Store(new HostAddress(Rax, DivisionStubs.LateDividend), Rcx, 8);
        asm.Store(new HostAddress(Rax, DivisionStubs.LateDivisor), Rdx, 8);
    }

    // The operands are in xmm0 and xmm1 still where they have just been taken. Uses rax.
    private void EmitDivideDoubles(DivisionSequence sequence, int number, bool taken)
    {
        Instruction* last = plan.Ir[sequence.Last].Guest;
        if (!taken)
        {
            CollectFlags(last->Selector);
            LoadSite(Rax, number);
            if (sequence.Dividend < 2)
                _ = Double(sequence.Dividend, Xmm0);
            else
                asm.VectorLoad(Xmm0, new HostAddress(Rax, DivisionStubs.Dividend), 8);
            asm.VectorLoad(Xmm1, new HostAddress(Rax, DivisionStubs.Divisor), 8);
        }

        asm.Float(FloatOperation.Divide, Xmm2, Xmm0, Xmm1, 8);
        WriteDouble(last->R1, Xmm2);
    }
}
