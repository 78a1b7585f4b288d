using FastXen.Core.Emit;
using FastXen.Core.Interpret;
using static FastXen.Core.Emit.HostRegister;

namespace FastXen.Core.Translate;

/// <summary>
/// Advanced loads whose check stands in the same block and drops the entry: the check loads again (it always may), and no entry is made. What leaves
/// the code in between for a handler makes the entry first, unless a store has hit it, and does not come back to code that knows of none.
/// </summary>
internal sealed unsafe partial class Generator
{
    /// <summary>A store behind a deferred advanced load: its base register has moved on by so much since.</summary>
    private record struct StoreBehind(byte Base, byte Size, long Moved);

    /// <summary>An entry that has not been made.</summary>
    private sealed record DeferredEntry(byte Register, bool IsFloat, byte Base, byte Size, short CheckSlot, StoreBehind[] Stores);

    private readonly List<DeferredEntry> deferred = [];

    // In the two forms of a division each instruction is emitted twice.
    private bool deferNone;

    /// <summary>An advanced load, whose page is known by now: false where its entry must be made.</summary>
    private bool Defer(in IrInstruction ir, uint register, bool isFloat)
    {
        if (deferNone || current.IsWindow || ir.Qp != 0 || ir.TestsNat || ir.WritesBase || ir.D == ir.A || !registers.StaysInPage(ir) || CheckOf(ir, register, isFloat) is not (>= 0 and var check))
            return false;
        // The place may be another register's.
        int slot = Alat.Slot(register, isFloat);
        Label taken = asm.NewLabel(), free = asm.NewLabel();
        asm.Arithmetic(Alu.Cmp, State(StateOffsets.AlatName + 4 * slot), 0, 4);
        asm.Jump(Condition.Ne, taken);
        asm.Bind(free);
        stubs.Add(new Stub { Label = taken, Resume = free, Kind = StubKind.DropEntry, Target = slot, Address = Alat.Name(register, isFloat), Block = current });
        deferred.Add(new DeferredEntry((byte)register, isFloat, ir.A, ir.Size, (short)check, []));
        return true;
    }

    private bool IsCheckOfDeferred(in IrInstruction ir)
    {
        short slot = ir.Slot;
        return deferred.Exists(entry => entry.CheckSlot == slot);
    }

    // The check has loaded again. Its own slow path has got the entry.
    private void EndDeferral(in IrInstruction ir)
    {
        short slot = ir.Slot;
        deferred.RemoveAll(entry => entry.CheckSlot == slot);
    }

    // The slot of the check that ends the use of an advanced load, or -1 where something in between stands against it.
    private int CheckOf(in IrInstruction load, uint register, bool isFloat)
    {
        int k = current.FirstIr;
        while (plan.Ir[k].Slot != load.Slot)
            k++;
        var bases = new HashSet<int>();
        var moved = new HashSet<int>();
        for (k++; k < current.EndIr; k++)
        {
            ref IrInstruction ir = ref plan.Ir[k];
            if (ir.A == load.A && ir.Size == load.Size && ir.Qp == 0 && IsClearingCheck(ir, register, isFloat))
                return ir.Slot;
            bool isAccess = ir.Opcode is IrOpcode.Load or IrOpcode.Store or IrOpcode.Fill or IrOpcode.Spill or IrOpcode.AdvancedLoad or IrOpcode.CheckLoad
                or IrOpcode.FloatLoad or IrOpcode.FloatStore;
            if (!KeepsPages(ir.Opcode) || IsOfEntry(ir, register, isFloat) || (ir.Opcode == IrOpcode.Float && ir.Guest->Opcode == Decode.Opcode.Frcpa))
                return -1;
            if (isAccess && (moved.Contains(ir.A) || Displaces(ir.A, load.A) || bases.Any(b => Displaces(plan.Ir[k].A, b))))
                return -1;
            if (ir.Opcode is IrOpcode.Store or IrOpcode.Spill or IrOpcode.FloatStore)
            {
                if (ir.Qp != 0 || !registers.StaysInPage(ir))
                    return -1;
                bases.Add(ir.A);
            }

            if (ir.D != 0 && (ir.D == load.A || bases.Contains(ir.D)))
                return -1;
            if (!ir.WritesBase)
                continue;
            if (ir.A == load.A || (bases.Contains(ir.A) && (ir.Qp != 0 || (ir.Update & Decode.Completers.UpdateImmediate) == 0)))
                return -1;
            if (bases.Contains(ir.A))
                moved.Add(ir.A);
        }

        return -1;
    }

    private static bool Displaces(int a, int b) => a != b && a % CodeState.PageEntries == b % CodeState.PageEntries;

    private static bool IsClearingCheck(in IrInstruction ir, uint register, bool isFloat) =>
        isFloat ? ir.Opcode == IrOpcode.FloatLoad && ir.P1 == (byte)FloatLoadForm.CheckClear && ir.Guest->R1 == register
        : ir.Opcode == IrOpcode.CheckLoad && ir.UsesImmediate && ir.D == register;

