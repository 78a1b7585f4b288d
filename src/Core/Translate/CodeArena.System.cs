using FastXen.Core.Emit;
using FastXen.Core.Interpret;
using FastXen.Core.State;
using static FastXen.Core.Emit.HostRegister;

namespace FastXen.Core.Translate;

/// <summary>Common code of the control instructions.</summary>
internal sealed unsafe partial class CodeArena
{
    /// <summary>Follows a change of PSR.ic as <see cref="CodeLookup.FollowContext"/> does. Uses rax.</summary>
    public byte* ToggleCollection { get; private set; }

    /// <summary>
    /// br.ret to the address in rdx that no prediction holds for: rax is 0 where it is done and only the jump to rdx is left, not 0 where it is the
    /// handler's. No guest register may be in a host register.
    /// </summary>
    public byte* Unpredicted { get; private set; }

    private void EmitToggleCollection(Assembler asm)
    {
        asm.Align(16);
        ToggleCollection = asm.Here;
        asm.MovImmediate(Rax, (ulong)TranslationContext.Ic << 32);
        for (int region = 0; region < 8; region++)
            asm.Arithmetic(Alu.Xor, new HostAddress(Rbp, StateOffsets.Spaces + 8 * region), Rax);
        asm.Arithmetic(Alu.Xor, new HostAddress(Rbp, StateOffsets.Jumps), JumpEntry.TableBytes, 8);
        asm.Arithmetic(Alu.Xor, new HostAddress(Rbp, StateOffsets.ContextPsr), (int)Psr.Ic, 8);
        asm.Arithmetic(Alu.Xor, new HostAddress(Rbp, StateOffsets.Context), (int)TranslationContext.Ic, 8);
        asm.Return();
    }

    private void EmitUnpredicted(Assembler asm)
    {
        asm.Align(16);
        Unpredicted = asm.Here;
        Label handler = asm.NewLabel();
        asm.Arithmetic(Alu.And, Rdx, -16);
        asm.Load(Rsi, new HostAddress(Rbp, StateOffsets.ArOf(Ar.Pfs)), 8);
        asm.Arithmetic(Alu.Cmp, new HostAddress(Rbp, StateOffsets.AlatRenamed), 0, 4);
        asm.Jump(Condition.Ne, handler);
        // Rotation, before and after.
        asm.Arithmetic(Alu.Cmp, new HostAddress(Rbp, StateOffsets.Cfm), 0x3_FFFF, 8);
        asm.Jump(Condition.A, handler);
        asm.Mov(Rax, Rsi);
        asm.ShiftBy(Shift.Shl, Rax, 26);
        asm.ShiftBy(Shift.Shr, Rax, 26);
        asm.Arithmetic(Alu.Cmp, Rax, 0x3_FFFF);
        asm.Jump(Condition.A, handler);
        // A less privileged level.
        asm.Mov(R8, Rsi);
        asm.ShiftBy(Shift.Shr, R8, 62);
        asm.Load(R9, new HostAddress(Rbp, StateOffsets.Psr + 4), 4);
        asm.Arithmetic(Alu.And, R9, 3, 4);
        asm.Arithmetic(Alu.Cmp, R8, R9, 4);
        asm.Jump(Condition.A, handler);
        // r8 = sol, r9 = sof, r10 = sor: a frame that can be, of registers that are there.
        asm.Mov(R8, Rax, 4);
        asm.ShiftBy(Shift.Shr, R8, 7, 4);
        asm.Arithmetic(Alu.And, R8, 0x7F, 4);
        asm.Mov(R9, Rax, 4);
        asm.Arithmetic(Alu.And, R9, 0x7F, 4);
        asm.Mov(R10, Rax, 4);
        asm.ShiftBy(Shift.Shr, R10, 14, 4);
        asm.ShiftBy(Shift.Shl, R10, 3, 4);
        asm.Arithmetic(Alu.Cmp, R8, R9, 4);
        asm.Jump(Condition.A, handler);
        asm.Arithmetic(Alu.Cmp, R10, R9, 4);
        asm.Jump(Condition.A, handler);
        asm.Load(R11, new HostAddress(Rbp, StateOffsets.Dirty), 4);
        asm.Arithmetic(Alu.Sub, R11, R8, 4);
        asm.Jump(Condition.S, handler);
        asm.Lea(Rcx, new HostAddress(R11, R9, 1), 4);
        asm.Arithmetic(Alu.Cmp, Rcx, Rse.PhysicalRegisters, 4);
        asm.Jump(Condition.A, handler);
        asm.Mov(Rcx, R8);
        asm.ShiftBy(Shift.Shl, Rcx, 3);
        asm.Mov(Rdi, Rbx);
        asm.Arithmetic(Alu.Sub, Rdi, Rcx);
        asm.Arithmetic(Alu.Cmp, Rdi, new HostAddress(Rbp, StateOffsets.LowestFrame));
        asm.Jump(Condition.B, handler);
        asm.Mov(Rbx, Rdi);
        asm.Store(new HostAddress(Rbp, StateOffsets.FrameBase), Rbx, 8);
        asm.Arithmetic(Alu.Sub, new HostAddress(Rbp, StateOffsets.FrameNat), R8, 8);
        asm.Store(new HostAddress(Rbp, StateOffsets.Dirty), R11, 4);
        asm.Store(new HostAddress(Rbp, StateOffsets.Cfm), Rax, 8);
        asm.Arithmetic(Alu.Add, R9, 31, 4);
        asm.Store(new HostAddress(Rbp, StateOffsets.GrLimit), R9, 4);
        asm.ShiftBy(Shift.Shr, Rsi, 52);
        asm.Arithmetic(Alu.And, Rsi, 0x3F, 4);
        asm.Store(new HostAddress(Rbp, StateOffsets.ArOf(Ar.Ec)), Rsi, 8);
        EmitFollowReturn(asm);
        asm.MovImmediate(Rax, 0);
        asm.Return();
        asm.Bind(handler);
        asm.MovImmediate(Rax, 1);
        asm.Return();
    }

    // What the return passed over in the ring of calls will not return.
    private static void EmitFollowReturn(Assembler asm)
    {
        const int Mask = CodeState.ShadowEntries * 32 - 32, Looks = 4;
        Label found = asm.NewLabel(), end = asm.NewLabel();
        asm.Load(Rcx, new HostAddress(Rbp, StateOffsets.ShadowTop), 4);
        for (int k = 0; k < Looks; k++)
        {
            asm.Arithmetic(Alu.Cmp, Rdx, new HostAddress(Rbp, Rcx, 1, StateOffsets.Shadow));
            asm.Jump(Condition.E, found);
            asm.Arithmetic(Alu.Sub, Rcx, 32, 4);
            asm.Arithmetic(Alu.And, Rcx, Mask, 4);
        }

        asm.Jump(end);
        asm.Bind(found);
        asm.Arithmetic(Alu.Sub, Rcx, 32, 4);
        asm.Arithmetic(Alu.And, Rcx, Mask, 4);
        asm.Store(new HostAddress(Rbp, StateOffsets.ShadowTop), Rcx, 4);
        asm.Bind(end);
    }
}
