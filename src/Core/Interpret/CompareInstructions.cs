using FastXen.Core.Decode;
using FastXen.Core.State;

namespace FastXen.Core.Interpret;

/// <summary>Enters the compares and bit tests into the dispatch table.</summary>
public static unsafe class CompareInstructions
{
    /// <summary>Enters the handlers of cmp, cmp4, tbit, tnat and tf into the dispatch table.</summary>
    public static void Bind(delegate*<VcpuState*, Instruction*, int>* table)
    {
        BindCmpRegisters(table);
        BindCmpImmediate(table);
        BindCmpZero(table);
        BindCmp4Registers(table);
        BindCmp4Immediate(table);
        BindCmp4Zero(table);
        BindTbit(table);
        BindTnat(table);
        BindTf(table);
    }

    private static void BindCmpRegisters(delegate*<VcpuState*, Instruction*, int>* table)
    {
        table[(int)Opcode.CmpLt] = &Compare<RegisterPair<Lt>, Plain>.Execute;
        table[(int)Opcode.CmpLtUnc] = &Compare<RegisterPair<Lt>, Unc>.Execute;
        table[(int)Opcode.CmpLtu] = &Compare<RegisterPair<Ltu>, Plain>.Execute;
        table[(int)Opcode.CmpLtuUnc] = &Compare<RegisterPair<Ltu>, Unc>.Execute;
        table[(int)Opcode.CmpEq] = &Compare<RegisterPair<Eq>, Plain>.Execute;
        table[(int)Opcode.CmpEqUnc] = &Compare<RegisterPair<Eq>, Unc>.Execute;
        table[(int)Opcode.CmpEqAnd] = &Compare<RegisterPair<Eq>, AndType>.Execute;
        table[(int)Opcode.CmpEqOr] = &Compare<RegisterPair<Eq>, OrType>.Execute;
        table[(int)Opcode.CmpEqOrAndcm] = &Compare<RegisterPair<Eq>, OrAndcmType>.Execute;
        table[(int)Opcode.CmpNeAnd] = &Compare<RegisterPair<Ne>, AndType>.Execute;
        table[(int)Opcode.CmpNeOr] = &Compare<RegisterPair<Ne>, OrType>.Execute;
        table[(int)Opcode.CmpNeOrAndcm] = &Compare<RegisterPair<Ne>, OrAndcmType>.Execute;
    }

    private static void BindCmpImmediate(delegate*<VcpuState*, Instruction*, int>* table)
    {
        table[(int)Opcode.CmpLtImmediate] = &Compare<ImmediateRegister<Lt>, Plain>.Execute;
        table[(int)Opcode.CmpLtUncImmediate] = &Compare<ImmediateRegister<Lt>, Unc>.Execute;
        table[(int)Opcode.CmpLtuImmediate] = &Compare<ImmediateRegister<Ltu>, Plain>.Execute;
        table[(int)Opcode.CmpLtuUncImmediate] = &Compare<ImmediateRegister<Ltu>, Unc>.Execute;
        table[(int)Opcode.CmpEqImmediate] = &Compare<ImmediateRegister<Eq>, Plain>.Execute;
        table[(int)Opcode.CmpEqUncImmediate] = &Compare<ImmediateRegister<Eq>, Unc>.Execute;
        table[(int)Opcode.CmpEqAndImmediate] = &Compare<ImmediateRegister<Eq>, AndType>.Execute;
        table[(int)Opcode.CmpEqOrImmediate] = &Compare<ImmediateRegister<Eq>, OrType>.Execute;
        table[(int)Opcode.CmpEqOrAndcmImmediate] = &Compare<ImmediateRegister<Eq>, OrAndcmType>.Execute;
        table[(int)Opcode.CmpNeAndImmediate] = &Compare<ImmediateRegister<Ne>, AndType>.Execute;
        table[(int)Opcode.CmpNeOrImmediate] = &Compare<ImmediateRegister<Ne>, OrType>.Execute;
        table[(int)Opcode.CmpNeOrAndcmImmediate] = &Compare<ImmediateRegister<Ne>, OrAndcmType>.Execute;
    }

