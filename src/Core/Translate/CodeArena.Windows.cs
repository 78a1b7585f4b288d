using FastXen.Core.Emit;
using FastXen.Core.Float;
using FastXen.Core.State;
using static FastXen.Core.Emit.HostRegister;
using static FastXen.Core.Emit.HostVector;

namespace FastXen.Core.Translate;

/// <summary>Common code of loops whose rotating registers stand in <see cref="CodeState.Window"/>.</summary>
internal sealed unsafe partial class CodeArena
{
    /// <summary>
    /// Leaves a window: the rotating registers, the predicates, AR.RRB, the floating-point registers and the budget become what they are after the
    /// turns that r12 tells of. eax is CFM.sor in registers, ecx the slots of a turn. Uses rax, rcx, rdx, r12, r13, xmm0 and xmm1.
    /// </summary>
    public byte* LeaveWindow { get; private set; }

    /// <summary>Moves the rotating floating-point registers to the top of their buffer. Uses rax, rcx, rdx and xmm0.</summary>
    public byte* RaiseFloats { get; private set; }

    private void EmitWindows(Assembler asm)
    {
        asm.Align(16);
        LeaveWindow = asm.Here;
        // rdx: turns that are complete.
        asm.Lea(Rdx, new HostAddress(Rbp, StateOffsets.WindowTop));
        asm.Arithmetic(Alu.Sub, Rdx, R12);
        asm.ShiftBy(Shift.Shr, Rdx, 3);
        asm.Multiply(Rcx, Rdx);
        asm.Arithmetic(Alu.Sub, R15, Rcx);
        EmitRegistersBack(asm);
        asm.MovImmediate(R12, 0x0101_0101_0101_0101);
        for (int p = 16; p < 64; p += 8)
        {
            asm.Pdep(Rcx, R13, R12);
            asm.Store(new HostAddress(Rbp, StateOffsets.Predicates + p), Rcx, 8);
            asm.ShiftBy(Shift.Shr, R13, 8);
        }

        Label noGeneral = asm.NewLabel();
        asm.Load(R12, new HostAddress(Rbp, StateOffsets.Cfm), 8);
        asm.Test(Rax, Rax, 4);
        asm.Jump(Condition.E, noGeneral);
        EmitTurnBack(asm, 18, 0x7F, () => asm.Arithmetic(Alu.Add, Rcx, Rax));
        asm.Bind(noGeneral);
        EmitTurnBack(asm, 25, 0x7F, () => asm.Arithmetic(Alu.Add, Rcx, 96));
        EmitTurnBack(asm, 32, 0x3F, () => asm.Arithmetic(Alu.Add, Rcx, 48));
        asm.Store(new HostAddress(Rbp, StateOffsets.Cfm), R12, 8);
        EmitFloatsDown(asm);
        asm.Return();

        asm.Align(16);
        RaiseFloats = asm.Here;
        Label next = asm.NewLabel();
        const int size = 16, first = 32 * size;
        asm.Load(Rcx, new HostAddress(Rbp, StateOffsets.RotatingFr), 8);
        asm.Load(Rax, new HostAddress(Rbp, StateOffsets.FrBuffer), 8);
        asm.Arithmetic(Alu.Add, Rax, (VcpuAllocation.FrRegisters - 96 - 32) * sizeof(FloatRegister));
        asm.Store(new HostAddress(Rbp, StateOffsets.RotatingFr), Rax, 8);
        asm.MovImmediate(Rdx, 96);
        asm.Bind(next);
        asm.VectorLoad(Xmm0, new HostAddress(Rcx, first), size);
        asm.VectorStore(new HostAddress(Rax, first), Xmm0, size);
        asm.Arithmetic(Alu.Add, Rcx, size);
        asm.Arithmetic(Alu.Add, Rax, size);
        asm.Arithmetic(Alu.Sub, Rdx, 1, 4);
        asm.Jump(Condition.Ne, next);
        asm.Return();
    }

    // From the window at r12 to the frame, eax registers.
    private static void EmitRegistersBack(Assembler asm)
    {
        Label next = asm.NewLabel(), none = asm.NewLabel();
        asm.Mov(Rcx, Rax);
        asm.ShiftBy(Shift.Shl, Rcx, 3);
        asm.Test(Rcx, Rcx, 4);
        asm.Jump(Condition.E, none);
        asm.Bind(next);
        for (int half = 1; half <= 2; half++)
        {
            asm.VectorLoad((HostVector)(half - 1), new HostAddress(R12, Rcx, 1, CodeState.WindowBias - 32 * half), 32);
            asm.VectorStore(new HostAddress(Rbx, Rcx, 1, 8 * 32 - 32 * half), (HostVector)(half - 1), 32);
        }

        asm.Arithmetic(Alu.Sub, Rcx, 64, 4);
        asm.Jump(Condition.Ne, next);
        asm.Bind(none);
    }

    // A rotation base of the CFM in r12 goes down by rdx, modulo what is added where it is below 0. Uses rcx and r13.
    private static void EmitTurnBack(Assembler asm, int shift, uint mask, Action add)
    {
        Label more = asm.NewLabel(), done = asm.NewLabel();
        asm.Mov(Rcx, R12);
        asm.ShiftBy(Shift.Shr, Rcx, shift);
        asm.Arithmetic(Alu.And, Rcx, (int)mask);
        asm.MovImmediate(R13, (ulong)mask << shift);
        asm.Andn(R12, R13, R12);
        asm.Arithmetic(Alu.Sub, Rcx, Rdx);
        asm.Jump(Condition.Ns, done);
        asm.Bind(more);
        add();
        asm.Jump(Condition.S, more);
        asm.Bind(done);
        asm.ShiftBy(Shift.Shl, Rcx, shift);
        asm.Arithmetic(Alu.Or, R12, Rcx);
    }

    // edx turns (0 to 96) of the floating-point registers: the base moves down, what wraps is copied. 96 turns change no name.
    private static void EmitFloatsDown(Assembler asm)
    {
        Label next = asm.NewLabel(), none = asm.NewLabel();
        const int size = 16;
        asm.Arithmetic(Alu.Cmp, Rdx, 96, 4);
        asm.Jump(Condition.E, none);
        asm.Test(Rdx, Rdx, 4);
        asm.Jump(Condition.E, none);
        asm.Load(Rcx, new HostAddress(Rbp, StateOffsets.RotatingFr), 8);
        asm.Bind(next);
        asm.VectorLoad(Xmm0, new HostAddress(Rcx, 127 * size), size);
        asm.VectorStore(new HostAddress(Rcx, 31 * size), Xmm0, size);
        asm.Arithmetic(Alu.Sub, Rcx, size);
        asm.Arithmetic(Alu.Sub, Rdx, 1, 4);
        asm.Jump(Condition.Ne, next);
        asm.Store(new HostAddress(Rbp, StateOffsets.RotatingFr), Rcx, 8);
        asm.Bind(none);
    }
}
