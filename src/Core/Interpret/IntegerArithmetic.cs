using FastXen.Core.Decode;
using FastXen.Core.State;
using static FastXen.Core.Interpret.IntegerOperands;

namespace FastXen.Core.Interpret;

/// <summary>Integer arithmetic and logic (formats A1 to A5 and X2).</summary>
public static unsafe class IntegerArithmetic
{
    /// <summary>Enters the handlers of this class into the dispatch table.</summary>
    public static void Bind(delegate*<VcpuState*, Instruction*, int>* table)
    {
        table[(int)Opcode.Add] = &Add;
        table[(int)Opcode.AddPlusOne] = &AddPlusOne;
        table[(int)Opcode.Sub] = &Sub;
        table[(int)Opcode.SubMinusOne] = &SubMinusOne;
        table[(int)Opcode.Addp4] = &Addp4;
        table[(int)Opcode.And] = &And;
        table[(int)Opcode.Andcm] = &Andcm;
        table[(int)Opcode.Or] = &Or;
        table[(int)Opcode.Xor] = &Xor;
        table[(int)Opcode.Shladd] = &Shladd;
        table[(int)Opcode.Shladdp4] = &Shladdp4;
        table[(int)Opcode.SubImmediate] = &SubImmediate;
        table[(int)Opcode.AndImmediate] = &AndImmediate;
        table[(int)Opcode.AndcmImmediate] = &AndcmImmediate;
        table[(int)Opcode.OrImmediate] = &OrImmediate;
        table[(int)Opcode.XorImmediate] = &XorImmediate;
        table[(int)Opcode.AddsImmediate] = &AddImmediate;
        table[(int)Opcode.Addp4Immediate] = &Addp4Immediate;
        table[(int)Opcode.AddlImmediate] = &AddImmediate;
        table[(int)Opcode.Movl] = &Movl;
    }

    private static int Add(VcpuState* s, Instruction* i) => Result23(s, i, R2(s, i) + R3(s, i));

    private static int AddPlusOne(VcpuState* s, Instruction* i) => Result23(s, i, R2(s, i) + R3(s, i) + 1);

    private static int Sub(VcpuState* s, Instruction* i) => Result23(s, i, R2(s, i) - R3(s, i));

    private static int SubMinusOne(VcpuState* s, Instruction* i) => Result23(s, i, R2(s, i) - R3(s, i) - 1);

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

    private static int Shladd(VcpuState* s, Instruction* i) => Result23(s, i, (R2(s, i) << i->Position) + R3(s, i));

    private static int Shladdp4(VcpuState* s, Instruction* i) => Result23(s, i, Pointer4((R2(s, i) << i->Position) + R3(s, i), R3(s, i)));

    private static int Addp4(VcpuState* s, Instruction* i) => Result23(s, i, Pointer4(R2(s, i) + R3(s, i), R3(s, i)));

    private static int Addp4Immediate(VcpuState* s, Instruction* i) => Result3(s, i, Pointer4(i->Immediate + R3(s, i), R3(s, i)));

    private static int Movl(VcpuState* s, Instruction* i) => Result(s, i, i->Immediate, 0);

    /// <summary>A 32-bit pointer as a 64-bit one: bits 31:30 of the base name the region (SDM vol 3, addp4).</summary>
    private static ulong Pointer4(ulong sum, ulong @base) => (uint)sum | (@base & 0xc000_0000) << 31;
}