    private static void BindCmpZero(delegate*<VcpuState*, Instruction*, int>* table)
    {
        table[(int)Opcode.CmpGtZeroAnd] = &Compare<RegisterPair<Gt>, AndType>.Execute;
        table[(int)Opcode.CmpGtZeroOr] = &Compare<RegisterPair<Gt>, OrType>.Execute;
        table[(int)Opcode.CmpGtZeroOrAndcm] = &Compare<RegisterPair<Gt>, OrAndcmType>.Execute;
        table[(int)Opcode.CmpLeZeroAnd] = &Compare<RegisterPair<Le>, AndType>.Execute;
        table[(int)Opcode.CmpLeZeroOr] = &Compare<RegisterPair<Le>, OrType>.Execute;
        table[(int)Opcode.CmpLeZeroOrAndcm] = &Compare<RegisterPair<Le>, OrAndcmType>.Execute;
        table[(int)Opcode.CmpGeZeroAnd] = &Compare<RegisterPair<Ge>, AndType>.Execute;
        table[(int)Opcode.CmpGeZeroOr] = &Compare<RegisterPair<Ge>, OrType>.Execute;
        table[(int)Opcode.CmpGeZeroOrAndcm] = &Compare<RegisterPair<Ge>, OrAndcmType>.Execute;
        table[(int)Opcode.CmpLtZeroAnd] = &Compare<RegisterPair<Lt>, AndType>.Execute;
        table[(int)Opcode.CmpLtZeroOr] = &Compare<RegisterPair<Lt>, OrType>.Execute;
        table[(int)Opcode.CmpLtZeroOrAndcm] = &Compare<RegisterPair<Lt>, OrAndcmType>.Execute;
    }

    private static void BindCmp4Registers(delegate*<VcpuState*, Instruction*, int>* table)
    {
        table[(int)Opcode.Cmp4Lt] = &Compare<RegisterPair<Lt4>, Plain>.Execute;
        table[(int)Opcode.Cmp4LtUnc] = &Compare<RegisterPair<Lt4>, Unc>.Execute;
        table[(int)Opcode.Cmp4Ltu] = &Compare<RegisterPair<Ltu4>, Plain>.Execute;
        table[(int)Opcode.Cmp4LtuUnc] = &Compare<RegisterPair<Ltu4>, Unc>.Execute;
        table[(int)Opcode.Cmp4Eq] = &Compare<RegisterPair<Eq4>, Plain>.Execute;
        table[(int)Opcode.Cmp4EqUnc] = &Compare<RegisterPair<Eq4>, Unc>.Execute;
        table[(int)Opcode.Cmp4EqAnd] = &Compare<RegisterPair<Eq4>, AndType>.Execute;
        table[(int)Opcode.Cmp4EqOr] = &Compare<RegisterPair<Eq4>, OrType>.Execute;
        table[(int)Opcode.Cmp4EqOrAndcm] = &Compare<RegisterPair<Eq4>, OrAndcmType>.Execute;
        table[(int)Opcode.Cmp4NeAnd] = &Compare<RegisterPair<Ne4>, AndType>.Execute;
        table[(int)Opcode.Cmp4NeOr] = &Compare<RegisterPair<Ne4>, OrType>.Execute;
        table[(int)Opcode.Cmp4NeOrAndcm] = &Compare<RegisterPair<Ne4>, OrAndcmType>.Execute;
    }

    private static void BindCmp4Immediate(delegate*<VcpuState*, Instruction*, int>* table)
    {
        table[(int)Opcode.Cmp4LtImmediate] = &Compare<ImmediateRegister<Lt4>, Plain>.Execute;
        table[(int)Opcode.Cmp4LtUncImmediate] = &Compare<ImmediateRegister<Lt4>, Unc>.Execute;
        table[(int)Opcode.Cmp4LtuImmediate] = &Compare<ImmediateRegister<Ltu4>, Plain>.Execute;
        table[(int)Opcode.Cmp4LtuUncImmediate] = &Compare<ImmediateRegister<Ltu4>, Unc>.Execute;
        table[(int)Opcode.Cmp4EqImmediate] = &Compare<ImmediateRegister<Eq4>, Plain>.Execute;
        table[(int)Opcode.Cmp4EqUncImmediate] = &Compare<ImmediateRegister<Eq4>, Unc>.Execute;
        table[(int)Opcode.Cmp4EqAndImmediate] = &Compare<ImmediateRegister<Eq4>, AndType>.Execute;
        table[(int)Opcode.Cmp4EqOrImmediate] = &Compare<ImmediateRegister<Eq4>, OrType>.Execute;
        table[(int)Opcode.Cmp4EqOrAndcmImmediate] = &Compare<ImmediateRegister<Eq4>, OrAndcmType>.Execute;
        table[(int)Opcode.Cmp4NeAndImmediate] = &Compare<ImmediateRegister<Ne4>, AndType>.Execute;
        table[(int)Opcode.Cmp4NeOrImmediate] = &Compare<ImmediateRegister<Ne4>, OrType>.Execute;
        table[(int)Opcode.Cmp4NeOrAndcmImmediate] = &Compare<ImmediateRegister<Ne4>, OrAndcmType>.Execute;
    }

