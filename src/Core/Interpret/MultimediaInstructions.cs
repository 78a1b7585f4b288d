using FastXen.Core.Decode;
using FastXen.Core.Interpret.Multimedia;
using FastXen.Core.State;
using static FastXen.Core.Interpret.IntegerOperands;

namespace FastXen.Core.Interpret;

/// <summary>Parallel instructions on general registers (formats A9, A10, I1 to I9) and czx.</summary>
public static unsafe class MultimediaInstructions
{
    /// <summary>Enters the handlers of this class into the dispatch table.</summary>
    public static void Bind(delegate*<VcpuState*, Instruction*, int>* table)
    {
        table[(int)Opcode.Padd1] = &Padd1;
        table[(int)Opcode.Padd1Sss] = &Padd1Sss;
        table[(int)Opcode.Padd1Uuu] = &Padd1Uuu;
        table[(int)Opcode.Padd1Uus] = &Padd1Uus;
        table[(int)Opcode.Padd2] = &Padd2;
        table[(int)Opcode.Padd2Sss] = &Padd2Sss;
        table[(int)Opcode.Padd2Uuu] = &Padd2Uuu;
        table[(int)Opcode.Padd2Uus] = &Padd2Uus;
        table[(int)Opcode.Padd4] = &Padd4;
        table[(int)Opcode.Psub1] = &Psub1;
        table[(int)Opcode.Psub1Sss] = &Psub1Sss;
        table[(int)Opcode.Psub1Uuu] = &Psub1Uuu;
        table[(int)Opcode.Psub1Uus] = &Psub1Uus;
        table[(int)Opcode.Psub2] = &Psub2;
        table[(int)Opcode.Psub2Sss] = &Psub2Sss;
        table[(int)Opcode.Psub2Uuu] = &Psub2Uuu;
        table[(int)Opcode.Psub2Uus] = &Psub2Uus;
        table[(int)Opcode.Psub4] = &Psub4;
        table[(int)Opcode.Pavg1] = &Pavg1;
        table[(int)Opcode.Pavg2] = &Pavg2;
        table[(int)Opcode.Pavg1Raz] = &Pavg1Raz;
        table[(int)Opcode.Pavg2Raz] = &Pavg2Raz;
        table[(int)Opcode.Pavgsub1] = &Pavgsub1;
        table[(int)Opcode.Pavgsub2] = &Pavgsub2;
        table[(int)Opcode.Pcmp1Eq] = &Pcmp1Eq;
        table[(int)Opcode.Pcmp2Eq] = &Pcmp2Eq;
        table[(int)Opcode.Pcmp4Eq] = &Pcmp4Eq;
        table[(int)Opcode.Pcmp1Gt] = &Pcmp1Gt;
        table[(int)Opcode.Pcmp2Gt] = &Pcmp2Gt;
        table[(int)Opcode.Pcmp4Gt] = &Pcmp4Gt;
        table[(int)Opcode.Pshladd2] = &Pshladd2;
        table[(int)Opcode.Pshradd2] = &Pshradd2;
        table[(int)Opcode.Pmpyshr2] = &Pmpyshr2;
        table[(int)Opcode.Pmpyshr2U] = &Pmpyshr2U;
        table[(int)Opcode.Pmpy2R] = &Pmpy2R;
        table[(int)Opcode.Pmpy2L] = &Pmpy2L;
        table[(int)Opcode.Mpy4] = &Mpy4;
        table[(int)Opcode.Mpyshl4] = &Mpyshl4;
        table[(int)Opcode.Mix1R] = &Mix1R;
        table[(int)Opcode.Mix2R] = &Mix2R;
        table[(int)Opcode.Mix4R] = &Mix4R;
        table[(int)Opcode.Mix1L] = &Mix1L;
        table[(int)Opcode.Mix2L] = &Mix2L;
        table[(int)Opcode.Mix4L] = &Mix4L;
        table[(int)Opcode.Pack2Uss] = &Pack2Uss;
        table[(int)Opcode.Pack2Sss] = &Pack2Sss;
        table[(int)Opcode.Pack4Sss] = &Pack4Sss;
        table[(int)Opcode.Unpack1H] = &Unpack1H;
        table[(int)Opcode.Unpack2H] = &Unpack2H;
        table[(int)Opcode.Unpack4H] = &Unpack4H;
        table[(int)Opcode.Unpack1L] = &Unpack1L;
        table[(int)Opcode.Unpack2L] = &Unpack2L;
        table[(int)Opcode.Unpack4L] = &Unpack4L;
        table[(int)Opcode.Pmin1U] = &Pmin1U;
        table[(int)Opcode.Pmax1U] = &Pmax1U;
        table[(int)Opcode.Pmin2] = &Pmin2;
        table[(int)Opcode.Pmax2] = &Pmax2;
        table[(int)Opcode.Psad1] = &Psad1;
        table[(int)Opcode.Mux1] = &Mux1;
        table[(int)Opcode.Mux2] = &Mux2;
        table[(int)Opcode.Pshr2] = &Pshr2;
        table[(int)Opcode.Pshr4] = &Pshr4;
        table[(int)Opcode.Pshr2U] = &Pshr2U;
        table[(int)Opcode.Pshr4U] = &Pshr4U;
        table[(int)Opcode.Pshr2Immediate] = &Pshr2Immediate;
        table[(int)Opcode.Pshr4Immediate] = &Pshr4Immediate;
        table[(int)Opcode.Pshr2UImmediate] = &Pshr2UImmediate;
        table[(int)Opcode.Pshr4UImmediate] = &Pshr4UImmediate;
        table[(int)Opcode.Pshl2] = &Pshl2;
        table[(int)Opcode.Pshl4] = &Pshl4;
        table[(int)Opcode.Pshl2Immediate] = &Pshl2Immediate;
        table[(int)Opcode.Pshl4Immediate] = &Pshl4Immediate;
        table[(int)Opcode.Popcnt] = &Popcnt;
        table[(int)Opcode.Clz] = &Clz;
        table[(int)Opcode.Czx1L] = &Czx1L;
        table[(int)Opcode.Czx1R] = &Czx1R;
        table[(int)Opcode.Czx2L] = &Czx2L;
        table[(int)Opcode.Czx2R] = &Czx2R;
    }

