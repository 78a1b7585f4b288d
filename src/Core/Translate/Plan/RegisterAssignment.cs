using FastXen.Core.Emit;

namespace FastXen.Core.Translate;

/// <summary>
/// Which guest registers a region keeps in host registers: the ones that its loops use most, the same in all blocks, so that no branch
/// inside of the region moves anything.
/// </summary>
internal sealed partial class RegisterAssignment
{
    /// <summary>Host registers for guest registers.</summary>
    public static readonly HostRegister[] Hosts =
    [
        HostRegister.R12, HostRegister.R13, HostRegister.R14, HostRegister.Rsi, HostRegister.Rdi, HostRegister.R8, HostRegister.R9,
        HostRegister.R10, HostRegister.R11,
    ];

    /// <summary>The first of <see cref="Hosts"/> keep their values over calls of <see cref="ExtendedStubs"/>.</summary>
    public const int Preserved = 3;

    // Host registers of loops on windows: preserved ones.
    private const int WindowHosts = 2;
    private const sbyte None = -1;
    private readonly sbyte[] index = new sbyte[IrInstruction.Registers];
    private readonly long[] uses = new long[IrInstruction.Registers];
    private readonly byte[] guests = new byte[Hosts.Length];

    /// <summary>Guest registers that have a host register.</summary>
    public int Count { get; private set; }

    /// <summary>Assigned registers that must be loaded when the region is entered, by bit.</summary>
    public uint EntryLoads { get; private set; }

    /// <summary>The guest register in host register <paramref name="k"/>; 0 for none.</summary>
    public int Guest(int k) => guests[k];

    /// <summary>Number of the host register of a guest register, or -1.</summary>
    public int IndexOf(int guest) => index[guest];

    /// <summary>The bit of a guest register in masks; 0 where it has no host register.</summary>
    public uint Bit(int guest) => index[guest] < 0 ? 0 : 1u << index[guest];

    /// <summary>Assigns, and finds what may differ from memory at each block.</summary>
    public void Make(RegionPlan plan, bool withFloats)
    {
        Array.Clear(uses);
        Array.Fill(index, None);
        for (int b = 0; b < plan.BlockCount; b++)
            CountUses(plan, plan.Blocks[b]);
        uses[0] = 0;
        // A loop on a window has its base and its predicates in the first ones.
        Count = plan.WindowRegisters >= 0 ? WindowHosts : 0;
        Array.Clear(guests);
        for (int guest = 32; plan.IsInWindow(guest); guest++)
            uses[guest] = 0;
        while (Count < Hosts.Length)
        {
            int best = 0;
            for (int guest = 1; guest < uses.Length; guest++)
            {
                if (uses[guest] > uses[best])
                    best = guest;
            }

            // A register that is used once is as well used in memory.
            if (uses[best] < 2)
                break;
            uses[best] = 0;
            index[best] = (sbyte)Count;
            guests[Count++] = (byte)best;
        }

        AssignFloats(plan, withFloats);
        FindWanderers(plan);
        FindDirty(plan);
        FindEntryLoads(plan);
    }

    private void CountUses(RegionPlan plan, in Block block)
    {
        long weight = 1L << (3 * Math.Min(block.Depth, 6));
        for (int k = block.FirstIr; k < block.EndIr; k++)
        {
            ref IrInstruction ir = ref plan.Ir[k];
            if (ir.Opcode == IrOpcode.Handler)
                continue;
            uses[ir.D] += weight;
            uses[ir.A] += weight;
            uses[ir.B] += weight;
        }
    }

    /// <summary>The assigned registers that an instruction writes, by bit.</summary>
    public uint Writes(in IrInstruction ir)
    {
        if (ir.Opcode == IrOpcode.Handler)
            return 0;
        uint written = ir.D != 0 ? Bit(ir.D) : 0;
        if (ir.Opcode is IrOpcode.Float or IrOpcode.FloatLoad)
            written |= FloatBit(FloatOperands.Of(ir).Target);
        if (ir.Opcode == IrOpcode.RotatingLoop)
        {
            for (int r = 32; r < 32 + ir.Length; r++)
                written |= Bit(r);
        }

        return ir.WritesBase ? written | Bit(ir.A) : written;
    }

