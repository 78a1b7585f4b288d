using FastXen.Core.Emit;
using FastXen.Core.State;
using FastXen.Mmu;
using static FastXen.Core.Emit.HostRegister;

namespace FastXen.Core.Translate;

/// <summary>What breaks need that a hypervisor does in host code.</summary>
internal sealed unsafe partial class CodeArena
{
    /// <summary>The hypervisor's code; null where there is none.</summary>
    public BreakCode? Breaks { get; }

    /// <summary>As <see cref="Jump"/>, to any slot: in the low bits of rdx.</summary>
    public byte* JumpAnywhere { get; private set; }

    /// <summary>
    /// Looks for what follows from the PSR in rax, which differs from the state's in nothing that chooses translations but the level: rcx is 0 where that is
    /// not known, else for <see cref="EnterContext"/>. Changes rcx only.
    /// </summary>
    public byte* FindContext { get; private set; }

    /// <summary>
    /// What follows from the PSR in rax becomes that of now, as <see cref="CodeLookup.FollowContext"/> and <see cref="Interpret.AddressSpace.SelectMode"/> do it. rcx is from
    /// <see cref="FindContext"/>, the state has the PSR of before. Changes rcx and vector registers.
    /// </summary>
    public byte* EnterContext { get; private set; }

    private static readonly int MmuData, MmuCodeMode, MmuCodeVersion, KnownContextOf, KnownSpaces, KnownJumps, KnownEpoch, KnownFpsr, KnownVersion;

    static CodeArena()
    {
        // Structures of which only addresses are computed.
        var mmu = (MmuState*)StateOffsets.Anywhere;
        var entry = (KnownContext*)StateOffsets.Anywhere;
        static int Of(void* field) => (int)((byte*)field - (byte*)StateOffsets.Anywhere);
        (MmuData, MmuCodeMode, MmuCodeVersion) = (Of(&mmu->Data), Of(&mmu->CodeMode), Of(&mmu->CodeVersion));
        (KnownContextOf, KnownSpaces, KnownJumps) = (Of(&entry->Context), Of(entry->Spaces), Of(&entry->Jumps));
        (KnownEpoch, KnownFpsr, KnownVersion) = (Of(&entry->Epoch), Of(&entry->Fpsr), Of(&entry->CodeVersion));
    }

    private void EmitFindContext(Assembler asm)
    {
        asm.Align(16);
        FindContext = asm.Here;
        Label other = asm.NewLabel(), none = asm.NewLabel(), end = asm.NewLabel();
        asm.MovImmediate(Rcx, TranslationContext.PsrBits);
        asm.Arithmetic(Alu.And, Rcx, Rax);
        asm.Arithmetic(Alu.Cmp, Rcx, new HostAddress(Rbp, StateOffsets.ContextPsr));
        asm.Jump(Condition.Ne, other);
        asm.MovImmediate(Rcx, Same);
        asm.Return();
        asm.Bind(other);
        asm.Push(Rsi);
        asm.Push(Rdi);
        // Tables of big-endian references are none.
        asm.Test(Rax, (int)Psr.Be, 4);
        asm.Jump(Condition.Ne, none);
        asm.Mov(Rsi, Rcx);
        asm.ShiftBy(Shift.Shr, Rsi, KnownContext.FirstShift);
        foreach (int shift in (ReadOnlySpan<int>)[KnownContext.SecondShift, KnownContext.ThirdShift])
        {
            asm.Mov(Rdi, Rcx);
            asm.ShiftBy(Shift.Shr, Rdi, shift);
            asm.Arithmetic(Alu.Xor, Rsi, Rdi, 4);
        }

        asm.Arithmetic(Alu.And, Rsi, KnownContext.Count - 1, 4);
        asm.MultiplyImmediate(Rsi, Rsi, sizeof(KnownContext));
        asm.Arithmetic(Alu.Add, Rsi, new HostAddress(Rbp, StateOffsets.Known));
        asm.Arithmetic(Alu.Cmp, Rcx, new HostAddress(Rsi));
        asm.Jump(Condition.Ne, none);
        asm.MovImmediate(Rcx, TranslationContext.FpsrControls);
        asm.Arithmetic(Alu.And, Rcx, new HostAddress(Rbp, StateOffsets.ArOf(Ar.Fpsr)));
        asm.Arithmetic(Alu.Cmp, Rcx, new HostAddress(Rsi, KnownFpsr));
        asm.Jump(Condition.Ne, none);
        asm.Load(Rcx, new HostAddress(Rbp, StateOffsets.Mmu), 8);
        asm.Load(Rcx, new HostAddress(Rcx, MmuCodeVersion), 4);
        asm.Arithmetic(Alu.Cmp, Rcx, new HostAddress(Rsi, KnownVersion), 4);
        asm.Jump(Condition.Ne, none);
        asm.Load(Rcx, new HostAddress(Rbp, StateOffsets.SeenEpoch), 8);
        asm.Arithmetic(Alu.Cmp, Rcx, new HostAddress(Rsi, KnownEpoch));
        asm.Jump(Condition.Ne, none);
        asm.Test(new HostAddress(Rsi, KnownContextOf), (int)TranslationContext.Nat, 4);
        asm.Jump(Condition.Ne, none);
        asm.Arithmetic(Alu.Cmp, new HostAddress(Rsi, KnownJumps), 0, 8);
        asm.Jump(Condition.E, none);
        asm.Mov(Rcx, Rsi);
        asm.Jump(end);
        asm.Bind(none);
        asm.MovImmediate(Rcx, 0);
        asm.Bind(end);
        asm.Pop(Rdi);
        asm.Pop(Rsi);
        asm.Return();
    }

