using FastXen.Core.Decode;

namespace FastXen.Core.Translate;

/// <summary>How often one vCPU left translated code, and why: one addition for each time, to memory that no other vCPU writes.</summary>
internal sealed unsafe partial class ExitCounts
{
    public static readonly int Opcodes = Enum.GetValues<Opcode>().Length, Kinds = Enum.GetValues<ExitKind>().Length;

    /// <summary>Instructions that translated code left to their handlers, by opcode.</summary>
    public long[] Handlers { get; } = new long[Opcodes];

    /// <summary>Returns from translated code by <see cref="ExitKind"/>, but for those to handlers.</summary>
    public long[] Others { get; } = new long[Kinds];

    /// <summary>The counts that are not 0. Any thread; a moment's view.</summary>
    public IEnumerable<(string Reason, long Count)> ByReason()
    {
        long[] kinds = [.. Others];
        kinds[(int)ExitKind.Handler] += Handlers.Sum();
        return KindNames.Zip(kinds).Where(static pair => pair.Second != 0);
    }

    /// <summary>Adds the counts to sums.</summary>
    public void AddTo(long[] handlers, long[] kinds)
    {
        for (int k = 0; k < Opcodes; k++)
            handlers[k] += Handlers[k];
        for (int k = 0; k < Kinds; k++)
            kinds[k] += Others[k];
        kinds[(int)ExitKind.Handler] += Handlers.Sum();
    }
}
