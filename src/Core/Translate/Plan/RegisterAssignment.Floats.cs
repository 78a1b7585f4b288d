using FastXen.Core.Decode;
using FastXen.Core.Emit;

namespace FastXen.Core.Translate;

/// <summary>
/// Floating-point registers that hold doubles wherever the region names them live in vector registers. In memory such a register is a tagged
/// double whenever translated code is left.
/// </summary>
internal sealed partial class RegisterAssignment
{
    /// <summary>The first bit of floating-point registers in masks.</summary>
    public const int FloatShift = 9;

    private const int MostFloats = 12;
    private readonly sbyte[] floatIndex = new sbyte[128];
    private readonly long[] floatUses = new long[128];
    private readonly byte[] floats = new byte[MostFloats];
    private readonly bool[] mixed = new bool[128];

    /// <summary>Floating-point registers that have a host register.</summary>
    public int FloatCount { get; private set; }

    private uint AllGeneral => (1u << Count) - 1;

    /// <summary>The floating-point register in vector register <paramref name="k"/> of those for guests.</summary>
    public uint Float(int k) => floats[k];

    /// <summary>The vector register with a number of those for guests; the first four are scratch.</summary>
    public static HostVector Vector(int k) => (HostVector)((int)HostVector.Xmm4 + k);

    /// <summary>Number of the vector register of a floating-point register, or -1.</summary>
    public int FloatIndexOf(uint f) => floatIndex[f];

    /// <summary>True for a register that operations of other formats name, too: it may hold more than a double.</summary>
    public bool IsMixed(uint f) => mixed[f];

    /// <summary>The bit of a floating-point register in masks; 0 where it has no host register.</summary>
    public uint FloatBit(uint f) => floatIndex[f] < 0 ? 0 : 1u << (FloatShift + floatIndex[f]);

    private void AssignFloats(RegionPlan plan, bool enabled)
    {
        Array.Fill(floatIndex, None);
        FloatCount = 0;
        Array.Clear(floatUses);
        bool rotates = false;
        for (int b = 0; b < plan.BlockCount; b++)
        {
            ref Block block = ref plan.Blocks[b];
            long weight = 1L << (3 * Math.Min(block.Depth, 6));
            for (int k = block.FirstIr; k < block.EndIr; k++)
            {
                ref IrInstruction ir = ref plan.Ir[k];
                rotates |= Renames(ir);
                CountFloats(ir, weight, plan.Floats);
            }
        }

        for (int f = 0; f < 128; f++)
            mixed[f] = floatUses[f] < 0;
        if (!enabled)
            return;
        // Rotation renames the upper ones.
        for (int f = rotates ? 32 : 128; f < 128; f++)
            floatUses[f] = 0;
        floatUses[0] = floatUses[1] = 0;
        while (FloatCount < MostFloats)
        {
            int best = 2;
            for (int f = 3; f < 128; f++)
            {
                if (floatUses[f] > floatUses[best])
                    best = f;
            }

            if (floatUses[best] < 2)
                break;
            floatUses[best] = 0;
            floatIndex[best] = (sbyte)FloatCount;
            floats[FloatCount++] = (byte)best;
        }
    }

    private static unsafe bool Renames(in IrInstruction ir) =>
        ir.Opcode == IrOpcode.RotatingLoop || (ir.Opcode == IrOpcode.Handler && ir.Guest->Opcode is Opcode.Clrrrb or Opcode.Cover);

    /// <summary>
    /// First slot of a loop that computes with doubles which would live in host registers if the loop were a region of its own: other code
    /// of this region wants them in 82-bit form. -1 where there is none.
    /// </summary>
    public int LoopWithOwnFloats(RegionPlan plan)
    {
        for (int b = 0; b < plan.BlockCount; b++)
        {
            ref Block block = ref plan.Blocks[b];
            int loop = block.Depth > 0 ? plan.LoopAround(b) : -1;
            if (loop < 0 || loop == plan.Blocks[plan.EntryBlock].First)
                continue;
            for (int k = block.FirstIr; k < block.EndIr; k++)
            {
                ref IrInstruction ir = ref plan.Ir[k];
                if (ir.Opcode != IrOpcode.Float)
                    continue;
                FloatOperands operands = FloatOperands.Of(ir);
                if (operands.Target >= 2 && floatIndex[operands.Target] < 0 && operands.AreDoubles(ir, plan.Floats) && IsDoubleIn(plan, loop, b, operands.Target))
                    return loop;
            }
        }

        return -1;
    }

    // True when no block from a loop's begin to its end wants a register in another form than that of doubles.
    private static bool IsDoubleIn(RegionPlan plan, int loop, int last, uint f)
    {
        for (int b = plan.BlockAt(loop); b <= last; b++)
        {
            for (int k = plan.Blocks[b].FirstIr; k < plan.Blocks[b].EndIr; k++)
            {
                ref IrInstruction ir = ref plan.Ir[k];
                if (!FloatOperands.Names(ir))
                    continue;
                FloatOperands operands = FloatOperands.Of(ir);
                bool named = operands.Target == f || operands.A == f || operands.B == f || operands.C == f;
                if (named && !operands.AreDoubles(ir, plan.Floats))
                    return false;
            }
        }

        return true;
    }

    private void CountFloats(in IrInstruction ir, long weight, in FloatContext context)
    {
        if (!FloatOperands.Names(ir))
            return;
        FloatOperands operands = FloatOperands.Of(ir);
        // A register that something wants in 82-bit form stays in memory.
        if (!operands.AreDoubles(ir, context))
            weight = long.MinValue / 65536;
        floatUses[operands.Target] += weight;
        floatUses[operands.A] += weight;
        floatUses[operands.B] += weight;
        floatUses[operands.C] += weight;
    }
}