    private static void BindCmp4Zero(delegate*<VcpuState*, Instruction*, int>* table)
    {
        table[(int)Opcode.Cmp4GtZeroAnd] = &Compare<RegisterPair<Gt4>, AndType>.Execute;
        table[(int)Opcode.Cmp4GtZeroOr] = &Compare<RegisterPair<Gt4>, OrType>.Execute;
        table[(int)Opcode.Cmp4GtZeroOrAndcm] = &Compare<RegisterPair<Gt4>, OrAndcmType>.Execute;
        table[(int)Opcode.Cmp4LeZeroAnd] = &Compare<RegisterPair<Le4>, AndType>.Execute;
        table[(int)Opcode.Cmp4LeZeroOr] = &Compare<RegisterPair<Le4>, OrType>.Execute;
        table[(int)Opcode.Cmp4LeZeroOrAndcm] = &Compare<RegisterPair<Le4>, OrAndcmType>.Execute;
        table[(int)Opcode.Cmp4GeZeroAnd] = &Compare<RegisterPair<Ge4>, AndType>.Execute;
        table[(int)Opcode.Cmp4GeZeroOr] = &Compare<RegisterPair<Ge4>, OrType>.Execute;
        table[(int)Opcode.Cmp4GeZeroOrAndcm] = &Compare<RegisterPair<Ge4>, OrAndcmType>.Execute;
        table[(int)Opcode.Cmp4LtZeroAnd] = &Compare<RegisterPair<Lt4>, AndType>.Execute;
        table[(int)Opcode.Cmp4LtZeroOr] = &Compare<RegisterPair<Lt4>, OrType>.Execute;
        table[(int)Opcode.Cmp4LtZeroOrAndcm] = &Compare<RegisterPair<Lt4>, OrAndcmType>.Execute;
    }

    private static void BindTbit(delegate*<VcpuState*, Instruction*, int>* table)
    {
        table[(int)Opcode.TbitZ] = &Compare<IsZero<RegisterBit>, Plain>.Execute;
        table[(int)Opcode.TbitZUnc] = &Compare<IsZero<RegisterBit>, Unc>.Execute;
        table[(int)Opcode.TbitZAnd] = &Compare<IsZero<RegisterBit>, AndType>.Execute;
        table[(int)Opcode.TbitNzAnd] = &Compare<IsNonzero<RegisterBit>, AndType>.Execute;
        table[(int)Opcode.TbitZOr] = &Compare<IsZero<RegisterBit>, OrType>.Execute;
        table[(int)Opcode.TbitNzOr] = &Compare<IsNonzero<RegisterBit>, OrType>.Execute;
        table[(int)Opcode.TbitZOrAndcm] = &Compare<IsZero<RegisterBit>, OrAndcmType>.Execute;
        table[(int)Opcode.TbitNzOrAndcm] = &Compare<IsNonzero<RegisterBit>, OrAndcmType>.Execute;
    }

    private static void BindTnat(delegate*<VcpuState*, Instruction*, int>* table)
    {
        table[(int)Opcode.TnatZ] = &Compare<IsZero<NatBit>, Plain>.Execute;
        table[(int)Opcode.TnatZUnc] = &Compare<IsZero<NatBit>, Unc>.Execute;
        table[(int)Opcode.TnatZAnd] = &Compare<IsZero<NatBit>, AndType>.Execute;
        table[(int)Opcode.TnatNzAnd] = &Compare<IsNonzero<NatBit>, AndType>.Execute;
        table[(int)Opcode.TnatZOr] = &Compare<IsZero<NatBit>, OrType>.Execute;
        table[(int)Opcode.TnatNzOr] = &Compare<IsNonzero<NatBit>, OrType>.Execute;
        table[(int)Opcode.TnatZOrAndcm] = &Compare<IsZero<NatBit>, OrAndcmType>.Execute;
        table[(int)Opcode.TnatNzOrAndcm] = &Compare<IsNonzero<NatBit>, OrAndcmType>.Execute;
    }

    private static void BindTf(delegate*<VcpuState*, Instruction*, int>* table)
    {
        table[(int)Opcode.TfZ] = &Compare<IsZero<FeatureBit>, Plain>.Execute;
        table[(int)Opcode.TfZUnc] = &Compare<IsZero<FeatureBit>, Unc>.Execute;
        table[(int)Opcode.TfZAnd] = &Compare<IsZero<FeatureBit>, AndType>.Execute;
        table[(int)Opcode.TfNzAnd] = &Compare<IsNonzero<FeatureBit>, AndType>.Execute;
        table[(int)Opcode.TfZOr] = &Compare<IsZero<FeatureBit>, OrType>.Execute;
        table[(int)Opcode.TfNzOr] = &Compare<IsNonzero<FeatureBit>, OrType>.Execute;
        table[(int)Opcode.TfZOrAndcm] = &Compare<IsZero<FeatureBit>, OrAndcmType>.Execute;
        table[(int)Opcode.TfNzOrAndcm] = &Compare<IsNonzero<FeatureBit>, OrAndcmType>.Execute;
    }
}
