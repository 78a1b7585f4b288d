using FastXen.Core.Decode;
using FastXen.Core.Emit;
using FastXen.Core.Float;
using FastXen.Core.State;
using static FastXen.Core.Emit.HostRegister;
using static FastXen.Core.Emit.HostVector;

namespace FastXen.Core.Translate;

/// <summary>
/// Floating point. A register in memory is the 82-bit form (tag 0) or a tagged double (tag 1: the significand's field holds the double's
/// bits). Operations of double format want tagged operands and run on the host's unit, those of other formats want 82-bit
/// operands and call <see cref="ExtendedStubs"/>; an operand of the other form is changed in place, which changes no value.
/// </summary>
internal sealed unsafe partial class Generator
{
    private const int SignExponentField = 8, TagField = 12;

    // Among modifiedBits: CodeState.FloatsTagged is set.
    private const ulong TagsNoted = 1UL << 63;

    // The status field for which the host's flags are being collected in this block, and the PSR.mf bits that are set: -1, 0 at first.
    private int floatField;
    private ulong modifiedBits;
    private bool notesTags;

    private FloatContext floats;

    private void StartFloat()
    {
        floatField = -1;
        modifiedBits = 0;
    }

    private HostAddress Fr(uint f, HostRegister scratch, int field = 0)
    {
        if (f < 32)
            return State(StateOffsets.FrStatic + 16 * (int)f + field);
        asm.Load(scratch, State(StateOffsets.RotatingFr), 8);
        return new HostAddress(scratch, 16 * (int)f + field);
    }

    // After an instruction that wrote a register: PSR.mfl or mfh. Those of a block that are executed in any case are set once. Mostly
    // they are set already: a store in each turn of a loop would be what the next one waits for.
    private void Modified(uint f)
    {
        ulong bit = f < 32 ? Psr.Mfl : Psr.Mfh;
        if ((modifiedBits & bit) != 0)
            return;
        Label set = asm.NewLabel(), done = asm.NewLabel();
        asm.Test(State(StateOffsets.Psr), (int)bit, 1);
        asm.Jump(Condition.E, set);
        asm.Bind(done);
        stubs.Add(new Stub { Label = set, Resume = done, Kind = StubKind.Modified, Target = (int)bit, Block = current });
        if (openQp == 0)
            modifiedBits |= bit;
    }

    private void EmitFloat(in IrInstruction ir)
    {
        Instruction* i = ir.Guest;
        switch (i->Opcode)
        {
            case Opcode.SetfSig:
                EmitSetf(ir, FloatRegister.IntegerExponent, tagged: false);
                break;
            case Opcode.SetfD:
                EmitSetf(ir, 0, tagged: true);
                break;
            case Opcode.GetfSig or Opcode.GetfExp:
                EmitGetf(ir);
                break;
            case Opcode.SetfS:
                asm.MoveToVector(Xmm0, Read(ir.A, Rax), 4);
                EmitFromSingle(ir);
                break;
            case Opcode.GetfS when i->R2 >= 2:
                Want(ir, i->R2, tagged: true);
                EmitToSingle(ir, i->R2);
                asm.MoveFromVector(Target(ir.D, Rax), Xmm1, 4);
                Write(ir.D, Target(ir.D, Rax));
                break;
            case Opcode.GetfS or Opcode.GetfD when i->R2 < 2:
                EmitHandler(ir);
                break;
            case Opcode.GetfD:
                Want(ir, i->R2, tagged: true);
                if (registers.FloatIndexOf(i->R2) >= 0)
                    asm.MoveFromVector(Target(ir.D, Rax), Double(i->R2, Xmm0));
                else
                    asm.Load(Target(ir.D, Rax), Fr(i->R2, Rcx), 8);
                Write(ir.D, Target(ir.D, Rax));
                break;
            case Opcode.FmergeS or Opcode.FmergeNs:
                EmitMerge(ir);
                break;
            case Opcode.XmaL or Opcode.XmaH or Opcode.XmaHu:
                EmitIntegerMultiply(ir);
                break;
            case Opcode.FcvtXf:
                EmitFromInteger(ir);
                break;
            case Opcode.FcvtFxTrunc or Opcode.FcvtFxuTrunc:
                Want(ir, i->R2, tagged: false);
                CallStub(ir, i->Opcode == Opcode.FcvtFxTrunc ? arena.Floats.ToSigned : arena.Floats.ToUnsigned, i->R2, NoRegister, NoRegister, i->R1, raises: true);
                break;
            case Opcode.Frcpa or Opcode.Frsqrta:
                EmitApproximation(ir);
                break;
            default:
                EmitFused(ir);
                break;
        }
    }

