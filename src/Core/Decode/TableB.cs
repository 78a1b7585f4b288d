using static FastXen.Core.Decode.Formats;
using static FastXen.Core.Decode.InstructionFacts;
using static FastXen.Core.Decode.Opcode;

namespace FastXen.Core.Decode;

/// <summary>Instructions of the B unit.</summary>
internal static class TableB
{
    public static IEnumerable<InstructionRow> Rows =>
    [
        // B1-B3: IP-relative branches.
        new(BrCond, "br", B1To2(1, 0), "target25") { Suffix = Suffix.BranchPlain, Spelling = Spelling.PlainBranch },
        new(BrCond, "br.cond", B1To2(1, 0), "target25") { Suffix = Suffix.Branch },
        new(BrWexit, "br.wexit", B1To2(1, 2), "target25") { Suffix = Suffix.Branch, Facts = ActsWhenFalse | OnlyInSlot2 | RenamesRegisters },
        new(BrWtop, "br.wtop", B1To2(1, 3), "target25") { Suffix = Suffix.Branch, Facts = ActsWhenFalse | OnlyInSlot2 | RenamesRegisters },
        new(BrCloop, "br.cloop", B1To2(2, 5), "target25") { Suffix = Suffix.Branch, Facts = Unpredicated | OnlyInSlot2 },
        new(BrCexit, "br.cexit", B1To2(2, 6), "target25") { Suffix = Suffix.Branch, Facts = Unpredicated | OnlyInSlot2 | RenamesRegisters },
        new(BrCtop, "br.ctop", B1To2(2, 7), "target25") { Suffix = Suffix.Branch, Facts = Unpredicated | OnlyInSlot2 | RenamesRegisters },
        new(BrCall, "br.call", B3(), "b1=target25") { Suffix = Suffix.Branch },

        // B4 and B5: indirect branches.
        new(BrCondIndirect, "br", B4(0x20, 0), "b2") { Suffix = Suffix.BranchPlain, Spelling = Spelling.PlainBranch },
        new(BrCondIndirect, "br.cond", B4(0x20, 0), "b2") { Suffix = Suffix.Branch },
        new(BrIa, "br.ia", B4(0x20, 1), "b2") { Suffix = Suffix.Branch, Facts = ActsWhenFalse },
        new(BrRet, "br.ret", B4(0x21, 4), "b2") { Suffix = Suffix.Branch, Facts = RenamesRegisters },
        new(BrCallIndirect, "br.call", B5(), "b1=b2") { Suffix = Suffix.BranchIndirectCall },

        // B6 and B7: branch prediction.
        new(Brp, "brp", B6(), "target25,tag13") { Suffix = Suffix.Predict, Facts = Unpredicated },
        new(BrpIndirect, "brp", B7(0x10), "b2,tag13") { Suffix = Suffix.PredictIndirect, Facts = Unpredicated },
        new(BrpRet, "brp.ret", B7(0x11), "b2,tag13") { Suffix = Suffix.PredictIndirect, Facts = Unpredicated },

        // B8 and B9: miscellaneous.
        new(Cover, "cover", B8(0x02), "") { Facts = Unpredicated | LastInGroup | RenamesRegisters },
        new(Clrrrb, "clrrrb", B8(0x04), "") { Facts = Unpredicated | LastInGroup | RenamesRegisters },
        new(ClrrrbPr, "clrrrb.pr", B8(0x05), "") { Facts = Unpredicated | LastInGroup | RenamesRegisters },
        new(Rfi, "rfi", B8(0x08), "") { Facts = Unpredicated | LastInGroup | Privileged | RenamesRegisters },
        new(Bsw0, "bsw.0", B8(0x0C), "") { Facts = Unpredicated | LastInGroup | Privileged },
        new(Bsw1, "bsw.1", B8(0x0D), "") { Facts = Unpredicated | LastInGroup | Privileged },
        new(Epc, "epc", B8(0x10), "") { Facts = Unpredicated },
        new(Vmsw0, "vmsw.0", B8(0x18), "") { Facts = Unpredicated | Privileged },
        new(Vmsw1, "vmsw.1", B8(0x19), "") { Facts = Unpredicated | Privileged },
        new(BreakB, "break.b", B9(0, 0), "imm21"),
        new(NopB, "nop.b", B9(2, 0), "imm21"),
        new(HintB, "hint.b", B9(2, 1), "imm21"),

        // Unassigned opcodes that execute as a no-op, and those that fault whatever their predicate is; all others fault when it is true.
        new(Ignored, "data8", B8(0x01), ""),
        new(Ignored, "data8", Op("B0", 2), ""),
        new(Ignored, "data8", Op("B0", 3), ""),
        new(Ignored, "data8", Op("B0", 6), ""),
        new(Illegal, "data8", Op("B0", 0).With(32, 32, 1), "") { Facts = Unpredicated },
        new(Illegal, "data8", B1To2(0, 1), "") { Facts = Unpredicated },
        new(Illegal, "data8", B1To2(0, 4), "") { Facts = Unpredicated },
        new(Illegal, "data8", new Encoding("B0", 0, 0).With(40, 40, 1), "") { Facts = Unpredicated },
    ];
}
