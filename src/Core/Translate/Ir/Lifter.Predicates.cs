using FastXen.Core.Decode;

namespace FastXen.Core.Translate;

/// <summary>Compares and bit tests.</summary>
internal static unsafe partial class Lifter
{
    // The forms of a compare of two registers (or an immediate and a register), in the order of Opcode from CmpLt.
    private static readonly (Relation Relation, PredicateType Type)[] Ordinary =
    [
        (Relation.Less, PredicateType.Plain), (Relation.Less, PredicateType.Unconditional),
        (Relation.Below, PredicateType.Plain), (Relation.Below, PredicateType.Unconditional),
        (Relation.Equal, PredicateType.Plain), (Relation.Equal, PredicateType.Unconditional),
        (Relation.Equal, PredicateType.And), (Relation.Equal, PredicateType.Or), (Relation.Equal, PredicateType.OrAndcm),
        (Relation.NotEqual, PredicateType.And), (Relation.NotEqual, PredicateType.Or), (Relation.NotEqual, PredicateType.OrAndcm),
    ];

    // The relations of "0 relation r3", three types each, in the order of Opcode from CmpGtZeroAnd, said of "r3 relation 0".
    private static readonly Relation[] OfZero = [Relation.Less, Relation.GreaterEqual, Relation.LessEqual, Relation.Greater];

    // The types of tbit, tnat and tf in the order of Opcode from TbitZ; true where the bit must be 0.
    private static readonly (bool Zero, PredicateType Type)[] BitTests =
    [
        (true, PredicateType.Plain), (true, PredicateType.Unconditional), (true, PredicateType.And), (false, PredicateType.And),
        (true, PredicateType.Or), (false, PredicateType.Or), (true, PredicateType.OrAndcm), (false, PredicateType.OrAndcm),
    ];

    private static Relation Swapped(Relation relation) => relation switch
    {
        Relation.Less => Relation.Greater,
        Relation.Below => Relation.Above,
        _ => relation,
    };

    private static bool Predicates(ref IrInstruction ir, Instruction* i)
    {
        if (i->P1 == i->P2)
            return false;
        ir.P1 = i->P1;
        ir.P2 = i->P2;
        ir.D = ir.A = ir.B = 0;
        Opcode opcode = i->Opcode;
        if (opcode is >= Opcode.CmpLt and <= Opcode.Cmp4NeOrAndcmImmediate)
            Compare(ref ir, i);
        else if (opcode is >= Opcode.TbitZ and <= Opcode.TbitNzOrAndcm)
            BitTest(ref ir, i, IrOpcode.TestBit, opcode - Opcode.TbitZ);
        else if (opcode is >= Opcode.TnatZ and <= Opcode.TnatNzOrAndcm)
            BitTest(ref ir, i, IrOpcode.Decided, opcode - Opcode.TnatZ);
        else
            return false;
        if (ir.Type == PredicateType.Unconditional)
        {
            ir.Qp = i->QpField;
            if (ir.Qp == 0)
                ir.Type = PredicateType.Plain;
        }

        return true;
    }

    private static void Compare(ref IrInstruction ir, Instruction* i)
    {
        int form = i->Opcode - Opcode.CmpLt;
        int half = Opcode.Cmp4Lt - Opcode.CmpLt;
        ir.Size = (byte)(form < half ? 8 : 4);
        form %= half;
        ir.Opcode = IrOpcode.Compare;
        ir.A = i->R3;
        if (form < Ordinary.Length)
        {
            (ir.Relation, ir.Type) = Ordinary[form];
            ir.A = i->R2;
            ir.B = i->R3;
            // A constant is the right operand.
            if (ir.A == 0)
            {
                ir.Relation = Swapped(ir.Relation);
                (ir.A, ir.B) = (ir.B, ir.A);
            }

            ir.UsesImmediate = ir.B == 0;
            ir.Immediate = 0;
        }
        else if (form < 2 * Ordinary.Length)
        {
            form -= Ordinary.Length;
            ir.Relation = OfZero[form / 3];
            ir.Type = (PredicateType)((int)PredicateType.And + form % 3);
            ir.UsesImmediate = true;
            ir.Immediate = 0;
        }
        else
        {
            (ir.Relation, ir.Type) = Ordinary[form - 2 * Ordinary.Length];
            ir.Relation = Swapped(ir.Relation);
            ir.UsesImmediate = true;
            ir.Immediate = i->Immediate;
        }
    }

    // In NaT-free state the NaT bit that tnat looks at is 0.
    private static void BitTest(ref IrInstruction ir, Instruction* i, IrOpcode opcode, int form)
    {
        (bool zero, ir.Type) = BitTests[form];
        ir.Opcode = opcode;
        ir.Relation = zero ? Relation.Equal : Relation.NotEqual;
        ir.Immediate = zero ? 1UL : 0;
        ir.Position = i->Position;
        ir.A = opcode == IrOpcode.TestBit ? i->R3 : (byte)0;
    }
}
