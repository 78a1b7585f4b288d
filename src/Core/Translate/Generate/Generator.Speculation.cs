using FastXen.Core.Emit;
using FastXen.Core.Interpret;
using static FastXen.Core.Emit.HostRegister;

namespace FastXen.Core.Translate;

/// <summary>Advanced loads and their checks: the rules of <see cref="Alat"/> in line. The entry of a register has a fixed place.</summary>
internal sealed unsafe partial class Generator
{
    // Stores that look at the ALAT's entries: out of line.
    private readonly List<(Label Label, Label Resume, Label Slow, HostAddress To, int Size)> alatStubs = [];

    /// <summary>A store to a host address: what it does to the ALAT is the handler's. Uses rax and rcx; the slow path is open.</summary>
    private void EmitAlatCheck(in HostAddress to, int size)
    {
        Label look = asm.NewLabel(), resume = asm.NewLabel();
        asm.Arithmetic(Alu.Cmp, State(StateOffsets.AlatValid), 0, 4);
        asm.Jump(Condition.Ne, look);
        asm.Bind(resume);
        alatStubs.Add((look, resume, slowLabel, to, size));
    }

    private void EmitAlatStubs()
    {
        foreach ((Label label, Label resume, Label slow, HostAddress to, int size) in alatStubs)
        {
            asm.Bind(label);
            if (size <= 8)
            {
                // Most stores are to granules that no entry touches.
                asm.Lea(Rax, to);
                asm.Arithmetic(Alu.Sub, Rax, State(StateOffsets.MemoryBase));
                asm.ShiftBy(Shift.Shr, Rax, 3);
                asm.Load(Rcx, State(StateOffsets.AlatFilter), 8);
                asm.BitTest(Rcx, Rax);
                asm.Jump(Condition.Ae, resume);
            }

            for (int at = 0; at < size; at += 8)
            {
                asm.Lea(Rax, to);
                if (at != 0)
                    asm.Arithmetic(Alu.Add, Rax, at);
                asm.Call(arena.AlatCheck);
                asm.Jump(Condition.B, slow);
            }

            asm.Jump(resume);
        }

        alatStubs.Clear();
    }

    private void EmitAdvancedLoad(in IrInstruction ir)
    {
        HostAddress from = EmitTranslate(ir, ReadTag);
        bool isDeferred = Defer(ir, ir.D, isFloat: false);
        if (!isDeferred)
            EmitAlatInsert(ir.D, isFloat: false, ir.Size, from);
        EmitLoadAndUpdate(ir, from);
        if (!isDeferred)
            EmitAlatValue(ir.D);
    }

    private void EmitCheckLoad(in IrInstruction ir)
    {
        if (IsCheckOfDeferred(ir))
        {
            EmitLoad(ir);
            EndDeferral(ir);
            return;
        }

        Label misses = asm.NewLabel(), done = asm.NewLabel();
        EmitAlatCompare(ir.D, isFloat: false);
        asm.Jump(Condition.Ne, misses);
        if (ir.UsesImmediate)
            EmitAlatDrop(ir.D, isFloat: false);
        // Another processor may have stored there: it loads again.
        asm.Arithmetic(Alu.Cmp, State(StateOffsets.Shared), 0, 4);
        asm.Jump(Condition.Ne, misses);
        EmitUpdate(ir);
        asm.Jump(done);
        asm.Bind(misses);
        HostAddress from = EmitTranslate(ir, ReadTag);
        if (!ir.UsesImmediate)
            EmitAlatInsert(ir.D, isFloat: false, ir.Size, from);
        EmitLoadAndUpdate(ir, from);
        if (!ir.UsesImmediate)
            EmitAlatValue(ir.D);
        asm.Bind(done);
    }

    // Behind the load: what chk.a compares memory with.
    private void EmitAlatValue(int register) => asm.Store(State(StateOffsets.AlatValue + 8 * Alat.Slot((uint)register, isFloat: false)), Read(register, Rax), 8);

    private void EmitAlatInstruction(in IrInstruction ir)
    {
        bool isFloat = ir.P2 != 0;
        switch (ir.Opcode)
        {
            case IrOpcode.CheckAdvanced:
                EmitAlatCompare(ir.P1, isFloat);
                Slow(ir, Condition.Ne);
                asm.Arithmetic(Alu.Cmp, State(StateOffsets.Shared), 0, 4);
                Slow(ir, Condition.Ne);
                if (ir.UsesImmediate)
                    EmitAlatDrop(ir.P1, isFloat);
                break;
            case IrOpcode.DropAdvanced:
                Label done = asm.NewLabel();
                EmitAlatCompare(ir.P1, isFloat);
                asm.Jump(Condition.Ne, done);
                EmitAlatDrop(ir.P1, isFloat);
                asm.Bind(done);
                break;
            default:
                asm.Arithmetic(Alu.Cmp, State(StateOffsets.AlatValid), 0, 4);
                Slow(ir, Condition.Ne);
                break;
        }
    }

    private void EmitAlatCompare(uint register, bool isFloat) =>
        asm.Arithmetic(Alu.Cmp, State(StateOffsets.AlatName + 4 * Alat.Slot(register, isFloat)), (int)Alat.Name(register, isFloat), 4);

    // The entry is valid.
    private void EmitAlatDrop(uint register, bool isFloat)
    {
        Label more = asm.NewLabel();
        int slot = Alat.Slot(register, isFloat);
        int mask = ~(1 << slot);
        asm.StoreImmediate(State(StateOffsets.AlatName + 4 * slot), 0, 4);
        asm.StoreImmediate(State(StateOffsets.AlatStart + 8 * slot), 0, 8);
        asm.StoreImmediate(State(StateOffsets.AlatEnd + 8 * slot), 0, 8);
        if (Alat.IsRenamed(register))
            asm.Arithmetic(Alu.And, State(StateOffsets.AlatRenamed), mask, 4);
        asm.Arithmetic(Alu.And, State(StateOffsets.AlatValid), mask, 4);
        asm.Jump(Condition.Ne, more);
        asm.StoreImmediate(State(StateOffsets.AlatFilter), 0, 8);
        asm.Bind(more);
    }

    // An entry for a register that is loaded from an aligned host address in one granule. Uses rax and rcx.
    private void EmitAlatInsert(uint register, bool isFloat, int size, in HostAddress from)
    {
        int slot = Alat.Slot(register, isFloat);
        int bit = 1 << slot;
        asm.Lea(Rax, from);
        asm.Arithmetic(Alu.Sub, Rax, State(StateOffsets.MemoryBase));
        asm.Store(State(StateOffsets.AlatStart + 8 * slot), Rax, 8);
        asm.Lea(Rcx, new HostAddress(Rax, size));
        asm.Store(State(StateOffsets.AlatEnd + 8 * slot), Rcx, 8);
        asm.ShiftBy(Shift.Shr, Rax, 3);
        asm.Load(Rcx, State(StateOffsets.AlatFilter), 8);
        asm.BitTestSet(Rcx, Rax);
        asm.Store(State(StateOffsets.AlatFilter), Rcx, 8);
        asm.StoreImmediate(State(StateOffsets.AlatName + 4 * slot), (int)Alat.Name(register, isFloat), 4);
        asm.Arithmetic(Alu.Or, State(StateOffsets.AlatValid), bit, 4);
        if (Alat.IsRenamed(register))
            asm.Arithmetic(Alu.Or, State(StateOffsets.AlatRenamed), bit, 4);
        else
            asm.Arithmetic(Alu.And, State(StateOffsets.AlatRenamed), ~bit, 4);
    }
}