    // Format A9.
    private static int Padd1(VcpuState* s, Instruction* i) => Result23(s, i, ParallelArithmetic.Add1(R2(s, i), R3(s, i)));

    private static int Padd1Sss(VcpuState* s, Instruction* i) => Result23(s, i, ParallelArithmetic.Add1Sss(R2(s, i), R3(s, i)));

    private static int Padd1Uuu(VcpuState* s, Instruction* i) => Result23(s, i, ParallelArithmetic.Add1Uuu(R2(s, i), R3(s, i)));

    private static int Padd1Uus(VcpuState* s, Instruction* i) => Result23(s, i, ParallelArithmetic.Add1Uus(R2(s, i), R3(s, i)));

    private static int Padd2(VcpuState* s, Instruction* i) => Result23(s, i, ParallelArithmetic.Add2(R2(s, i), R3(s, i)));

    private static int Padd2Sss(VcpuState* s, Instruction* i) => Result23(s, i, ParallelArithmetic.Add2Sss(R2(s, i), R3(s, i)));

    private static int Padd2Uuu(VcpuState* s, Instruction* i) => Result23(s, i, ParallelArithmetic.Add2Uuu(R2(s, i), R3(s, i)));

    private static int Padd2Uus(VcpuState* s, Instruction* i) => Result23(s, i, ParallelArithmetic.Add2Uus(R2(s, i), R3(s, i)));

    private static int Padd4(VcpuState* s, Instruction* i) => Result23(s, i, ParallelArithmetic.Add4(R2(s, i), R3(s, i)));

    private static int Psub1(VcpuState* s, Instruction* i) => Result23(s, i, ParallelArithmetic.Subtract1(R2(s, i), R3(s, i)));

