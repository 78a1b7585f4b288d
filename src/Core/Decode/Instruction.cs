using System.Runtime.InteropServices;

namespace FastXen.Core.Decode;

/// <summary>
/// One decoded instruction slot: 32 bytes, fixed layout. Register fields carry the manual's operand
/// numbers (r1, f1, b1, ... are all operand 1), so that a handler reads like the manual's pseudo-code.
/// </summary>
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

    /// <summary>The qp field as encoded (differs from <see cref="Qp"/> for the instructions that act when it is false: unc compares, br.wtop ...).</summary>
    [FieldOffset(19)] public byte QpField;

    /// <summary>Operand 1: r1, f1, b1 (usually the target), or ar/cr number for moves into one (ar3/cr3 stay in <see cref="R3"/>).</summary>
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

    /// <summary>Bit position (extr, dep, tbit, shrp count), or sof of alloc.</summary>
    [FieldOffset(26)] public byte Position;

    /// <summary>Field length in bits (extr, dep), or sol of alloc.</summary>
    [FieldOffset(27)] public byte Length;

    /// <summary>Status field 0-3 of floating-point instructions, fclass/mux/mix selectors, sor (in registers, a multiple of 8) of alloc, multimedia variants.</summary>
    [FieldOffset(28)] public byte Selector;

    /// <summary>Completers that change the meaning, see <see cref="Completers"/>.</summary>
    [FieldOffset(29)] public Completers Completers;

    /// <summary>Hints that do not change the meaning (locality hint, branch whether/prefetch/deallocation hints), for the disassembler.</summary>
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

    /// <summary>Floating-point convert: truncate (fcvt.*.trunc); fixed-point to fp etc. have their own opcodes.</summary>
    Truncate = 16,
}
