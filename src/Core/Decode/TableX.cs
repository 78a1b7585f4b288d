using static FastXen.Core.Decode.Formats;
using static FastXen.Core.Decode.Opcode;

namespace FastXen.Core.Decode;

/// <summary>Long instructions.</summary>
internal static class TableX
{
    public static IEnumerable<InstructionRow> Rows =>
    [
        new(BreakX, "break.x", X1(), "imm62"),
        new(NopX, "nop.x", X5(0), "imm62"),
        new(HintX, "hint.x", X5(1), "imm62"),
        new(Movl, "movl", X2(), "r1=imm64"),
        new(Brl, "brl", X3(), "target64") { Suffix = Suffix.BranchPlain, Spelling = Spelling.PlainBranch },
        new(Brl, "brl.cond", X3(), "target64") { Suffix = Suffix.Branch },
        new(BrlCall, "brl.call", X4(), "b1=target64") { Suffix = Suffix.Branch },
    ];
}