    // An instruction that writes the register, or has to do with its entry.
    private static bool IsOfEntry(in IrInstruction ir, uint register, bool isFloat)
    {
        int slot = Alat.Slot(register, isFloat);
        return ir.Opcode switch
        {
            IrOpcode.DropAllAdvanced => true,
            IrOpcode.CheckAdvanced or IrOpcode.DropAdvanced => Alat.Slot(ir.P1, ir.P2 != 0) == slot,
            IrOpcode.AdvancedLoad or IrOpcode.CheckLoad => Alat.Slot(ir.D, false) == slot,
            IrOpcode.FloatLoad => (isFloat && ir.Guest->R1 == register) || (ir.P1 != (byte)FloatLoadForm.Plain && Alat.Slot(ir.Guest->R1, true) == slot),
            IrOpcode.Float => isFloat && FloatOperands.Of(ir).Target == register,
            _ => !isFloat && ir.D == register,
        };
    }

    // An instruction was emitted, with the stubs from one on: what is deferred behind it.
    private void FollowDeferred(in IrInstruction ir, int firstStub)
    {
        if (deferred.Count == 0)
            return;
        for (int n = 0; n < deferred.Count; n++)
        {
            StoreBehind[] stores = deferred[n].Stores;
            if (ir.Opcode is IrOpcode.Store or IrOpcode.Spill or IrOpcode.FloatStore)
                stores = [.. stores, new StoreBehind(ir.A, ir.Size, 0)];
            if (ir.WritesBase)
            {
                (byte address, long by) = (ir.A, (long)ir.Immediate);
                stores = [.. stores.Select(store => store.Base == address ? store with { Moved = store.Moved + by } : store)];
            }

            deferred[n] = deferred[n] with { Stores = stores };
        }

        for (int n = firstStub; n < stubs.Count; n++)
        {
            if (stubs[n].Kind == StubKind.Handler)
                stubs[n] = stubs[n] with { Leaves = true };
        }
    }

    // Makes the entries that a handler may find. All registers are in memory. Uses rax, rcx and rdx.
    private void EmitDeferred(DeferredEntry[] entries)
    {
        foreach (DeferredEntry entry in entries)
        {
            Label next = asm.NewLabel();
            EmitHostAddressOf(Rdx, entry.Base, 0);
            foreach (StoreBehind store in entry.Stores)
            {
                EmitHostAddressOf(Rcx, store.Base, -store.Moved);
                asm.Lea(Rax, new HostAddress(Rcx, store.Size - 1));
                asm.Arithmetic(Alu.Sub, Rax, Rdx);
                asm.Arithmetic(Alu.Cmp, Rax, store.Size + entry.Size - 1);
                asm.Jump(Condition.B, next);
            }

            if (entry.IsFloat)
            {
                asm.Arithmetic(Alu.Cmp, State(StateOffsets.Shared), 0, 4);
                asm.Jump(Condition.Ne, next);
            }

            EmitAlatInsert(entry.Register, entry.IsFloat, entry.Size, new HostAddress(Rdx));
            if (!entry.IsFloat)
            {
                asm.Load(Rax, InMemory(entry.Register), 8);
                asm.Store(State(StateOffsets.AlatValue + 8 * Alat.Slot(entry.Register, isFloat: false)), Rax, 8);
            }

            asm.Bind(next);
        }
    }

    private void EmitHostAddressOf(HostRegister to, int guest, long offset)
    {
        asm.Load(to, InMemory(guest), 8);
        if (offset != 0)
            asm.Arithmetic(Alu.Add, to, (int)offset);
        asm.Arithmetic(Alu.Add, to, State(PageOf(guest) + Addend));
    }

    // Whichever register's it is; of several processors', floating-point registers have no entries that displace others.
    private void EmitDropEntry(in Stub stub)
    {
        int slot = stub.Target, mask = ~(1 << slot);
        if (stub.Address == Alat.Name((uint)stub.Address & 127, isFloat: true))
        {
            Label drop = asm.NewLabel();
            asm.Arithmetic(Alu.Cmp, State(StateOffsets.Shared), 0, 4);
            asm.Jump(Condition.E, drop);
            asm.Arithmetic(Alu.Cmp, State(StateOffsets.AlatName + 4 * slot), (int)stub.Address, 4);
            asm.Jump(Condition.Ne, stub.Resume);
            asm.Bind(drop);
        }

        asm.StoreImmediate(State(StateOffsets.AlatName + 4 * slot), 0, 4);
        asm.StoreImmediate(State(StateOffsets.AlatStart + 8 * slot), 0, 8);
        asm.StoreImmediate(State(StateOffsets.AlatEnd + 8 * slot), 0, 8);
        asm.Arithmetic(Alu.And, State(StateOffsets.AlatRenamed), mask, 4);
        asm.Arithmetic(Alu.And, State(StateOffsets.AlatValid), mask, 4);
        asm.Jump(Condition.Ne, stub.Resume);
        asm.StoreImmediate(State(StateOffsets.AlatFilter), 0, 8);
        asm.Jump(stub.Resume);
    }
}