    private static int Psub1Sss(VcpuState* s, Instruction* i) => Result23(s, i, ParallelArithmetic.Subtract1Sss(R2(s, i), R3(s, i)));

    private static int Psub1Uuu(VcpuState* s, Instruction* i) => Result23(s, i, ParallelArithmetic.Subtract1Uuu(R2(s, i), R3(s, i)));

    private static int Psub1Uus(VcpuState* s, Instruction* i) => Result23(s, i, ParallelArithmetic.Subtract1Uus(R2(s, i), R3(s, i)));

    private static int Psub2(VcpuState* s, Instruction* i) => Result23(s, i, ParallelArithmetic.Subtract2(R2(s, i), R3(s, i)));

    private static int Psub2Sss(VcpuState* s, Instruction* i) => Result23(s, i, ParallelArithmetic.Subtract2Sss(R2(s, i), R3(s, i)));

    private static int Psub2Uuu(VcpuState* s, Instruction* i) => Result23(s, i, ParallelArithmetic.Subtract2Uuu(R2(s, i), R3(s, i)));

    private static int Psub2Uus(VcpuState* s, Instruction* i) => Result23(s, i, ParallelArithmetic.Subtract2Uus(R2(s, i), R3(s, i)));

    private static int Psub4(VcpuState* s, Instruction* i) => Result23(s, i, ParallelArithmetic.Subtract4(R2(s, i), R3(s, i)));

    private static int Pavg1(VcpuState* s, Instruction* i) => Result23(s, i, ParallelArithmetic.Average1(R2(s, i), R3(s, i)));

    private static int Pavg2(VcpuState* s, Instruction* i) => Result23(s, i, ParallelArithmetic.Average2(R2(s, i), R3(s, i)));

    private static int Pavg1Raz(VcpuState* s, Instruction* i) => Result23(s, i, ParallelArithmetic.Average1Raz(R2(s, i), R3(s, i)));

    private static int Pavg2Raz(VcpuState* s, Instruction* i) => Result23(s, i, ParallelArithmetic.Average2Raz(R2(s, i), R3(s, i)));

    private static int Pavgsub1(VcpuState* s, Instruction* i) => Result23(s, i, ParallelArithmetic.AverageSubtract1(R2(s, i), R3(s, i)));

    private static int Pavgsub2(VcpuState* s, Instruction* i) => Result23(s, i, ParallelArithmetic.AverageSubtract2(R2(s, i), R3(s, i)));

    private static int Pcmp1Eq(VcpuState* s, Instruction* i) => Result23(s, i, ParallelArithmetic.CompareEqual1(R2(s, i), R3(s, i)));

    private static int Pcmp2Eq(VcpuState* s, Instruction* i) => Result23(s, i, ParallelArithmetic.CompareEqual2(R2(s, i), R3(s, i)));

    private static int Pcmp4Eq(VcpuState* s, Instruction* i) => Result23(s, i, ParallelArithmetic.CompareEqual4(R2(s, i), R3(s, i)));

    private static int Pcmp1Gt(VcpuState* s, Instruction* i) => Result23(s, i, ParallelArithmetic.CompareGreater1(R2(s, i), R3(s, i)));

    private static int Pcmp2Gt(VcpuState* s, Instruction* i) => Result23(s, i, ParallelArithmetic.CompareGreater2(R2(s, i), R3(s, i)));

    private static int Pcmp4Gt(VcpuState* s, Instruction* i) => Result23(s, i, ParallelArithmetic.CompareGreater4(R2(s, i), R3(s, i)));

    // Format A10.
    private static int Pshladd2(VcpuState* s, Instruction* i) => Result23(s, i, ParallelArithmetic.ShiftLeftAdd2(R2(s, i), i->Position, R3(s, i)));

    private static int Pshradd2(VcpuState* s, Instruction* i) => Result23(s, i, ParallelArithmetic.ShiftRightAdd2(R2(s, i), i->Position, R3(s, i)));

