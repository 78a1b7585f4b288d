using FastXen.Core.Emit;
using static FastXen.Core.Emit.HostRegister;

namespace FastXen.Core.Translate;

/// <summary>What a store does while the ALAT has entries.</summary>
internal sealed unsafe partial class CodeArena
{
    /// <summary>
    /// Called with the host address of an aligned store of up to 8 bytes (or of 8 bytes of a longer one) in rax: carry where it may touch an
    /// entry of the ALAT. Uses rax and rcx.
    /// </summary>
    public byte* AlatCheck { get; private set; }

    // All bytes of the store are in one 8-byte granule; entries that touch the granule count, too.
    private void EmitAlatCheck(Assembler asm)
    {
        asm.Align(16);
        AlatCheck = asm.Here;
        Label look = asm.NewLabel(), next = asm.NewLabel(), again = asm.NewLabel(), done = asm.NewLabel();
        asm.Arithmetic(Alu.Sub, Rax, new HostAddress(Rbp, StateOffsets.MemoryBase));
        asm.Push(Rdx);
        asm.Mov(Rcx, Rax);
        asm.ShiftBy(Shift.Shr, Rcx, 3);
        asm.Load(Rdx, new HostAddress(Rbp, StateOffsets.AlatFilter), 8);
        asm.BitTest(Rdx, Rcx);
        asm.Jump(Condition.B, look);
        asm.Bind(done);
        asm.Pop(Rdx);
        asm.Return();

        asm.Bind(look);
        asm.Push(Rsi);
        asm.Arithmetic(Alu.And, Rax, -8);
        asm.Lea(Rsi, new HostAddress(Rax, 8));
        asm.Load(Rdx, new HostAddress(Rbp, StateOffsets.AlatValid), 4);
        Label found = asm.NewLabel();
        asm.Bind(again);
        asm.TrailingZeros(Rcx, Rdx, 4);
        asm.Arithmetic(Alu.Cmp, Rax, new HostAddress(Rbp, Rcx, 8, StateOffsets.AlatEnd));
        asm.Jump(Condition.Ae, next);
        asm.Arithmetic(Alu.Cmp, Rsi, new HostAddress(Rbp, Rcx, 8, StateOffsets.AlatStart));
        asm.Jump(Condition.A, found);
        asm.Bind(next);
        asm.Lea(Rcx, new HostAddress(Rdx, -1), 4);
        asm.Arithmetic(Alu.And, Rdx, Rcx, 4);
        asm.Jump(Condition.Ne, again);
        // The carry is clear.
        asm.Pop(Rsi);
        asm.Jump(done);
        asm.Bind(found);
        asm.SetCarry();
        asm.Pop(Rsi);
        asm.Jump(done);
    }
}
