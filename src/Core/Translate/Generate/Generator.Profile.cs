using FastXen.Core.Emit;
using static FastXen.Core.Emit.HostRegister;

namespace FastXen.Core.Translate;

/// <summary>Counters in translated code, where profiling is on.</summary>
internal sealed unsafe partial class Generator
{
    /// <summary>Regions count how often they are entered, and the slots of the blocks that begin.</summary>
    public bool Profile { get; init; }

    private void CountEntry() => Count(&region->Executions, 1);

    private void CountBlock(in Block block) => Count(&region->ExecutedSlots, block.End - block.First);

    // At the beginning of blocks: rax and the flags hold nothing there.
    private void Count(ulong* counter, int increment)
    {
        if (!Profile)
            return;
        asm.MovImmediate(Rax, (ulong)counter);
        asm.Arithmetic(Alu.Add, new HostAddress(Rax), increment, 8);
    }
}