    // No address of an entry.
    private const int Same = 1;

    private void EmitEnterContext(Assembler asm)
    {
        const int TableSetShift = 6;
        asm.Align(16);
        EnterContext = asm.Here;
        Label end = asm.NewLabel(), level = asm.NewLabel();
        asm.Arithmetic(Alu.Cmp, Rcx, Same);
        asm.Jump(Condition.Ne, level);
        asm.Return();
        asm.Bind(level);
        asm.Push(Rsi);
        asm.Push(Rdi);
        asm.Load(Rsi, new HostAddress(Rcx), 8);
        asm.Store(new HostAddress(Rbp, StateOffsets.ContextPsr), Rsi, 8);
        asm.Load(Rsi, new HostAddress(Rcx, KnownContextOf), 4);
        asm.Store(new HostAddress(Rbp, StateOffsets.Context), Rsi, 8);
        asm.Load(Rsi, new HostAddress(Rcx, KnownJumps), 8);
        asm.Store(new HostAddress(Rbp, StateOffsets.Jumps), Rsi, 8);
        Copy(asm, new HostAddress(Rcx, KnownSpaces), StateOffsets.Spaces);
        asm.Mov(Rsi, Rax);
        asm.ShiftBy(Shift.Shr, Rsi, Psr.CplShift);
        asm.Arithmetic(Alu.And, Rsi, 3, 4);
        asm.Load(Rdi, new HostAddress(Rbp, StateOffsets.Psr + Psr.CplShift / 8), 4);
        asm.Arithmetic(Alu.And, Rdi, 3, 4);
        asm.Arithmetic(Alu.Sub, Rsi, Rdi);
        asm.Jump(Condition.E, end);
        // The sets of tables lie in the order of levels.
        asm.Load(Rdi, new HostAddress(Rbp, StateOffsets.Mmu), 8);
        asm.Arithmetic(Alu.Add, new HostAddress(Rdi, MmuCodeMode), Rsi, 8);
        asm.ShiftBy(Shift.Shl, Rsi, TableSetShift);
        asm.Arithmetic(Alu.Add, Rsi, new HostAddress(Rdi, MmuData));
        asm.Store(new HostAddress(Rdi, MmuData), Rsi, 8);
        Copy(asm, new HostAddress(Rsi), StateOffsets.Tables);
        asm.Vector(VectorOperation.EqualD, HostVector.Xmm0, HostVector.Xmm0, HostVector.Xmm0, 32);
        for (int entry = 0; entry < CodeState.PageEntries; entry++)
            asm.VectorStore(new HostAddress(Rbp, StateOffsets.Pages + 32 * entry), HostVector.Xmm0, 32);
        asm.Bind(end);
        asm.Pop(Rdi);
        asm.Pop(Rsi);
        asm.Return();
    }

    // Eight words to the state.
    private static void Copy(Assembler asm, HostAddress from, int to)
    {
        for (int half = 0; half < 64; half += 32)
        {
            asm.VectorLoad(HostVector.Xmm0, from.Plus(half), 32);
            asm.VectorStore(new HostAddress(Rbp, to + half), HostVector.Xmm0, 32);
        }
    }

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
