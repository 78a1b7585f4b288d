using static FastXen.Core.Decode.Formats;
using static FastXen.Core.Decode.Opcode;

namespace FastXen.Core.Decode;

/// <summary>Instructions of the M unit that access memory or speculate.</summary>
internal static class TableMemory
{
    public static IEnumerable<InstructionRow> Rows =>
    [
        // M1-M3: integer loads.
        .. Load(Ld1, "ld1", 0x00),
        .. Load(Ld1S, "ld1.s", 0x04),
        .. Load(Ld1A, "ld1.a", 0x08),
        .. Load(Ld1SA, "ld1.sa", 0x0C),
        .. Load(Ld1Bias, "ld1.bias", 0x10),
        .. Load(Ld1Acq, "ld1.acq", 0x14),
        .. Load(Ld1CClr, "ld1.c.clr", 0x20),
        .. Load(Ld1CNc, "ld1.c.nc", 0x24),
        .. Load(Ld1CClrAcq, "ld1.c.clr.acq", 0x28),
        .. Load(Ld2, "ld2", 0x01),
        .. Load(Ld2S, "ld2.s", 0x05),
        .. Load(Ld2A, "ld2.a", 0x09),
        .. Load(Ld2SA, "ld2.sa", 0x0D),
        .. Load(Ld2Bias, "ld2.bias", 0x11),
        .. Load(Ld2Acq, "ld2.acq", 0x15),
        .. Load(Ld2CClr, "ld2.c.clr", 0x21),
        .. Load(Ld2CNc, "ld2.c.nc", 0x25),
        .. Load(Ld2CClrAcq, "ld2.c.clr.acq", 0x29),
        .. Load(Ld4, "ld4", 0x02),
        .. Load(Ld4S, "ld4.s", 0x06),
        .. Load(Ld4A, "ld4.a", 0x0A),
        .. Load(Ld4SA, "ld4.sa", 0x0E),
        .. Load(Ld4Bias, "ld4.bias", 0x12),
        .. Load(Ld4Acq, "ld4.acq", 0x16),
        .. Load(Ld4CClr, "ld4.c.clr", 0x22),
        .. Load(Ld4CNc, "ld4.c.nc", 0x26),
        .. Load(Ld4CClrAcq, "ld4.c.clr.acq", 0x2A),
        .. Load(Ld8, "ld8", 0x03),
        .. Load(Ld8S, "ld8.s", 0x07),
        .. Load(Ld8A, "ld8.a", 0x0B),
        .. Load(Ld8SA, "ld8.sa", 0x0F),
        .. Load(Ld8Bias, "ld8.bias", 0x13),
        .. Load(Ld8Acq, "ld8.acq", 0x17),
        .. Load(Ld8CClr, "ld8.c.clr", 0x23),
        .. Load(Ld8CNc, "ld8.c.nc", 0x27),
        .. Load(Ld8CClrAcq, "ld8.c.clr.acq", 0x2B),
        .. Load(Ld8Fill, "ld8.fill", 0x1B),
        new(Ld16, "ld16", Memory4(1, 0, 1, 0x28), "r1,ar.csd=[r3]") { Suffix = Suffix.LoadHint },
        new(Ld16Acq, "ld16.acq", Memory4(1, 0, 1, 0x2C), "r1,ar.csd=[r3]") { Suffix = Suffix.LoadHint },

        // M4 and M5: integer stores.
        .. Store(St1, "st1", 0x30),
        .. Store(St1Rel, "st1.rel", 0x34),
        .. Store(St2, "st2", 0x31),
        .. Store(St2Rel, "st2.rel", 0x35),
        .. Store(St4, "st4", 0x32),
        .. Store(St4Rel, "st4.rel", 0x36),
        .. Store(St8, "st8", 0x33),
        .. Store(St8Rel, "st8.rel", 0x37),
        .. Store(St8Spill, "st8.spill", 0x3B),
        new(St16, "st16", Memory4(4, 0, 1, 0x30), "[r3]=r2,ar.csd") { Suffix = Suffix.StoreHint },
        new(St16Rel, "st16.rel", Memory4(4, 0, 1, 0x34), "[r3]=r2,ar.csd") { Suffix = Suffix.StoreHint },

        // M6-M8: floating-point loads.
        .. LoadF(Ldfs, "ldfs", 0x02),
        .. LoadF(LdfsS, "ldfs.s", 0x06),
        .. LoadF(LdfsA, "ldfs.a", 0x0A),
        .. LoadF(LdfsSA, "ldfs.sa", 0x0E),
        .. LoadF(LdfsCClr, "ldfs.c.clr", 0x22),
        .. LoadF(LdfsCNc, "ldfs.c.nc", 0x26),
        .. LoadF(Ldfd, "ldfd", 0x03),
        .. LoadF(LdfdS, "ldfd.s", 0x07),
        .. LoadF(LdfdA, "ldfd.a", 0x0B),
        .. LoadF(LdfdSA, "ldfd.sa", 0x0F),
        .. LoadF(LdfdCClr, "ldfd.c.clr", 0x23),
        .. LoadF(LdfdCNc, "ldfd.c.nc", 0x27),
        .. LoadF(Ldf8, "ldf8", 0x01),
        .. LoadF(Ldf8S, "ldf8.s", 0x05),
        .. LoadF(Ldf8A, "ldf8.a", 0x09),
        .. LoadF(Ldf8SA, "ldf8.sa", 0x0D),
        .. LoadF(Ldf8CClr, "ldf8.c.clr", 0x21),
        .. LoadF(Ldf8CNc, "ldf8.c.nc", 0x25),
        .. LoadF(Ldfe, "ldfe", 0x00),
        .. LoadF(LdfeS, "ldfe.s", 0x04),
        .. LoadF(LdfeA, "ldfe.a", 0x08),
        .. LoadF(LdfeSA, "ldfe.sa", 0x0C),
        .. LoadF(LdfeCClr, "ldfe.c.clr", 0x20),
        .. LoadF(LdfeCNc, "ldfe.c.nc", 0x24),
        .. LoadF(LdfFill, "ldf.fill", 0x1B),

        // M9 and M10: floating-point stores.
        .. StoreF(Stfs, "stfs", 0x32),
        .. StoreF(Stfd, "stfd", 0x33),
        .. StoreF(Stf8, "stf8", 0x31),
        .. StoreF(Stfe, "stfe", 0x30),
        .. StoreF(StfSpill, "stf.spill", 0x3B),

        // M11 and M12: floating-point load pairs.
        .. LoadPair(Ldfps, "ldfps", 0x02, "8"),
        .. LoadPair(LdfpsS, "ldfps.s", 0x06, "8"),
        .. LoadPair(LdfpsA, "ldfps.a", 0x0A, "8"),
        .. LoadPair(LdfpsSA, "ldfps.sa", 0x0E, "8"),
        .. LoadPair(LdfpsCClr, "ldfps.c.clr", 0x22, "8"),
        .. LoadPair(LdfpsCNc, "ldfps.c.nc", 0x26, "8"),
        .. LoadPair(Ldfpd, "ldfpd", 0x03, "16"),
        .. LoadPair(LdfpdS, "ldfpd.s", 0x07, "16"),
        .. LoadPair(LdfpdA, "ldfpd.a", 0x0B, "16"),
        .. LoadPair(LdfpdSA, "ldfpd.sa", 0x0F, "16"),
        .. LoadPair(LdfpdCClr, "ldfpd.c.clr", 0x23, "16"),
        .. LoadPair(LdfpdCNc, "ldfpd.c.nc", 0x27, "16"),
        .. LoadPair(Ldfp8, "ldfp8", 0x01, "16"),
        .. LoadPair(Ldfp8S, "ldfp8.s", 0x05, "16"),
        .. LoadPair(Ldfp8A, "ldfp8.a", 0x09, "16"),
        .. LoadPair(Ldfp8SA, "ldfp8.sa", 0x0D, "16"),
        .. LoadPair(Ldfp8CClr, "ldfp8.c.clr", 0x21, "16"),
        .. LoadPair(Ldfp8CNc, "ldfp8.c.nc", 0x25, "16"),

        // M13-M15, M51 and M52: line prefetch. Bit 19 tells the counted form from lfetch only.
        new(Lfetch, "lfetch", Memory6(13, 0, 0, 0x2C).With(19, 19, 0), "[r3]") { Suffix = Suffix.LineHint },
        new(Lfetch, "lfetch", Memory6(14, 1, 0, 0x2C), "[r3],r2") { Suffix = Suffix.LineHint, Completers = Completers.UpdateRegister },
        new(Lfetch, "lfetch", Memory7(15, 0x2C), "[r3],imm9b") { Suffix = Suffix.LineHint, Completers = Completers.UpdateImmediate },
        new(LfetchExcl, "lfetch.excl", Memory6(13, 0, 0, 0x2D), "[r3]") { Suffix = Suffix.LineHint },
        new(LfetchExcl, "lfetch.excl", Memory6(14, 1, 0, 0x2D), "[r3],r2") { Suffix = Suffix.LineHint, Completers = Completers.UpdateRegister },
        new(LfetchExcl, "lfetch.excl", Memory7(15, 0x2D), "[r3],imm9b") { Suffix = Suffix.LineHint, Completers = Completers.UpdateImmediate },
        new(LfetchFault, "lfetch.fault", Memory6(13, 0, 0, 0x2E), "[r3]") { Suffix = Suffix.LineHint },
        new(LfetchFault, "lfetch.fault", Memory6(14, 1, 0, 0x2E), "[r3],r2") { Suffix = Suffix.LineHint, Completers = Completers.UpdateRegister },
        new(LfetchFault, "lfetch.fault", Memory7(15, 0x2E), "[r3],imm9b") { Suffix = Suffix.LineHint, Completers = Completers.UpdateImmediate },
        new(LfetchFaultExcl, "lfetch.fault.excl", Memory6(13, 0, 0, 0x2F), "[r3]") { Suffix = Suffix.LineHint },
        new(LfetchFaultExcl, "lfetch.fault.excl", Memory6(14, 1, 0, 0x2F), "[r3],r2") { Suffix = Suffix.LineHint, Completers = Completers.UpdateRegister },
        new(LfetchFaultExcl, "lfetch.fault.excl", Memory7(15, 0x2F), "[r3],imm9b") { Suffix = Suffix.LineHint, Completers = Completers.UpdateImmediate },
        new(LfetchCount, "lfetch.count", Memory6(52, 0, 0, 0x2C).With(19, 19, 1), "[r3],cnt6,stride5") { Suffix = Suffix.LineHint },

        // M16 and M17: semaphores.
        new(Cmpxchg1Acq, "cmpxchg1.acq", Memory4(16, 0, 1, 0x00), "r1=[r3],r2,ar.ccv") { Suffix = Suffix.LoadUpdateHint },
        new(Cmpxchg1Rel, "cmpxchg1.rel", Memory4(16, 0, 1, 0x04), "r1=[r3],r2,ar.ccv") { Suffix = Suffix.LoadUpdateHint },
        new(Cmpxchg2Acq, "cmpxchg2.acq", Memory4(16, 0, 1, 0x01), "r1=[r3],r2,ar.ccv") { Suffix = Suffix.LoadUpdateHint },
        new(Cmpxchg2Rel, "cmpxchg2.rel", Memory4(16, 0, 1, 0x05), "r1=[r3],r2,ar.ccv") { Suffix = Suffix.LoadUpdateHint },
        new(Cmpxchg4Acq, "cmpxchg4.acq", Memory4(16, 0, 1, 0x02), "r1=[r3],r2,ar.ccv") { Suffix = Suffix.LoadUpdateHint },
        new(Cmpxchg4Rel, "cmpxchg4.rel", Memory4(16, 0, 1, 0x06), "r1=[r3],r2,ar.ccv") { Suffix = Suffix.LoadUpdateHint },
        new(Cmpxchg8Acq, "cmpxchg8.acq", Memory4(16, 0, 1, 0x03), "r1=[r3],r2,ar.ccv") { Suffix = Suffix.LoadUpdateHint },
        new(Cmpxchg8Rel, "cmpxchg8.rel", Memory4(16, 0, 1, 0x07), "r1=[r3],r2,ar.ccv") { Suffix = Suffix.LoadUpdateHint },
        new(Cmp8xchg16Acq, "cmp8xchg16.acq", Memory4(16, 0, 1, 0x20), "r1=[r3],r2,ar.csd,ar.ccv") { Suffix = Suffix.LoadUpdateHint },
        new(Cmp8xchg16Rel, "cmp8xchg16.rel", Memory4(16, 0, 1, 0x24), "r1=[r3],r2,ar.csd,ar.ccv") { Suffix = Suffix.LoadUpdateHint },
        new(Xchg1, "xchg1", Memory4(16, 0, 1, 0x08), "r1=[r3],r2") { Suffix = Suffix.LoadUpdateHint },
        new(Xchg2, "xchg2", Memory4(16, 0, 1, 0x09), "r1=[r3],r2") { Suffix = Suffix.LoadUpdateHint },
        new(Xchg4, "xchg4", Memory4(16, 0, 1, 0x0A), "r1=[r3],r2") { Suffix = Suffix.LoadUpdateHint },
        new(Xchg8, "xchg8", Memory4(16, 0, 1, 0x0B), "r1=[r3],r2") { Suffix = Suffix.LoadUpdateHint },
        new(Fetchadd4Acq, "fetchadd4.acq", Memory4(17, 0, 1, 0x12), "r1=[r3],inc3") { Suffix = Suffix.LoadUpdateHint },
        new(Fetchadd4Rel, "fetchadd4.rel", Memory4(17, 0, 1, 0x16), "r1=[r3],inc3") { Suffix = Suffix.LoadUpdateHint },
        new(Fetchadd8Acq, "fetchadd8.acq", Memory4(17, 0, 1, 0x13), "r1=[r3],inc3") { Suffix = Suffix.LoadUpdateHint },
        new(Fetchadd8Rel, "fetchadd8.rel", Memory4(17, 0, 1, 0x17), "r1=[r3],inc3") { Suffix = Suffix.LoadUpdateHint },

        // M18 and M19: between floating-point and general registers.
        new(SetfSig, "setf.sig", Memory6(18, 0, 1, 0x1C), "f1=r2"),
        new(SetfExp, "setf.exp", Memory6(18, 0, 1, 0x1D), "f1=r2"),
        new(SetfS, "setf.s", Memory6(18, 0, 1, 0x1E), "f1=r2"),
        new(SetfD, "setf.d", Memory6(18, 0, 1, 0x1F), "f1=r2"),
        new(GetfSig, "getf.sig", Memory4(19, 0, 1, 0x1C), "r1=f2"),
        new(GetfExp, "getf.exp", Memory4(19, 0, 1, 0x1D), "r1=f2"),
        new(GetfS, "getf.s", Memory4(19, 0, 1, 0x1E), "r1=f2"),
        new(GetfD, "getf.d", Memory4(19, 0, 1, 0x1F), "r1=f2"),

        // M20-M23: speculation checks.
        new(ChkSIntegerM, "chk.s.m", Check(20, 1, 1), "r2,target25c"),
        new(ChkSFloat, "chk.s", Check(21, 1, 3), "f2,target25c"),
        new(ChkANcInteger, "chk.a.nc", Check(22, 0, 4), "r1,target25"),
        new(ChkAClrInteger, "chk.a.clr", Check(22, 0, 5), "r1,target25"),
        new(ChkANcFloat, "chk.a.nc", Check(23, 0, 6), "f1,target25"),
        new(ChkAClrFloat, "chk.a.clr", Check(23, 0, 7), "f1,target25"),
    ];