    /// <summary>
    /// Makes sure that a register has the form that is wanted. Constants (f0, f1) are 82-bit; a caller that wants them as doubles does not ask.
    /// Uses rax; rcx, rdx stay.
    /// </summary>
    private void Want(in IrInstruction ir, uint f, bool tagged)
    {
        if (f < 2 || registers.FloatIndexOf(f) >= 0)
            return;
        OpenSlow(ir);
        Label change = asm.NewLabel(), done = asm.NewLabel();
        asm.Arithmetic(Alu.Cmp, Fr(f, Rax, TagField), tagged ? 1 : 0, 4);
        asm.Jump(Condition.Ne, change);
        asm.Bind(done);
        stubs.Add(new Stub
        {
            Label = change,
            Resume = done,
            Kind = tagged ? StubKind.Tag : StubKind.Untag,
            Target = (int)f,
            Slow = slowLabel,
            Block = current,
        });
    }

    // Out of line: the register's form is changed, or the handler does the instruction.
    private void EmitChangeOfForm(in Stub stub)
    {
        asm.Lea(Rax, Fr((uint)stub.Target, Rax));
        asm.Call(stub.Kind == StubKind.Tag ? arena.Tag : arena.Untag);
        asm.Jump(Condition.B, stub.Slow);
        asm.Jump(stub.Resume);
    }

    private void EmitSetf(in IrInstruction ir, uint signExponent, bool tagged)
    {
        uint f = ir.Guest->R1;
        HostRegister value = Read(ir.A, Rax);
        if (registers.FloatIndexOf(f) >= 0)
        {
            HostVector vector = TargetDouble(f, Xmm0);
            asm.MoveToVector(vector, value);
            WriteDouble(f, vector);
            return;
        }

        HostAddress to = Fr(f, Rcx);
        asm.Store(to, value, 8);
        if (tagged)
            SetTag(f);
        else
            asm.StoreImmediate(Field(f, SignExponentField), (int)signExponent, 8);
        Modified(f);
    }

    // A field of the register that Fr has addressed last, with rcx.
    private static HostAddress Field(uint f, int field) =>
        f < 32 ? State(StateOffsets.FrStatic + 16 * (int)f + field) : new HostAddress(Rcx, 16 * (int)f + field);

    private void SetTag(uint f)
    {
        asm.StoreImmediate(Field(f, TagField), 1, 4);
        NoteTags();
    }

    // Some register has a tag: noted once in a block, as PSR.mf is. Where a handler untagged all, the way back (region->Reload) notes it again.
    private void NoteTags()
    {
        notesTags = true;
        if ((modifiedBits & TagsNoted) != 0)
            return;
        asm.StoreImmediate(State(StateOffsets.FloatsTagged), 1, 1);
        if (openQp == 0)
            modifiedBits |= TagsNoted;
    }

