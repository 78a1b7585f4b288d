namespace FastXen.Core.Decode;

/// <summary>The one table of instruction facts: decoder, disassembler and translator read it.</summary>
public static class InstructionTable
{
    private static readonly InstructionRow[] AllRows =
        [.. TableA.Rows, .. TableI.Rows, .. TableMemory.Rows, .. TableSystem.Rows, .. TableF.Rows, .. TableB.Rows, .. TableX.Rows];

    private static readonly InstructionRow[][] ByOpcode = GroupByOpcode();

    /// <summary>Every row; where several encode the same slot, the first one counts.</summary>
    public static ReadOnlySpan<InstructionRow> Rows => AllRows;

    /// <summary>The spellings and forms of an operation, in the order in which the disassembler tries them.</summary>
    public static ReadOnlySpan<InstructionRow> RowsOf(Opcode opcode) => ByOpcode[(int)opcode];

    /// <summary>What the operation is subject to; the same for all of its forms.</summary>
    public static InstructionFacts FactsOf(Opcode opcode) => ByOpcode[(int)opcode] is [var first, ..] ? first.Facts : InstructionFacts.None;

    /// <summary>Whether a row's encoding belongs to slots of <paramref name="unit"/>.</summary>
    internal static bool Encodes(InstructionRow row, Unit unit) => row.Encoding.Format[0] switch
    {
        'A' => unit is Unit.I or Unit.M,
        'I' => unit == Unit.I,
        'M' => unit == Unit.M,
        'F' => unit == Unit.F,
        'B' => unit == Unit.B,
        _ => unit == Unit.X,
    };

    private static InstructionRow[][] GroupByOpcode()
    {
        var groups = new List<InstructionRow>[(int)Opcode.HintX + 1];
        foreach (var row in AllRows)
        {
            (groups[(int)row.Opcode] ??= []).Add(row);
        }

        return Array.ConvertAll(groups, group => group?.ToArray() ?? []);
    }
}