    private void FindDirty(RegionPlan plan)
    {
        for (bool changed = true; changed;)
        {
            changed = false;
            for (int b = 0; b < plan.BlockCount; b++)
            {
                ref Block block = ref plan.Blocks[b];
                uint dirty = block.DirtyIn;
                for (int k = block.FirstIr; k < block.EndIr; k++)
                    dirty |= Writes(plan.Ir[k]);
                block.DirtyOut = dirty;
                if (block.FallsThrough)
                    changed |= Join(plan, plan.BlockAt(block.End), dirty);
                if (plan.BranchTarget(block) is var target and >= 0)
                    changed |= Join(plan, target, dirty);
            }
        }
    }

    private static bool Join(RegionPlan plan, int block, uint dirty)
    {
        if (block < 0 || (plan.Blocks[block].DirtyIn | dirty) == plan.Blocks[block].DirtyIn)
            return false;
        plan.Blocks[block].DirtyIn |= dirty;
        return true;
    }

    // Those that are read, or may be stored, at some point that can be reached without a write before it.
    private void FindEntryLoads(RegionPlan plan)
    {
        uint all = AllGeneral | ((1u << FloatCount) - 1) << FloatShift;
        for (int b = 0; b < plan.BlockCount; b++)
            plan.Blocks[b].WrittenIn = b == plan.EntryBlock ? 0 : all;
        for (bool changed = true; changed;)
        {
            changed = false;
            for (int b = 0; b < plan.BlockCount; b++)
            {
                ref Block block = ref plan.Blocks[b];
                uint written = block.WrittenIn;
                for (int k = block.FirstIr; k < block.EndIr; k++)
                    written |= WritesSurely(plan.Ir[k]);
                if (block.FallsThrough)
                    changed |= Meet(plan, plan.BlockAt(block.End), written);
                if (plan.BranchTarget(block) is var target and >= 0)
                    changed |= Meet(plan, target, written);
            }
        }

        uint needed = 0;
        for (int b = 0; b < plan.BlockCount; b++)
        {
            ref Block block = ref plan.Blocks[b];
            uint written = block.WrittenIn;
            needed |= block.DirtyIn & ~written;
            for (int k = block.FirstIr; k < block.EndIr; k++)
            {
                ref IrInstruction ir = ref plan.Ir[k];
                needed |= (Reads(ir) | (Writes(ir) & ~WritesSurely(ir))) & ~written;
                written |= WritesSurely(ir);
            }
        }

        EntryLoads = needed;
    }

    private static bool Meet(RegionPlan plan, int block, uint written)
    {
        if (block < 0 || (plan.Blocks[block].WrittenIn & written) == plan.Blocks[block].WrittenIn)
            return false;
        plan.Blocks[block].WrittenIn &= written;
        return true;
    }

    // What a predicate may leave unwritten, and what a rotation moves, is not sure.
    private uint WritesSurely(in IrInstruction ir) => ir.KeepsOldValues || ir.Opcode == IrOpcode.CountedLoop ? 0 : Writes(ir);

    private uint Reads(in IrInstruction ir)
    {
        if (ir.Opcode == IrOpcode.Handler)
            return 0;
        uint read = Bit(ir.A) | Bit(ir.B);
        if (ir.Opcode is IrOpcode.Float or IrOpcode.FloatCompare or IrOpcode.FloatStore)
        {
            FloatOperands operands = FloatOperands.Of(ir);
            read |= FloatBit(operands.A) | FloatBit(operands.B) | FloatBit(operands.C);
        }

        return read;
    }
}