    /// <summary>Makes sure that the significand of a register in memory is in its place, and that it is no NaTVal. Uses rax, in the rare case rdx.</summary>
    private void WantSignificand(in IrInstruction ir, uint f)
    {
        if (f < 2)
            return;
        OpenSlow(ir);
        Label look = asm.NewLabel(), done = asm.NewLabel();
        // Mostly it is an integer, and has no tag.
        asm.Arithmetic(Alu.Cmp, Fr(f, Rax, SignExponentField), (int)FloatRegister.IntegerExponent, 8);
        asm.Jump(Condition.Ne, look);
        asm.Bind(done);
        stubs.Add(new Stub { Label = look, Resume = done, Kind = StubKind.Significand, Target = (int)f, Slow = slowLabel, Block = current });
    }

    private void EmitSignificandStub(in Stub stub)
    {
        uint f = (uint)stub.Target;
        Label plain = asm.NewLabel();
        asm.Arithmetic(Alu.Cmp, Fr(f, Rax, TagField), 0, 4);
        asm.Jump(Condition.E, plain);
        asm.Lea(Rax, Fr(f, Rax));
        asm.Call(arena.Untag);
        asm.Jump(Condition.B, stub.Slow);
        asm.Bind(plain);
        asm.Arithmetic(Alu.Cmp, Fr(f, Rax, SignExponentField), (int)FloatRegister.NatExponent, 4);
        asm.Jump(Condition.E, stub.Slow);
        asm.Jump(stub.Resume);
    }

    private void EmitGetf(in IrInstruction ir)
    {
        Instruction* i = ir.Guest;
        if (i->Opcode == Opcode.GetfSig)
        {
            WantSignificand(ir, i->R2);
            asm.Load(Target(ir.D, Rax), Fr(i->R2, Rdx), 8);
            Write(ir.D, Target(ir.D, Rax));
            return;
        }

        Want(ir, i->R2, tagged: false);
        asm.Load(Rcx, Fr(i->R2, Rdx, SignExponentField), 4);
        // It may be NaTVal.
        asm.Arithmetic(Alu.Cmp, Rcx, (int)FloatRegister.NatExponent, 4);
        Slow(ir, Condition.E);
        Write(ir.D, Rcx);
    }

    // fmerge.s f1 = f3, f3 is the move, fmerge.ns f1 = f3, f3 the negation, fmerge.s f1 = f0, f3 the absolute value.
    private void EmitMerge(in IrInstruction ir)
    {
        Instruction* i = ir.Guest;
        uint a = i->R2, b = i->R3;
        bool mapped = registers.FloatIndexOf(i->R1) >= 0 || registers.FloatIndexOf(b) >= 0;
        if (a == b && i->Opcode == Opcode.FmergeS && !mapped)
        {
            // The value of a division's step is bound to its register.
            asm.Arithmetic(Alu.Cmp, Fr(b, Rcx, TagField), (int)DivisionSite.FirstTag, 4);
            Slow(ir, Condition.Ae);
            asm.VectorLoad(Xmm0, Fr(b, Rcx), 16);
            asm.VectorStore(Fr(i->R1, Rcx), Xmm0, 16);
            Modified(i->R1);
            return;
        }

        if (b < 2 || (a != b && a != 0))
        {
            EmitHandler(ir);
            return;
        }

        Want(ir, b, tagged: true);
        HostVector from = Double(b, Xmm0);
        if (a == b && i->Opcode == Opcode.FmergeS)
        {
            WriteDouble(i->R1, from);
            return;
        }

        asm.MoveFromVector(Rdx, from);
        if (a == b)
            asm.BitTestComplement(Rdx, 63);
        else if (i->Opcode == Opcode.FmergeS)
            asm.BitTestReset(Rdx, 63);
        else
            asm.BitTestSet(Rdx, 63);
        asm.MoveToVector(Xmm0, Rdx);
        WriteDouble(i->R1, Xmm0);
    }

