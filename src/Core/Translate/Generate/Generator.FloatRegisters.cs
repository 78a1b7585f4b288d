using FastXen.Core.Decode;
using FastXen.Core.Emit;
using static FastXen.Core.Emit.HostRegister;

namespace FastXen.Core.Translate;

/// <summary>Doubles that live in vector registers: how they come in and go out, and the flags of a region that computes for one status field only.</summary>
internal sealed unsafe partial class Generator
{
    private const int NoField = -1, SeveralFields = -2;

    // The status field for which flags are collected all the time while the region runs, or one of the above.
    private int flagsField;

    private void FindFlagsField()
    {
        flagsField = NoField;
        for (int k = 0; k < plan.IrCount; k++)
        {
            ref IrInstruction ir = ref plan.Ir[k];
            bool onHost = ir.Opcode == IrOpcode.FloatCompare
                || (ir.Opcode == IrOpcode.Float && ir.Guest->Opcode is Opcode.Fma or Opcode.Fms or Opcode.Fnma
                    && floats.IsOnHost((uint)ir.Guest->Completers >> 2 & 3, ir.Guest->Selector));
            if (onHost)
                flagsField = flagsField == NoField || flagsField == ir.Guest->Selector ? ir.Guest->Selector : SeveralFields;
        }
    }

    private void EmitFloatEntry()
    {
        if (registers.EntryLoads >> RegisterAssignment.FloatShift != 0)
        {
            Label other = asm.NewLabel();
            stubs.Add(new Stub { Label = other, Kind = StubKind.OtherFloats });
            for (int k = 0; k < registers.FloatCount; k++)
            {
                if ((registers.EntryLoads >> (RegisterAssignment.FloatShift + k) & 1) == 0)
                    continue;
                uint f = registers.Float(k);
                region->Doubles[f >> 6] |= 1UL << (int)f;
                WantDouble(f, other);
                asm.VectorLoad(RegisterAssignment.Vector(k), Fr(f, Rcx), 8);
            }
        }

        for (int k = 0; k < registers.FloatCount; k++)
            region->Mapped[registers.Float(k) >> 6] |= 1UL << (int)registers.Float(k);
        if (flagsField < 0)
            return;
        Label change = asm.NewLabel(), done = asm.NewLabel();
        asm.Arithmetic(Alu.Cmp, State(StateOffsets.FlagsField), flagsField + 1, 1);
        asm.Jump(Condition.Ne, change);
        asm.Bind(done);
        stubs.Add(new Stub { Label = change, Resume = done, Kind = StubKind.Flags, Target = flagsField });
    }

    private void EmitFloatReload()
    {
        for (int k = 0; k < registers.FloatCount; k++)
            asm.VectorLoad(RegisterAssignment.Vector(k), Fr(registers.Float(k), Rcx), 8);
        if (flagsField < 0)
            return;
        asm.MovImmediate(Rax, (uint)(flagsField + 1));
        asm.Call(arena.CollectFlags);
    }

    // Stores the registers of a mask (bit 0: the first vector register) as tagged doubles.
    private void EmitFloatSpill(uint mask)
    {
        for (int k = 0; k < registers.FloatCount; k++)
        {
            if ((mask >> k & 1) == 0)
                continue;
            uint f = registers.Float(k);
            asm.VectorStore(Fr(f, Rcx), RegisterAssignment.Vector(k), 8);
            asm.StoreImmediate(Field(f, TagField), 1, 4);
        }

        asm.StoreImmediate(State(StateOffsets.FloatsTagged), 1, 1);
    }
}
