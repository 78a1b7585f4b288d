using FastXen.Core.Emit;
using static FastXen.Core.Emit.HostRegister;

namespace FastXen.Core.Translate;

/// <summary>Compares and bit tests: flags of the host become predicate bytes, and stay in use for a branch that follows.</summary>
internal sealed unsafe partial class Generator
{
    private void EmitPredicates(in IrInstruction ir)
    {
        if (ir.Type == PredicateType.Unconditional)
        {
            // Both targets are cleared where the qualifying predicate, which may be one of them, is false.
            Label done = asm.NewLabel();
            ReadPredicate(Rdx, ir.Qp);
            Clear(ir.P1);
            Clear(ir.P2);
            asm.Test(Rdx, Rdx, 4);
            asm.Jump(Condition.E, done);
            EmitPlain(ir);
            asm.Bind(done);
            flagsP1 = flagsP2 = 0;
            return;
        }

        if (ir.Type == PredicateType.Plain)
        {
            EmitPlain(ir);
            return;
        }

        if (ir.Opcode == IrOpcode.Decided)
        {
            EmitDecided(ir);
            return;
        }

        Condition condition = EmitTest(ir);
        asm.SetCondition(condition, Rax);
        flagsP1 = flagsP2 = 0;
        switch (ir.Type)
        {
            case PredicateType.And:
                Combine(Alu.And, ir.P1);
                Combine(Alu.And, ir.P2);
                break;
            case PredicateType.Or:
                Combine(Alu.Or, ir.P1);
                Combine(Alu.Or, ir.P2);
                break;
            default:
                Combine(Alu.Or, ir.P1);
                asm.Arithmetic(Alu.Xor, Rax, 1, 4);
                Combine(Alu.And, ir.P2);
                break;
        }
    }

    private void Clear(int p)
    {
        if (IsBit(p))
            asm.BitTestReset(WindowPredicates, p - FirstRotatingPredicate);
        else if (p != 0)
            asm.StoreImmediate(Predicate(p), 0, 1);
    }

    // 0 or 1.
    private void ReadPredicate(HostRegister to, int p)
    {
        if (!IsBit(p))
        {
            asm.Load(to, Predicate(p), 1);
            return;
        }

        asm.Mov(to, WindowPredicates);
        asm.ShiftBy(Shift.Shr, to, p - FirstRotatingPredicate);
        asm.Arithmetic(Alu.And, to, 1, 4);
    }

    private void Combine(Alu op, int p)
    {
        if (IsBit(p))
            EmitCombineBit(op, p);
        else if (p != 0)
            asm.Arithmetic(op, Predicate(p), Rax, 1);
    }

    private void EmitPlain(in IrInstruction ir)
    {
        if (ir.Opcode == IrOpcode.Decided)
        {
            Set(ir.P1, ir.Immediate != 0);
            Set(ir.P2, ir.Immediate == 0);
            flagsP1 = flagsP2 = 0;
            return;
        }

        Condition condition = EmitTest(ir);
        if (IsBit(ir.P1) || IsBit(ir.P2))
            asm.SetCondition(condition, Rax);
        if (ir.P1 != 0 && !IsBit(ir.P1))
            asm.SetCondition(condition, Predicate(ir.P1));
        if (ir.P2 != 0 && !IsBit(ir.P2))
            asm.SetCondition(Inverse(condition), Predicate(ir.P2));
        (flagsP1, flagsP2, flagsCondition) = (ir.P1, ir.P2, condition);
        if (!IsBit(ir.P1) && !IsBit(ir.P2))
            return;
        flagsP1 = flagsP2 = 0;
        if (IsBit(ir.P1))
            EmitWriteBit(ir.P1);
        if (!IsBit(ir.P2))
            return;
        asm.Arithmetic(Alu.Xor, Rax, 1, 4);
        EmitWriteBit(ir.P2);
    }

    private void Set(int p, bool value)
    {
        if (IsBit(p) && value)
            asm.BitTestSet(WindowPredicates, p - FirstRotatingPredicate);
        else if (IsBit(p))
            asm.BitTestReset(WindowPredicates, p - FirstRotatingPredicate);
        else if (p != 0)
            asm.StoreImmediate(Predicate(p), value ? 1 : 0, 1);
    }

    // A parallel type with a relation that is known.
    private void EmitDecided(in IrInstruction ir)
    {
        bool holds = ir.Immediate != 0;
        switch (ir.Type)
        {
            case PredicateType.And when !holds:
                Clear(ir.P1);
                Clear(ir.P2);
                break;
            case PredicateType.Or when holds:
                Set(ir.P1, true);
                Set(ir.P2, true);
                break;
            case PredicateType.OrAndcm when holds:
                Set(ir.P1, true);
                Clear(ir.P2);
                break;
        }
    }

    // Sets the host's flags; the condition under which the relation holds.
    private Condition EmitTest(in IrInstruction ir)
    {
        if (ir.Opcode == IrOpcode.TestBit)
        {
            if (ir.Position < 31)
            {
                if (IsAssigned(ir.A) || ir.A == 0)
                    asm.Test(Read(ir.A, Rax), 1 << ir.Position, ir.Position < 7 ? 1 : 4);
                else
                    asm.Test(InMemory(ir.A).Plus(ir.Position / 8), 1 << (ir.Position & 7), 1);
                return ir.Relation == Relation.Equal ? Condition.E : Condition.Ne;
            }

            asm.BitTest(Read(ir.A, Rax), ir.Position);
            return ir.Relation == Relation.Equal ? Condition.Ae : Condition.B;
        }

        if (ir.UsesImmediate)
        {
            if (ir.A == 0 || IsAssigned(ir.A))
            {
                HostRegister a = Read(ir.A, Rax);
                if (ir.Immediate == 0 && ir.Relation is Relation.Equal or Relation.NotEqual)
                    asm.Test(a, a, ir.Size);
                else
                    asm.Arithmetic(Alu.Cmp, a, (int)ir.Immediate, ir.Size);
            }
            else
            {
                asm.Arithmetic(Alu.Cmp, InMemory(ir.A), (int)ir.Immediate, ir.Size);
            }
        }
        else
        {
            Apply(Alu.Cmp, Read(ir.A, Rax), ir.B, ir.Size);
        }

        return ConditionOf(ir.Relation);
    }

    private static Condition ConditionOf(Relation relation) => relation switch
    {
        Relation.Equal => Condition.E,
        Relation.NotEqual => Condition.Ne,
        Relation.Less => Condition.L,
        Relation.LessEqual => Condition.Le,
        Relation.Greater => Condition.G,
        Relation.GreaterEqual => Condition.Ge,
        Relation.Below => Condition.B,
        Relation.BelowEqual => Condition.Be,
        Relation.Above => Condition.A,
        _ => Condition.Ae,
    };
}