    private void EmitIntegerMultiply(in IrInstruction ir)
    {
        Instruction* i = ir.Guest;
        foreach (uint f in (ReadOnlySpan<uint>)[i->R2, i->R3, i->R4])
        {
            WantSignificand(ir, f);
        }

        asm.Load(Rax, Fr(i->R3, Rax), 8);
        asm.Load(Rdx, Fr(i->R4, Rdx), 8);
        if (i->Opcode == Opcode.XmaL)
        {
            asm.Multiply(Rax, Rdx);
            if (i->R2 != 0)
                asm.Arithmetic(Alu.Add, Rax, Fr(i->R2, Rcx));
        }
        else
        {
            if (i->Opcode == Opcode.XmaH)
                asm.MultiplyWideSigned(Rdx);
            else
                asm.MultiplyWide(Rdx);
            if (i->R2 != 0)
            {
                asm.Arithmetic(Alu.Add, Rax, Fr(i->R2, Rcx));
                asm.Arithmetic(Alu.Adc, Rdx, 0);
            }

            asm.Mov(Rax, Rdx);
        }

        asm.Store(Fr(i->R1, Rcx), Rax, 8);
        asm.StoreImmediate(Field(i->R1, SignExponentField), (int)FloatRegister.IntegerExponent, 8);
        Modified(i->R1);
    }

    private void EmitApproximation(in IrInstruction ir)
    {
        Instruction* i = ir.Guest;
        Label done = asm.NewLabel();
        if (ir.Qp != 0)
        {
            Label go = asm.NewLabel();
            asm.Arithmetic(Alu.Cmp, Predicate(ir.Qp), 0, 1);
            asm.Jump(Condition.Ne, go);
            Clear(ir.P2);
            asm.Jump(done);
            asm.Bind(go);
        }

        if (i->Opcode == Opcode.Frcpa)
        {
            Want(ir, i->R2, tagged: false);
            Want(ir, i->R3, tagged: false);
            CallStub(ir, arena.Floats.Reciprocal, i->R2, i->R3, NoRegister, i->R1, raises: false);
        }
        else
        {
            Want(ir, i->R3, tagged: false);
            CallStub(ir, arena.Floats.ReciprocalSquareRoot, i->R3, NoRegister, NoRegister, i->R1, raises: false);
        }

        Set(ir.P2, true);
        modifiedBits = 0;
        // The handler's way joins behind: it has set the predicate itself.
        asm.Bind(done);
    }

    private const uint Clobbered = ((1u << RegisterAssignment.FloatShift) - 1) & ~((1u << RegisterAssignment.Preserved) - 1);

    // An operand that the machine code does not look at.
    private const uint NoRegister = 128;

    // Calls machine code for 82-bit registers: operands and target by address; the registers that it loses are stored before and loaded after.
    private void CallStub(in IrInstruction ir, byte* stub, uint a, uint b, uint c, uint target, bool raises)
    {
        OpenSlow(ir);
        EmitSpill(dirty & Clobbered);
        asm.Lea(Rsi, Fr(a, Rsi));
        if (b != NoRegister)
            asm.Lea(Rdi, Fr(b, Rdi));
        if (c != NoRegister)
            asm.Lea(Rcx, Fr(c, Rcx));
        asm.Lea(R8, Fr(target, R8));
        asm.Call(stub);
        Label failed = asm.NewLabel();
        stubs.Add(new Stub
        {
            Label = failed,
            Resume = slowResume,
            Kind = StubKind.Handler,
            Dirty = dirty & ~Clobbered,
            Block = current,
            Instruction = ir,
            Deferred = DeferredNow(),
        });
        asm.Jump(Condition.B, failed);
        if (raises)
        {
            asm.ShiftBy(Shift.Shl, Rax, 13 + 13 * ir.Guest->Selector);
            asm.Arithmetic(Alu.Or, State(StateOffsets.ArOf(Ar.Fpsr)), Rax, 8);
        }

        Modified(target);
        EmitReload(Clobbered);
    }

