using FastXen.Core.Decode;
using FastXen.Core.State;
using static FastXen.Core.Interpret.IntegerOperands;

namespace FastXen.Core.Interpret;

/// <summary>Shifts, bit fields and extensions (formats I5, I7, I10 to I15, I29).</summary>
public static unsafe class BitField
{
    /// <summary>Enters the handlers of this class into the dispatch table.</summary>
    public static void Bind(delegate*<VcpuState*, Instruction*, int>* table)
    {
        table[(int)Opcode.Shl] = &Shl;
        table[(int)Opcode.Shr] = &Shr;
        table[(int)Opcode.ShrU] = &ShrU;
        table[(int)Opcode.Shrp] = &Shrp;
        table[(int)Opcode.Extr] = &Extr;
        table[(int)Opcode.ExtrU] = &ExtrU;
        table[(int)Opcode.DepZ] = &DepZ;
        table[(int)Opcode.DepZImmediate] = &DepZImmediate;
        table[(int)Opcode.Dep] = &Dep;
        table[(int)Opcode.DepImmediate] = &DepImmediate;
        table[(int)Opcode.Zxt1] = &Zxt1;
        table[(int)Opcode.Zxt2] = &Zxt2;
        table[(int)Opcode.Zxt4] = &Zxt4;
        table[(int)Opcode.Sxt1] = &Sxt1;
        table[(int)Opcode.Sxt2] = &Sxt2;
        table[(int)Opcode.Sxt4] = &Sxt4;
    }

    private static int Shl(VcpuState* s, Instruction* i)
    {
        ulong count = R3(s, i);
        return Result23(s, i, count > 63 ? 0 : R2(s, i) << (int)count);
    }

    private static int Shr(VcpuState* s, Instruction* i) => Result23(s, i, (ulong)((long)R3(s, i) >> (int)ulong.Min(R2(s, i), 63)));

    private static int ShrU(VcpuState* s, Instruction* i)
    {
        ulong count = R2(s, i);
        return Result23(s, i, count > 63 ? 0 : R3(s, i) >> (int)count);
    }

    private static int Shrp(VcpuState* s, Instruction* i)
    {
        int count = i->Position;
        // In two steps, because a count of 0 takes nothing of r2 and the host takes counts modulo 64.
        return Result23(s, i, R3(s, i) >> count | R2(s, i) << 1 << (63 - count));
    }

    private static int Extr(VcpuState* s, Instruction* i)
    {
        int length = Clip(i);
        return Result3(s, i, (ulong)((long)(R3(s, i) << (64 - i->Position - length)) >> (64 - length)));
    }

    private static int ExtrU(VcpuState* s, Instruction* i) => Result3(s, i, R3(s, i) >> i->Position & Mask(Clip(i)));

    private static int DepZ(VcpuState* s, Instruction* i) => Result2(s, i, (R2(s, i) & Mask(Clip(i))) << i->Position);

    private static int DepZImmediate(VcpuState* s, Instruction* i) => Result(s, i, (i->Immediate & Mask(Clip(i))) << i->Position, 0);

    private static int Dep(VcpuState* s, Instruction* i) => Result23(s, i, Deposit(i, R2(s, i), R3(s, i)));

    private static int DepImmediate(VcpuState* s, Instruction* i) => Result3(s, i, Deposit(i, i->Immediate, R3(s, i)));

    private static int Zxt1(VcpuState* s, Instruction* i) => Result3(s, i, (byte)R3(s, i));

    private static int Zxt2(VcpuState* s, Instruction* i) => Result3(s, i, (ushort)R3(s, i));

    private static int Zxt4(VcpuState* s, Instruction* i) => Result3(s, i, (uint)R3(s, i));

    private static int Sxt1(VcpuState* s, Instruction* i) => Result3(s, i, (ulong)(sbyte)R3(s, i));

    private static int Sxt2(VcpuState* s, Instruction* i) => Result3(s, i, (ulong)(short)R3(s, i));

    private static int Sxt4(VcpuState* s, Instruction* i) => Result3(s, i, (ulong)(int)R3(s, i));

    private static ulong Deposit(Instruction* i, ulong field, ulong into)
    {
        ulong mask = Mask(Clip(i)) << i->Position;
        return field << i->Position & mask | into & ~mask;
    }

    /// <summary>The length of the field, 1 to 64, cut off at bit 63.</summary>
    private static int Clip(Instruction* i) => int.Min(i->Length, 64 - i->Position);

    private static ulong Mask(int length) => ulong.MaxValue >> (64 - length);
}
