using System.Runtime.InteropServices;

namespace FastXen.Core.Decode;

/// <summary>
/// One decoded instruction slot: 32 bytes, fixed layout. Register fields carry the manual's operand
/// numbers (r1, f1, b1, ... are all operand 1), so that a handler reads like the manual's pseudo-code.
/// A field that the format does not have is zero. Register numbers are as encoded (not rotated).
/// </summary>
/// <remarks>
/// The less obvious formats:
/// <list type="bullet">
/// <item>compares A6-A8, tbit, tnat, tf, fcmp: P1, P2; A7 compares "0 relation GR r3"; A8 compares "imm8 relation GR r3".</item>
/// <item>loads R1 (or f1; ldfp R1 = f1, R2 = f2), R3 base; stores R2 (or f2) data, R3 base; base update by R2 (loads, lfetch) with
/// <see cref="Completers.UpdateRegister"/> or by Immediate with <see cref="Completers.UpdateImmediate"/> (ldfp: 8 or 16).</item>
/// <item>cmpxchg, xchg: R1, R3 address, R2 new value; fetchadd: R1, R3, Immediate = the signed increment.</item>
/// <item>lfetch.count: R3, Length = the count as the assembler writes it (1-64), Immediate = the signed stride (-1024 to 960 in steps of 64).</item>
/// <item>getf R1 = f2 (R2); setf R1 (f1) = r2 (R2).</item>
/// <item>alloc: R1, Position = sof, Length = sol (not the number of outputs), Selector = sor in registers.</item>
/// <item>mov to ar, cr: R3 = ar3, cr3, R2 or Immediate = value; from: R1, R3. Register files (rr, dbr, pmd, cpuid, dahr ...): R3 = GR with
/// the index, R2 = GR with the value, R1 = target. mov to dahr: R3 = dahr3, Immediate = imm16. itr: R3 = GR with the slot, R2 = the translation.
/// ptc, ptr: R3 = address, R2 = GR with the size.</item>
/// <item>probe: R1, R3 = address, R2 or Immediate = privilege level; sum, rum, ssm, rsm: Immediate = imm24.</item>
/// <item>mov to pr: R2, Immediate = the 64-bit mask (sign-extended, bit 0 clear); mov to pr.rot: Immediate = the 64-bit value.</item>
/// <item>mov to br: R1 = b1, R2, Immediate = displacement of the tag; from br: R1, R2 = b2.</item>
/// <item>extr: R1, R3, Position, Length; dep: R1, R2 (or Immediate: imm1 and imm8 sign-extended), R3, Position, Length;
/// shrp: R1, R2, R3, Position = count. Shifts by immediate, shladd, pshladd, pshradd, pmpyshr2: Position = count in bits (1-4 for shladd).</item>
/// <item>tbit: R3, Position; tf: Position = the feature's bit in CPUID[4] (32-63).</item>
/// <item>branches: Immediate = byte displacement from the bundle, R1 = b1 of calls, R2 = b2 of indirect ones. brp: R2 or Immediate = the
/// target, P1 and P2 = the tag's timm7a and t2e fields.</item>
/// <item>chk.s: R2 = r2 or f2; chk.a: R1 = r1 or f1; Immediate = displacement; fchkf: Selector, Immediate.</item>
/// <item>fma, xma, fselect: R1, R2, R3, R4 (fma: f1 = f3 * f4 + f2); fclass: R2 = f2, Immediate = fclass9;
/// frcpa: R1, P2, R2, R3; frsqrta: R1, P2, R3; fcvt: R1, R2; fsetc: Position = amask7, Length = omask7.</item>
/// <item>break, nop, hint: Immediate = imm21 (62 bits in X).</item>
/// <item>Illegal, Ignored: Immediate = the 41 bits of the slot. Illegal has Qp = 0 where the encoding faults whatever the predicate is.</item>
/// </list>
/// </remarks>
[StructLayout(LayoutKind.Explicit, Size = 32)]
public unsafe struct Instruction
{
    /// <summary>Address of the interpreter's handler; zero where the slot has only been decoded.</summary>
    [FieldOffset(0)] public delegate*<State.VcpuState*, Instruction*, int> Handler;