    private void EmitFused(in IrInstruction ir)
    {
        Instruction* i = ir.Guest;
        uint completer = (uint)i->Completers >> 2 & 3;
        if (floats.IsOnHost(completer, i->Selector))
        {
            EmitDouble(ir);
            return;
        }

        uint a = i->R3, b = i->R4, c = i->R2;
        if (a == 1 && b != 1)
            (a, b) = (b, a);
        byte* stub = FusedStubOf(i, completer, b, c);
        if (stub == null || a == 0 || b == 0)
        {
            EmitHandler(ir);
            return;
        }

        Label done = asm.NewLabel();
        if (b == 1 && c == 0 && i->Opcode == Opcode.Fma && a != 1 && FloatFormat.Of(completer, floats.Controls(i->Selector)).Dropped == 0)
            EmitNormalizeInteger(i, a, done);
        Want(ir, a, tagged: false);
        if (b != 1)
            Want(ir, b, tagged: false);
        if (c != 0)
            Want(ir, c, tagged: false);
        CallStub(ir, stub, a, b == 1 ? NoRegister : b, c == 0 ? NoRegister : c, i->R1, raises: true);
        asm.Bind(done);
    }

    private byte* FusedStubOf(Instruction* i, uint completer, uint b, uint c)
    {
        FusedShape shape = (b == 1, c == 0) switch
        {
            (true, true) => FusedShape.Normalization,
            (true, false) => FusedShape.Sum,
            (false, true) => FusedShape.Product,
            _ => FusedShape.MultiplyAdd,
        };
        return arena.Floats.Fused(shape, i->Opcode == Opcode.Fnma, i->Opcode == Opcode.Fms, completer, floats.Controls(i->Selector));
    }

    // The host's flags are collected for one status field; the arena's code puts those of another one where they belong.
    private void CollectFlags(int field)
    {
        if (floatField == field || flagsField == field)
            return;
        Label change = asm.NewLabel(), done = asm.NewLabel();
        asm.Arithmetic(Alu.Cmp, State(StateOffsets.FlagsField), field + 1, 1);
        asm.Jump(Condition.Ne, change);
        asm.Bind(done);
        stubs.Add(new Stub { Label = change, Resume = done, Kind = StubKind.Flags, Target = field, Block = current });
        floatField = openQp == 0 ? field : -1;
    }

    private void EmitFlagsStub(in Stub stub)
    {
        asm.MovImmediate(Rax, (uint)(stub.Target + 1));
        asm.Call(arena.CollectFlags);
        asm.Jump(stub.Resume);
    }

    // A vector register that holds a double: the guest register's own, or scratch after a load.
    private HostVector Double(uint f, HostVector scratch)
    {
        int index = f < 2 ? -1 : registers.FloatIndexOf(f);
        if (index >= 0)
            return RegisterAssignment.Vector(index);
        if (f == 0)
            asm.VectorZero(scratch);
        else if (f == 1)
            asm.VectorLoad(scratch, State(StateOffsets.One), 8);
        else
            asm.VectorLoad(scratch, Fr(f, Rcx), 8);
        return scratch;
    }

    private void WriteDouble(uint f, HostVector from)
    {
        int index = registers.FloatIndexOf(f);
        if (index >= 0)
        {
            if (RegisterAssignment.Vector(index) != from)
                asm.VectorMove(RegisterAssignment.Vector(index), from);
            dirty |= registers.FloatBit(f);
        }
        else
        {
            asm.VectorStore(Fr(f, Rcx), from, 8);
            SetTag(f);
        }

        Modified(f);
    }

