using FastXen.Core.Emit;
using static FastXen.Core.Emit.HostRegister;

namespace FastXen.Core.Translate;

/// <summary>What breaks need that a hypervisor does in host code.</summary>
internal sealed unsafe partial class CodeArena
{
    /// <summary>The hypervisor's code; null where there is none.</summary>
    public BreakCode? Breaks { get; }

    /// <summary>As <see cref="Jump"/>, to any slot: in the low bits of rdx.</summary>
    public byte* JumpAnywhere { get; private set; }

    // The entries of slots 1 and 2 lie elsewhere (CodeLookup.Place).
    private void EmitJumpAnywhere(Assembler asm)
    {
        const int QuarterShift = 16;
        asm.Align(16);
        JumpAnywhere = asm.Here;
        Label miss = asm.NewLabel();
        asm.Mov(Rcx, Rdx, 4);
        asm.Arithmetic(Alu.And, Rcx, -16, 4);
        asm.Mov(Rsi, Rdx, 4);
        asm.Arithmetic(Alu.And, Rsi, 3, 4);
        asm.ShiftBy(Shift.Shl, Rsi, QuarterShift, 4);
        asm.Lea(Rcx, new HostAddress(Rsi, Rcx, 2), 4);
        asm.Arithmetic(Alu.And, Rcx, (JumpEntry.Count - 1) * sizeof(JumpEntry), 4);
        asm.Arithmetic(Alu.Add, Rcx, new HostAddress(Rbp, StateOffsets.Jumps));
        asm.Arithmetic(Alu.Cmp, Rdx, new HostAddress(Rcx));
        asm.Jump(Condition.Ne, miss);
        asm.Mov(Rsi, Rdx);
        asm.ShiftBy(Shift.Shr, Rsi, 61);
        asm.Load(Rsi, new HostAddress(Rbp, Rsi, 8, StateOffsets.Spaces), 8);
        asm.Arithmetic(Alu.Cmp, Rsi, new HostAddress(Rcx, JumpEntry.SpaceOffset));
        asm.Jump(Condition.Ne, miss);
        asm.Jump(new HostAddress(Rcx, JumpEntry.CodeOffset));
        asm.Bind(miss);
        asm.Mov(Rcx, Rdx, 4);
        asm.Arithmetic(Alu.And, Rcx, 3, 4);
        asm.Store(new HostAddress(Rbp, StateOffsets.Slot), Rcx, 4);
        asm.Arithmetic(Alu.And, Rdx, -16);
        asm.Store(new HostAddress(Rbp, StateOffsets.Ip), Rdx, 8);
        asm.MovImmediate(Rax, AnywhereSite);
        asm.Jump(Exit);
    }
}