    /// <summary>
    /// The immediate, assembled and sign-extended as the manual says (imm8, imm14, imm22, imm64, imm21, mask, count, tag ...).
    /// For IP-relative branches: the byte displacement from the bundle's address. For MLX `movl`, the 64-bit value.
    /// </summary>
    [FieldOffset(8)] public ulong Immediate;

    /// <summary>What the instruction does.</summary>
    [FieldOffset(16)] public Opcode Opcode;

    /// <summary>Predicate to test before the handler is called. Zero where the handler itself looks at <see cref="QpField"/>.</summary>
    [FieldOffset(18)] public byte Qp;

    /// <summary>
    /// The qp field as encoded. It differs from <see cref="Qp"/> for the instructions that act when it is false: unc compares,
    /// frcpa, fprcpa, frsqrta, fprsqrta, br.wtop, br.wexit; and zero is expected in it, but not checked, in those without a qp
    /// (alloc, br.cloop, br.ctop, br.cexit, cover, clrrrb, rfi, bsw, epc, vmsw, flushrs, loadrs, brp).
    /// </summary>
    [FieldOffset(19)] public byte QpField;

    /// <summary>Operand 1: r1, f1, b1 (usually the target). The ar3 or cr3 of a move into one is in <see cref="R3"/>.</summary>
    [FieldOffset(20)] public byte R1;

    /// <summary>Operand 2: r2, f2, b2.</summary>
    [FieldOffset(21)] public byte R2;

    /// <summary>Operand 3: r3, f3, ar3, cr3.</summary>
    [FieldOffset(22)] public byte R3;

    /// <summary>Operand 4: f4 of four-operand floating-point instructions.</summary>
    [FieldOffset(23)] public byte R4;

    /// <summary>Predicate target p1.</summary>
    [FieldOffset(24)] public byte P1;

    /// <summary>Predicate target p2.</summary>
    [FieldOffset(25)] public byte P2;

    /// <summary>Bit position or shift count (extr, dep, tbit, shrp, shladd ...), sof of alloc, amask7 of fsetc.</summary>
    [FieldOffset(26)] public byte Position;

    /// <summary>Field length in bits (extr, dep), sol of alloc, omask7 of fsetc, count of lfetch.</summary>
    [FieldOffset(27)] public byte Length;

    /// <summary>Status field 0-3 of floating-point instructions, mbtype4 and mhtype8 of mux, sor (in registers, a multiple of 8) of alloc.</summary>
    [FieldOffset(28)] public byte Selector;

    /// <summary>Completers that change the meaning, see <see cref="Completers"/>.</summary>
    [FieldOffset(29)] public Completers Completers;

    /// <summary>
    /// Hints that do not change the meaning, for the disassembler: loads, stores, lfetch and semaphores: locality hint in bits 1:0, its
    /// extension (.d4 to .d7) in bit 2; branches: whether in bits 2:0, .many in bit 3, .clr in bit 4; brp and mov to br: whether
    /// in bits 1:0, importance in bit 3, mov.ret in bit 4.
    /// </summary>
    [FieldOffset(30)] public byte Hints;

    /// <summary>Bits 1:0 the slot (0-2), bit 2 a stop follows, bits 7:3 the template.</summary>
    [FieldOffset(31)] public byte Placement;
}

/// <summary>Completers that a handler must look at.</summary>
[Flags]
public enum Completers : byte
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>Memory: base register r3 is post-incremented by <see cref="Instruction.Immediate"/>.</summary>
    UpdateImmediate = 1,

    /// <summary>Memory: base register r3 is post-incremented by GR r2.</summary>
    UpdateRegister = 2,

    /// <summary>Floating point: .s (result rounded to single).</summary>
    PrecisionSingle = 4,

    /// <summary>Floating point: .d (result rounded to double).</summary>
    PrecisionDouble = 8,

    /// <summary>Floating-point convert to integer: truncate. Set with the opcodes of fcvt.*.trunc and fpcvt.*.trunc, which say the same.</summary>
    Truncate = 16,
}