    private void EmitDouble(in IrInstruction ir)
    {
        Instruction* i = ir.Guest;
        uint a = i->R3, b = i->R4, c = i->R2;
        if (a == 1)
            (a, b) = (b, a);
        bool mixed = MayBeExtended(a) || MayBeExtended(b) || MayBeExtended(c);
        // Those that are in vector registers are not where the stub looks.
        bool inMemory = registers.FloatIndexOf(a) < 0 && registers.FloatIndexOf(b) < 0 && registers.FloatIndexOf(c) < 0;
        byte* stub = mixed && inMemory && a != 0 && b != 0 ? FusedStubOf(i, (uint)i->Completers >> 2 & 3, b, c) : null;
        if (stub == null)
        {
            Want(ir, a, tagged: true);
            if (b != a)
                Want(ir, b, tagged: true);
            if (c != a && c != b)
                Want(ir, c, tagged: true);
            EmitHostDouble(ir, a, b, c);
            return;
        }

        // An operand of more precision, as in the last steps of divisions: not the host's.
        Label extended = asm.NewLabel(), done = asm.NewLabel();
        uint dirtyBefore = dirty;
        ulong modifiedBefore = modifiedBits;
        foreach (uint f in (ReadOnlySpan<uint>)[a, b, c])
        {
            if (f >= 2)
                WantDouble(f, extended);
        }

        EmitHostDouble(ir, a, b, c);
        asm.Jump(done);
        asm.Bind(extended);
        uint dirtyAfter = dirty;
        dirty = dirtyBefore;
        modifiedBits = modifiedBefore;
        EmitExtendedOfDoubles(ir, stub, a, b, c);
        asm.Bind(done);
        dirty |= dirtyAfter;
    }

    private bool MayBeExtended(uint f) => f >= 2 && registers.IsMixed(f);

    private void EmitExtendedOfDoubles(in IrInstruction ir, byte* stub, uint a, uint b, uint c)
    {
        uint target = ir.Guest->R1;
        Want(ir, a, tagged: false);
        Want(ir, b, tagged: false);
        Want(ir, c, tagged: false);
        CallStub(ir, stub, a, b == 1 ? NoRegister : b, c == 0 ? NoRegister : c, target, raises: true);
        int index = registers.FloatIndexOf(target);
        if (index < 0)
            return;
        // The result is a normal double or zero, or the stub had failed.
        asm.Lea(Rax, Fr(target, Rax));
        asm.Call(arena.Tag);
        asm.VectorLoad(RegisterAssignment.Vector(index), Fr(target, Rcx), 8);
    }

    // Where the double of a register is best made: its own vector register, or scratch.
    private HostVector TargetDouble(uint f, HostVector scratch) =>
        registers.FloatIndexOf(f) is var index and >= 0 ? RegisterAssignment.Vector(index) : scratch;

    private void EmitHostDouble(in IrInstruction ir, uint a, uint b, uint c)
    {
        Instruction* i = ir.Guest;
        CollectFlags(i->Selector);
        bool negative = i->Opcode == Opcode.Fnma;
        if (floats.IsSingle((uint)i->Completers >> 2 & 3, i->Selector))
        {
            EmitHostSingle(ir, a, b, c);
        }
        else if (c == 0 && !negative)
        {
            // Of two NaNs the first operand wins here, the second multiplicand there.
            HostVector product = TargetDouble(i->R1, Xmm2), second = Double(b, Xmm1);
            asm.Float(FloatOperation.Multiply, product, second, Double(a, Xmm0), 8);
            WriteDouble(i->R1, product);
        }
        else if (b == 1 && !negative)
        {
            EmitSum(ir, a, c);
        }
        else
        {
            EmitHostFused(ir, a, b, c);
        }
    }

    private void EmitSum(in IrInstruction ir, uint a, uint c)
    {
        Instruction* i = ir.Guest;
        HostVector first = Double(a, Xmm0), second = Double(c, Xmm1);
        if (i->Opcode == Opcode.Fma)
        {
            // The addend's NaN wins over that of the first multiplicand, not over that of the second.
            (first, second) = i->R4 == 1 ? (second, first) : (first, second);
            HostVector sum = TargetDouble(i->R1, Xmm2);
            asm.Float(FloatOperation.Add, sum, first, second, 8);
            WriteDouble(i->R1, sum);
            return;
        }

        HostVector difference = TargetDouble(i->R1, Xmm2);
        if (difference == first || difference == second)
            difference = Xmm2;
        asm.Float(FloatOperation.Subtract, difference, first, second, 8);
        asm.CompareFloat(difference, difference, 8);
        Slow(ir, Condition.P);
        WriteDouble(i->R1, difference);
    }

