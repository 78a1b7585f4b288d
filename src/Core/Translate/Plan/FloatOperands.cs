using FastXen.Core.Decode;

namespace FastXen.Core.Translate;

/// <summary>The floating-point registers that an instruction names; 0 for none.</summary>
/// <param name="Target">Written.</param>
/// <param name="A">Read.</param>
/// <param name="B">Read.</param>
/// <param name="C">Read.</param>
internal readonly unsafe record struct FloatOperands(uint Target, uint A, uint B, uint C)
{
    /// <summary>True for instructions that may name floating-point registers.</summary>
    public static bool Names(in IrInstruction ir) => ir.Opcode switch
    {
        IrOpcode.Float or IrOpcode.FloatCompare or IrOpcode.FloatLoad or IrOpcode.FloatStore => true,
        IrOpcode.Handler => ir.Guest->Opcode is (>= Opcode.Ldfs and <= Opcode.Ldfp8CNc) or (>= Opcode.SetfSig and <= Opcode.GetfD) or Opcode.ChkSFloat
            or (>= Opcode.Fma and <= Opcode.FcvtXf),
        _ => false,
    };

    /// <summary>The operands of an instruction for which <see cref="Names"/> holds.</summary>
    public static FloatOperands Of(in IrInstruction ir)
    {
        Instruction* i = ir.Guest;
        return ir.Opcode switch
        {
            IrOpcode.FloatLoad => new FloatOperands(i->R1, 0, 0, 0),
            IrOpcode.FloatStore => new FloatOperands(0, i->R2, 0, 0),
            IrOpcode.FloatCompare => new FloatOperands(0, i->R2, i->R3, 0),
            IrOpcode.Float when i->Opcode is Opcode.SetfD or Opcode.SetfS or Opcode.SetfSig => new FloatOperands(i->R1, 0, 0, 0),
            IrOpcode.Float when i->Opcode is Opcode.GetfD or Opcode.GetfS or Opcode.GetfSig or Opcode.GetfExp => new FloatOperands(0, i->R2, 0, 0),
            _ => new FloatOperands(i->R1, i->R2, i->R3, i->R4),
        };
    }

    /// <summary>True when the instruction takes and gives doubles on the host's unit.</summary>
    public bool AreDoubles(in IrInstruction ir, in FloatContext context)
    {
        Instruction* i = ir.Guest;
        return ir.Opcode switch
        {
            IrOpcode.FloatCompare => true,
            IrOpcode.FloatLoad => i->Opcode is (>= Opcode.Ldfd and <= Opcode.LdfdCNc) or Opcode.Ldfs or Opcode.LdfsS,
            IrOpcode.FloatStore => i->Opcode is Opcode.Stfd or Opcode.Stfs,
            IrOpcode.Float => i->Opcode switch
            {
                Opcode.SetfD or Opcode.GetfD or Opcode.SetfS or Opcode.GetfS => true,
                Opcode.Fma or Opcode.Fms or Opcode.Fnma => context.IsOnHost((uint)i->Completers >> 2 & 3, i->Selector),
                Opcode.FmergeS or Opcode.FmergeNs => B >= 2 && (A == B || A == 0),
                _ => false,
            },
            _ => false,
        };
    }
}
