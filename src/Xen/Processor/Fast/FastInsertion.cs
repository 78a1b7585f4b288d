using FastXen.Core.Emit;
using FastXen.Core.Translate;
using FastXen.Mmu;
using static FastXen.Core.Emit.HostRegister;
using static FastXen.Xen.Processor.Fast.FastCode;

namespace FastXen.Xen.Processor.Fast;

/// <summary>
/// itc.d for a page that the translation cache holds, with the translation that it holds or in place of one that was never used: <see cref="Tlb"/> replaces it, and nobody
/// else knows of it. Another page, which may overlap others and displace one, is the handler's.
/// </summary>
internal static unsafe class FastInsertion
{
    // rdi: the translation; r11: the address; r12: ITIR, then the key; r13: log2 of the page's size; rsi: the MMU; rax: the page's begin; r14: the
    // region identifier, then with the size; rcx: the entry.
    public static void Emit(FastCode code)
    {
        Assembler asm = code.Asm;
        (int offsets, int spaces, int ptes, int keys, int used) = DataCache;
        asm.Load(Rsi, State(StateOffsets.Mmu), 8);
        asm.Load(Rdi, FastOperations.Gr(8), 8);
        asm.Load(R11, Shared(&X->Ifa), 8);
        asm.Load(R12, Shared(&X->Itir), 8);
        CheckFields(code);
        CheckWindow(code);
        asm.Mov(Rcx, R11);
        asm.ShiftBy(Shift.Shr, Rcx, 61);
        asm.Lea(R14, Rr(Rsi));
        asm.Load(R14, new HostAddress(R14, Rcx, 8), 4);
        asm.ShiftBy(Shift.Shr, R14, 8, 4);
        asm.Arithmetic(Alu.Cmp, R14, (int)Paravirtual.MetaphysicalRid, 4);
        code.Fail(Condition.E);
        // Of a region: 61 bits.
        asm.ShiftBy(Shift.Shl, Rax, 3);
        asm.ShiftBy(Shift.Shr, Rax, 3);
        FindSet(asm);
        asm.ShiftBy(Shift.Shl, R14, 8, 4);
        asm.Arithmetic(Alu.Or, R14, R13, 4);

        Label next = asm.NewLabel(), again = asm.NewLabel(), found = asm.NewLabel(), other = asm.NewLabel(), done = asm.NewLabel();
        asm.MovImmediate(Rdx, TranslationCache.Ways);
        asm.Bind(again);
        asm.Arithmetic(Alu.Cmp, R14, new HostAddress(Rsi, Rcx, 4, spaces), 4);
        asm.Jump(Condition.Ne, next);
        asm.Arithmetic(Alu.Cmp, Rax, new HostAddress(Rsi, Rcx, 8, offsets));
        asm.Jump(Condition.E, found);
        asm.Bind(next);
        asm.Arithmetic(Alu.Add, Rcx, 1, 4);
        asm.Arithmetic(Alu.Sub, Rdx, 1, 4);
        asm.Jump(Condition.Ne, again);
        asm.Test(Rsi, Rsi);
        code.Fail(Condition.Ne);
        asm.Bind(found);
        asm.ShiftBy(Shift.Shr, R12, 8, 4);
        asm.Arithmetic(Alu.Cmp, Rdi, new HostAddress(Rsi, Rcx, 8, ptes));
        asm.Jump(Condition.Ne, other);
        asm.Arithmetic(Alu.Cmp, R12, new HostAddress(Rsi, Rcx, 4, keys), 4);
        asm.Jump(Condition.E, done);
        asm.Bind(other);
        asm.Arithmetic(Alu.Cmp, new HostAddress(Rsi, Rcx, 1, used), 0, 1);
        code.Fail(Condition.Ne);
        asm.Store(new HostAddress(Rsi, Rcx, 8, ptes), Rdi, 8);
        asm.Store(new HostAddress(Rsi, Rcx, 4, keys), R12, 4);
        asm.Bind(done);
    }