    private static FusedOperation Fusion(Instruction* i) => i->Opcode switch
    {
        Opcode.Fma => FusedOperation.MultiplyAdd,
        Opcode.Fms => FusedOperation.MultiplySubtract,
        _ => FusedOperation.NegativeMultiplyAdd,
    };

    // Which NaN comes out is the handler's to say. It finds all operands as they were.
    private void EmitHostFused(in IrInstruction ir, uint a, uint b, uint c)
    {
        Instruction* i = ir.Guest;
        FusedOperation op = Fusion(i);
        HostVector target = TargetDouble(i->R1, Xmm2);
        HostVector first = Double(a, Xmm0), second = Double(b, Xmm1), addend = c == 0 ? Xmm3 : Double(c, Xmm3);
        if (c == 0)
            asm.VectorLoad(addend, State(StateOffsets.MinusZero), 8);
        if (target == addend)
        {
            EmitInPlace(ir, op, 231, target, first, second);
        }
        else if (target == first || target == second)
        {
            EmitInPlace(ir, op, 213, target, target == first ? second : first, addend);
        }
        else
        {
            asm.VectorMove(target, addend);
            asm.Fused(op, 231, target, first, second, 8);
            asm.CompareFloat(target, target, 8);
            Slow(ir, Condition.P);
        }

        WriteDouble(i->R1, target);
    }

    // The target is an operand: it is kept for the handler's case.
    private void EmitInPlace(in IrInstruction ir, FusedOperation op, int form, HostVector target, HostVector b, HostVector c)
    {
        OpenSlow(ir);
        asm.VectorMove(Xmm2, target);
        asm.Fused(op, form, target, b, c, 8);
        asm.CompareFloat(target, target, 8);
        Label nan = asm.NewLabel();
        asm.Jump(Condition.P, nan);
        stubs.Add(new Stub { Label = nan, Kind = StubKind.KeptDouble, Target = (int)target, Slow = slowLabel, Block = current });
    }

    private void EmitFloatCompare(in IrInstruction ir)
    {
        Instruction* i = ir.Guest;
        Label done = asm.NewLabel();
        if (ir.Type == PredicateType.Unconditional)
        {
            Label go = asm.NewLabel();
            asm.Arithmetic(Alu.Cmp, Predicate(ir.Qp), 0, 1);
            asm.Jump(Condition.Ne, go);
            Clear(ir.P1);
            Clear(ir.P2);
            asm.Jump(done);
            asm.Bind(go);
        }

        Want(ir, i->R2, tagged: true);
        if (i->R3 != i->R2)
            Want(ir, i->R3, tagged: true);
        CollectFlags(i->Selector);
        bool equal = i->Opcode is Opcode.FcmpEq or Opcode.FcmpEqUnc;
        HostVector a = Double(i->R2, Xmm0), b = Double(i->R3, Xmm1);
        // Reversed: "b above a" is false when they are unordered.
        asm.CompareFloat(equal ? a : b, equal ? b : a, 8);
        Slow(ir, Condition.P);
        Condition condition = equal ? Condition.E : i->Opcode is Opcode.FcmpLt or Opcode.FcmpLtUnc ? Condition.A : Condition.Ae;
        if (ir.P1 != 0)
            asm.SetCondition(condition, Predicate(ir.P1));
        if (ir.P2 != 0)
            asm.SetCondition(Inverse(condition), Predicate(ir.P2));
        asm.Bind(done);
        floatField = openQp == 0 && ir.Type != PredicateType.Unconditional ? floatField : -1;
    }
}
