namespace FastXen.Core.Decode;

/// <summary>What an instruction is subject to, besides its operands.</summary>
[Flags]
public enum InstructionFacts : ushort
{
    /// <summary>Nothing special.</summary>
    None = 0,

    /// <summary>Privileged Operation fault unless PSR.cpl is 0.</summary>
    Privileged = 1,

    /// <summary>Has no qualifying predicate; bits 5:0 are not looked at.</summary>
    Unpredicated = 2,

    /// <summary>Has an effect when its qualifying predicate is false, too.</summary>
    ActsWhenFalse = 4,

    /// <summary>Must be the first instruction of its group.</summary>
    FirstInGroup = 8,

    /// <summary>Must be the last instruction of its group.</summary>
    LastInGroup = 16,

    /// <summary>Must be in slot 2, Illegal Operation fault otherwise.</summary>
    OnlyInSlot2 = 32,

    /// <summary>May change the rename bases (CFM.rrb).</summary>
    RenamesRegisters = 64,
}

/// <summary>Completers that end the mnemonic: where their bits lie, and what they are called.</summary>
public enum Suffix : byte
{
    /// <summary>None.</summary>
    None,

    /// <summary>.s0 to .s3, bits 35:34.</summary>
    StatusField,

    /// <summary>Locality of a load, bits 29:28 and 19.</summary>
    LoadHint,

    /// <summary>Locality of a load with base update or a semaphore, bits 29:28.</summary>
    LoadUpdateHint,

    /// <summary>Locality of a store, bits 29:28 and 12.</summary>
    StoreHint,

    /// <summary>Locality of a store with base update, bits 29:28.</summary>
    StoreUpdateHint,

    /// <summary>Locality of a prefetched line, bits 29:28 and 12.</summary>
    LineHint,

    /// <summary>Whether (34:33), prefetch (12), deallocation (35).</summary>
    Branch,

    /// <summary>As <see cref="Branch"/>, with the whether hint left out.</summary>
    BranchPlain,

    /// <summary>As <see cref="Branch"/>, but whether is bits 34:32.</summary>
    BranchIndirectCall,

    /// <summary>Whether (4:3), importance (35).</summary>
    Predict,

    /// <summary>As <see cref="Predict"/>, without the loop types.</summary>
    PredictIndirect,

    /// <summary>Whether (21:20), importance (23), return (22).</summary>
    MoveToBr,
}

/// <summary>When a row that is only another spelling applies.</summary>
public enum Spelling : byte
{
    /// <summary>Always: the row is the instruction itself.</summary>
    Canonical,

    /// <summary>The immediate is zero.</summary>
    ImmediateZero,

    /// <summary>r3 is r0.</summary>
    R3Zero,

    /// <summary>Length is 64 - Position.</summary>
    Shift,

    /// <summary>Neither predicate nor whether hint.</summary>
    PlainBranch,

    /// <summary>No hint at all: the tag does not matter.</summary>
    PlainMove,

    /// <summary>f2 is f3.</summary>
    F2EqualsF3,

    /// <summary>f2 is f0.</summary>
    F2Zero,

    /// <summary>f4 is f1.</summary>
    F4One,

    /// <summary>f2 is f0 and f4 is f1.</summary>
    F2ZeroF4One,
}

/// <summary>One line of the table: an encoding or another spelling of one.</summary>
/// <param name="Opcode">The operation.</param>
/// <param name="Mnemonic">Mnemonic without the completers of <see cref="InstructionRow.Suffix"/>.</param>
/// <param name="Encoding">Format and opcode bits.</param>
/// <param name="Syntax">The operands as they are written, comma and equals sign between them.</param>
public sealed record InstructionRow(Opcode Opcode, string Mnemonic, Encoding Encoding, string Syntax)
{
    /// <summary>Completers that end the mnemonic.</summary>
    public Suffix Suffix { get; init; }

    /// <summary>Completers that the row stands for.</summary>
    public Completers Completers { get; init; }

    /// <summary>Other properties.</summary>
    public InstructionFacts Facts { get; init; }

    /// <summary>Condition of another spelling; such rows are never decoded.</summary>
    public Spelling Spelling { get; init; }

    /// <summary>The operands in the order in which they are written.</summary>
    public Operand[] Operands { get; } = OperandText.Parse(Syntax);

    /// <summary>How many operands stand before the equals sign.</summary>
    public int Outputs { get; } = Syntax.Contains('=') ? Syntax.AsSpan(0, Syntax.IndexOf('=')).Count(',') + 1 : 0;
}