    // Formats I1 and I2.
    private static int Pmpyshr2(VcpuState* s, Instruction* i) => Result23(s, i, ParallelMultiply.ShiftRight2(R2(s, i), R3(s, i), i->Position));

    private static int Pmpyshr2U(VcpuState* s, Instruction* i) => Result23(s, i, ParallelMultiply.ShiftRight2U(R2(s, i), R3(s, i), i->Position));

    private static int Pmpy2R(VcpuState* s, Instruction* i) => Result23(s, i, ParallelMultiply.Right2(R2(s, i), R3(s, i)));

    private static int Pmpy2L(VcpuState* s, Instruction* i) => Result23(s, i, ParallelMultiply.Left2(R2(s, i), R3(s, i)));

    private static int Mpy4(VcpuState* s, Instruction* i) => Result23(s, i, ParallelMultiply.Multiply4(R2(s, i), R3(s, i)));

    private static int Mpyshl4(VcpuState* s, Instruction* i) => Result23(s, i, ParallelMultiply.MultiplyShiftLeft4(R2(s, i), R3(s, i)));

    private static int Mix1R(VcpuState* s, Instruction* i) => Result23(s, i, DataArrangement.Mix1R(R2(s, i), R3(s, i)));

    private static int Mix2R(VcpuState* s, Instruction* i) => Result23(s, i, DataArrangement.Mix2R(R2(s, i), R3(s, i)));

    private static int Mix4R(VcpuState* s, Instruction* i) => Result23(s, i, DataArrangement.Mix4R(R2(s, i), R3(s, i)));

    private static int Mix1L(VcpuState* s, Instruction* i) => Result23(s, i, DataArrangement.Mix1L(R2(s, i), R3(s, i)));

    private static int Mix2L(VcpuState* s, Instruction* i) => Result23(s, i, DataArrangement.Mix2L(R2(s, i), R3(s, i)));

    private static int Mix4L(VcpuState* s, Instruction* i) => Result23(s, i, DataArrangement.Mix4L(R2(s, i), R3(s, i)));

    private static int Pack2Uss(VcpuState* s, Instruction* i) => Result23(s, i, DataArrangement.Pack2Uss(R2(s, i), R3(s, i)));

    private static int Pack2Sss(VcpuState* s, Instruction* i) => Result23(s, i, DataArrangement.Pack2Sss(R2(s, i), R3(s, i)));

    private static int Pack4Sss(VcpuState* s, Instruction* i) => Result23(s, i, DataArrangement.Pack4Sss(R2(s, i), R3(s, i)));

    private static int Unpack1H(VcpuState* s, Instruction* i) => Result23(s, i, DataArrangement.Unpack1H(R2(s, i), R3(s, i)));

    private static int Unpack2H(VcpuState* s, Instruction* i) => Result23(s, i, DataArrangement.Unpack2H(R2(s, i), R3(s, i)));

    private static int Unpack4H(VcpuState* s, Instruction* i) => Result23(s, i, DataArrangement.Unpack4H(R2(s, i), R3(s, i)));

    private static int Unpack1L(VcpuState* s, Instruction* i) => Result23(s, i, DataArrangement.Unpack1L(R2(s, i), R3(s, i)));

    private static int Unpack2L(VcpuState* s, Instruction* i) => Result23(s, i, DataArrangement.Unpack2L(R2(s, i), R3(s, i)));

    private static int Unpack4L(VcpuState* s, Instruction* i) => Result23(s, i, DataArrangement.Unpack4L(R2(s, i), R3(s, i)));

    private static int Pmin1U(VcpuState* s, Instruction* i) => Result23(s, i, ParallelArithmetic.Minimum1U(R2(s, i), R3(s, i)));

    private static int Pmax1U(VcpuState* s, Instruction* i) => Result23(s, i, ParallelArithmetic.Maximum1U(R2(s, i), R3(s, i)));

    private static int Pmin2(VcpuState* s, Instruction* i) => Result23(s, i, ParallelArithmetic.Minimum2(R2(s, i), R3(s, i)));