    // As Tlb.IsReserved; and one that is present. It becomes no more privileged than the kernel.
    private static void CheckFields(FastCode code)
    {
        const ulong ReservedItir = 0xffff_ffff_0000_0003, ReservedPte = 1UL << 1 | 3UL << 50;
        const int Present = 1, AttributeShift = 2, Privilege = 3 << 7, PrivilegeBit = 7;
        Assembler asm = code.Asm;
        asm.MovImmediate(Rcx, ReservedItir);
        asm.Test(R12, Rcx);
        code.Fail(Condition.Ne);
        asm.Test(Rdi, Present, 4);
        code.Fail(Condition.E);
        asm.MovImmediate(Rcx, ReservedPte);
        asm.Test(Rdi, Rcx);
        code.Fail(Condition.Ne);
        // Attributes 1 to 3.
        asm.Mov(Rcx, Rdi, 4);
        asm.ShiftBy(Shift.Shr, Rcx, AttributeShift, 4);
        asm.Arithmetic(Alu.And, Rcx, 7, 4);
        asm.Arithmetic(Alu.Sub, Rcx, 1, 4);
        asm.Arithmetic(Alu.Cmp, Rcx, 2, 4);
        code.Fail(Condition.Be);
        asm.Mov(R13, R12, 4);
        asm.ShiftBy(Shift.Shr, R13, 2, 4);
        asm.Arithmetic(Alu.And, R13, 63, 4);
        asm.MovImmediate(Rcx, PageSizes.Implemented);
        asm.BitTest(Rcx, R13);
        code.Fail(Condition.Ae);
        Label privileged = asm.NewLabel();
        asm.Test(Rdi, Privilege, 4);
        asm.Jump(Condition.Ne, privileged);
        asm.BitTestSet(Rdi, PrivilegeBit);
        asm.Bind(privileged);
    }

    // rax = the page's begin, which has nothing in common with what is the hypervisor's: the handler looks exactly (VirtualTlb.Overlaps).
    private static void CheckWindow(FastCode code)
    {
        const int FirstOfXen = 0b11101;
        Assembler asm = code.Asm;
        (HostAddress size, HostAddress va) = Window(Rsi);
        asm.Mov(Rcx, R11);
        asm.ShiftBy(Shift.Shr, Rcx, 59);
        asm.Arithmetic(Alu.Sub, Rcx, FirstOfXen, 4);
        asm.Arithmetic(Alu.Cmp, Rcx, 1, 4);
        code.Fail(Condition.Be);
        asm.MovImmediate(Rax, ulong.MaxValue);
        asm.Shlx(Rax, Rax, R13);
        asm.Load(Rcx, va, 8);
        asm.Mov(Rdx, Rax);
        asm.Arithmetic(Alu.And, Rdx, Rcx);
        asm.Arithmetic(Alu.And, Rax, R11);
        asm.Arithmetic(Alu.Cmp, Rax, Rdx);
        code.Fail(Condition.E);
        asm.Mov(Rdx, Rax);
        asm.Arithmetic(Alu.Sub, Rdx, Rcx);
        asm.Arithmetic(Alu.Cmp, Rdx, size);
        code.Fail(Condition.B);
    }

    // rcx = the first entry of the set for the page at rax, as TranslationCache.SetOf numbers it. Changes rdx, r8.
    private static void FindSet(Assembler asm)
    {
        const int WaysShift = 3;
        asm.Shrx(Rdx, Rax, R13);
        asm.Mov(Rcx, Rdx);
        foreach (int shift in (ReadOnlySpan<int>)[8, 16])
        {
            asm.Mov(R8, Rdx);
            asm.ShiftBy(Shift.Shr, R8, shift);
            asm.Arithmetic(Alu.Xor, Rcx, R8);
        }

        asm.MovImmediate(R8, TranslationCache.RidFactor);
        asm.Multiply(R8, R14, 4);
        asm.ShiftBy(Shift.Shr, R8, 24, 4);
        asm.Arithmetic(Alu.Add, Rcx, R8, 4);
        asm.Arithmetic(Alu.And, Rcx, TranslationCache.Sets - 1, 4);
        asm.ShiftBy(Shift.Shl, Rcx, WaysShift, 4);
    }
}
