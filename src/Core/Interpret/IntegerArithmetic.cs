using FastXen.Core.Decode;
using FastXen.Core.State;
using static FastXen.Core.Interpret.IntegerOperands;

namespace FastXen.Core.Interpret;

/// <summary>Integer arithmetic and logic (formats A1 to A5, X2) and the integer multiplications of later processors.</summary>
public static unsafe partial class IntegerArithmetic
{
    private static int Add(VcpuState* s, Instruction* i) => Result23(s, i, R2(s, i) + R3(s, i));

    private static int AddOne(VcpuState* s, Instruction* i) => Result23(s, i, R2(s, i) + R3(s, i) + 1);

    private static int Sub(VcpuState* s, Instruction* i) => Result23(s, i, R2(s, i) - R3(s, i));

    private static int SubOne(VcpuState* s, Instruction* i) => Result23(s, i, R2(s, i) - R3(s, i) - 1);

    private static int SubImmediate(VcpuState* s, Instruction* i) => Result3(s, i, i->Immediate - R3(s, i));

    /// <summary>adds and addl, and the moves that are spelled with them.</summary>
    private static int AddImmediate(VcpuState* s, Instruction* i) => Result3(s, i, R3(s, i) + i->Immediate);

    private static int And(VcpuState* s, Instruction* i) => Result23(s, i, R2(s, i) & R3(s, i));

    private static int AndImmediate(VcpuState* s, Instruction* i) => Result3(s, i, i->Immediate & R3(s, i));

    private static int Andcm(VcpuState* s, Instruction* i) => Result23(s, i, R2(s, i) & ~R3(s, i));

    private static int AndcmImmediate(VcpuState* s, Instruction* i) => Result3(s, i, i->Immediate & ~R3(s, i));

    private static int Or(VcpuState* s, Instruction* i) => Result23(s, i, R2(s, i) | R3(s, i));

    private static int OrImmediate(VcpuState* s, Instruction* i) => Result3(s, i, i->Immediate | R3(s, i));

    private static int Xor(VcpuState* s, Instruction* i) => Result23(s, i, R2(s, i) ^ R3(s, i));

    private static int XorImmediate(VcpuState* s, Instruction* i) => Result3(s, i, i->Immediate ^ R3(s, i));

    private static int Shladd(VcpuState* s, Instruction* i) => Result23(s, i, (R2(s, i) << (int)i->Immediate) + R3(s, i));

    private static int Shladdp4(VcpuState* s, Instruction* i) => Result23(s, i, Pointer4((R2(s, i) << (int)i->Immediate) + R3(s, i), R3(s, i)));

    private static int Addp4(VcpuState* s, Instruction* i) => Result23(s, i, Pointer4(R2(s, i) + R3(s, i), R3(s, i)));

    private static int Addp4Immediate(VcpuState* s, Instruction* i) => Result3(s, i, Pointer4(i->Immediate + R3(s, i), R3(s, i)));

    private static int Movl(VcpuState* s, Instruction* i) => Result(s, i, i->Immediate, 0);

    /// <summary>A 32-bit pointer as a 64-bit one: bits 31:30 of the base name the region (SDM vol 3, addp4).</summary>
    private static ulong Pointer4(ulong sum, ulong @base) => (uint)sum | (@base & 0xc000_0000) << 31;
}