    private static int Pmax2(VcpuState* s, Instruction* i) => Result23(s, i, ParallelArithmetic.Maximum2(R2(s, i), R3(s, i)));

    private static int Psad1(VcpuState* s, Instruction* i) => Result23(s, i, ParallelArithmetic.SumOfAbsoluteDifferences1(R2(s, i), R3(s, i)));

    // Formats I3 and I4.
    private static int Mux1(VcpuState* s, Instruction* i)
    {
        ulong x = R2(s, i);
        return Result2(s, i, i->Selector switch
        {
            0x0 => DataArrangement.Mux1Brcst(x),
            0x8 => DataArrangement.Mux1Mix(x),
            0x9 => DataArrangement.Mux1Shuf(x),
            0xa => DataArrangement.Mux1Alt(x),
            _ => DataArrangement.Mux1Rev(x),
        });
    }

    private static int Mux2(VcpuState* s, Instruction* i) => Result2(s, i, DataArrangement.Mux2(R2(s, i), i->Selector));

    // Formats I5 and I6: GR r3 is shifted, by GR r2.
    private static int Pshr2(VcpuState* s, Instruction* i) => Result23(s, i, ParallelShift.Right2(R3(s, i), R2(s, i)));

    private static int Pshr4(VcpuState* s, Instruction* i) => Result23(s, i, ParallelShift.Right4(R3(s, i), R2(s, i)));

    private static int Pshr2U(VcpuState* s, Instruction* i) => Result23(s, i, ParallelShift.Right2U(R3(s, i), R2(s, i)));

    private static int Pshr4U(VcpuState* s, Instruction* i) => Result23(s, i, ParallelShift.Right4U(R3(s, i), R2(s, i)));

    private static int Pshr2Immediate(VcpuState* s, Instruction* i) => Result3(s, i, ParallelShift.Right2(R3(s, i), i->Position));

    private static int Pshr4Immediate(VcpuState* s, Instruction* i) => Result3(s, i, ParallelShift.Right4(R3(s, i), i->Position));

    private static int Pshr2UImmediate(VcpuState* s, Instruction* i) => Result3(s, i, ParallelShift.Right2U(R3(s, i), i->Position));

    private static int Pshr4UImmediate(VcpuState* s, Instruction* i) => Result3(s, i, ParallelShift.Right4U(R3(s, i), i->Position));

    // Formats I7 and I8: GR r2 is shifted, by GR r3.
    private static int Pshl2(VcpuState* s, Instruction* i) => Result23(s, i, ParallelShift.Left2(R2(s, i), R3(s, i)));

    private static int Pshl4(VcpuState* s, Instruction* i) => Result23(s, i, ParallelShift.Left4(R2(s, i), R3(s, i)));

    private static int Pshl2Immediate(VcpuState* s, Instruction* i) => Result2(s, i, ParallelShift.Left2(R2(s, i), i->Position));

    private static int Pshl4Immediate(VcpuState* s, Instruction* i) => Result2(s, i, ParallelShift.Left4(R2(s, i), i->Position));

    // Format I9, and czx of I29.
    private static int Popcnt(VcpuState* s, Instruction* i) => Result3(s, i, ParallelArithmetic.PopulationCount(R3(s, i)));

    private static int Clz(VcpuState* s, Instruction* i) => Result3(s, i, ParallelArithmetic.CountLeadingZeros(R3(s, i)));

    private static int Czx1L(VcpuState* s, Instruction* i) => Result3(s, i, DataArrangement.ZeroIndex1L(R3(s, i)));

    private static int Czx1R(VcpuState* s, Instruction* i) => Result3(s, i, DataArrangement.ZeroIndex1R(R3(s, i)));

    private static int Czx2L(VcpuState* s, Instruction* i) => Result3(s, i, DataArrangement.ZeroIndex2L(R3(s, i)));

    private static int Czx2R(VcpuState* s, Instruction* i) => Result3(s, i, DataArrangement.ZeroIndex2R(R3(s, i)));
}