    private static InstructionRow[] Load(Opcode opcode, string mnemonic, int x6) =>
    [
        new(opcode, mnemonic, Memory4(1, 0, 0, x6), "r1=[r3]") { Suffix = Suffix.LoadHint },
        new(opcode, mnemonic, Memory4(2, 1, 0, x6), "r1=[r3],r2") { Suffix = Suffix.LoadUpdateHint, Completers = Completers.UpdateRegister },
        new(opcode, mnemonic, Memory5(3, x6), "r1=[r3],imm9b") { Suffix = Suffix.LoadUpdateHint, Completers = Completers.UpdateImmediate },
    ];

    private static InstructionRow[] Store(Opcode opcode, string mnemonic, int x6) =>
    [
        new(opcode, mnemonic, Memory4(4, 0, 0, x6), "[r3]=r2") { Suffix = Suffix.StoreHint },
        new(opcode, mnemonic, Memory5(5, x6), "[r3]=r2,imm9a") { Suffix = Suffix.StoreUpdateHint, Completers = Completers.UpdateImmediate },
    ];

    private static InstructionRow[] LoadF(Opcode opcode, string mnemonic, int x6) =>
    [
        new(opcode, mnemonic, Memory6(6, 0, 0, x6), "f1=[r3]") { Suffix = Suffix.LoadHint },
        new(opcode, mnemonic, Memory6(7, 1, 0, x6), "f1=[r3],r2") { Suffix = Suffix.LoadUpdateHint, Completers = Completers.UpdateRegister },
        new(opcode, mnemonic, Memory7(8, x6), "f1=[r3],imm9b") { Suffix = Suffix.LoadUpdateHint, Completers = Completers.UpdateImmediate },
    ];

    private static InstructionRow[] StoreF(Opcode opcode, string mnemonic, int x6) =>
    [
        new(opcode, mnemonic, Memory6(9, 0, 0, x6), "[r3]=f2") { Suffix = Suffix.StoreHint },
        new(opcode, mnemonic, Memory7(10, x6), "[r3]=f2,imm9a") { Suffix = Suffix.StoreUpdateHint, Completers = Completers.UpdateImmediate },
    ];

    private static InstructionRow[] LoadPair(Opcode opcode, string mnemonic, int x6, string size) =>
    [
        new(opcode, mnemonic, Memory6(11, 0, 1, x6), "f1,f2=[r3]") { Suffix = Suffix.LoadUpdateHint },
        new(opcode, mnemonic, Memory6(12, 1, 1, x6), $"f1,f2=[r3],{size}") { Suffix = Suffix.LoadUpdateHint, Completers = Completers.UpdateImmediate },
    ];
}
