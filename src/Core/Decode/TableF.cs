using static FastXen.Core.Decode.Formats;
using static FastXen.Core.Decode.InstructionFacts;
using static FastXen.Core.Decode.Opcode;

namespace FastXen.Core.Decode;

/// <summary>Instructions of the F unit.</summary>
internal static class TableF
{
    public static IEnumerable<InstructionRow> Rows =>
    [
        // F1: multiply and add.
        new(Fma, "fnorm", F1(8, 0), "f1=f3") { Suffix = Suffix.StatusField, Spelling = Spelling.F2ZeroF4One },
        new(Fma, "fadd", F1(8, 0), "f1=f3,f2") { Suffix = Suffix.StatusField, Spelling = Spelling.F4One },
        new(Fma, "fmpy", F1(8, 0), "f1=f3,f4") { Suffix = Suffix.StatusField, Spelling = Spelling.F2Zero },
        new(Fma, "fma", F1(8, 0), "f1=f3,f4,f2") { Suffix = Suffix.StatusField },
        new(Fma, "fnorm.s", F1(8, 1), "f1=f3") { Suffix = Suffix.StatusField, Spelling = Spelling.F2ZeroF4One, Completers = Completers.PrecisionSingle },
        new(Fma, "fadd.s", F1(8, 1), "f1=f3,f2") { Suffix = Suffix.StatusField, Spelling = Spelling.F4One, Completers = Completers.PrecisionSingle },
        new(Fma, "fmpy.s", F1(8, 1), "f1=f3,f4") { Suffix = Suffix.StatusField, Spelling = Spelling.F2Zero, Completers = Completers.PrecisionSingle },
        new(Fma, "fma.s", F1(8, 1), "f1=f3,f4,f2") { Suffix = Suffix.StatusField, Completers = Completers.PrecisionSingle },
        new(Fma, "fnorm.d", F1(9, 0), "f1=f3") { Suffix = Suffix.StatusField, Spelling = Spelling.F2ZeroF4One, Completers = Completers.PrecisionDouble },
        new(Fma, "fadd.d", F1(9, 0), "f1=f3,f2") { Suffix = Suffix.StatusField, Spelling = Spelling.F4One, Completers = Completers.PrecisionDouble },
        new(Fma, "fmpy.d", F1(9, 0), "f1=f3,f4") { Suffix = Suffix.StatusField, Spelling = Spelling.F2Zero, Completers = Completers.PrecisionDouble },
        new(Fma, "fma.d", F1(9, 0), "f1=f3,f4,f2") { Suffix = Suffix.StatusField, Completers = Completers.PrecisionDouble },
        new(Fpma, "fpmpy", F1(9, 1), "f1=f3,f4") { Suffix = Suffix.StatusField, Spelling = Spelling.F2Zero },
        new(Fpma, "fpma", F1(9, 1), "f1=f3,f4,f2") { Suffix = Suffix.StatusField },
        new(Fms, "fsub", F1(10, 0), "f1=f3,f2") { Suffix = Suffix.StatusField, Spelling = Spelling.F4One },
        new(Fms, "fms", F1(10, 0), "f1=f3,f4,f2") { Suffix = Suffix.StatusField },
        new(Fms, "fsub.s", F1(10, 1), "f1=f3,f2") { Suffix = Suffix.StatusField, Spelling = Spelling.F4One, Completers = Completers.PrecisionSingle },
        new(Fms, "fms.s", F1(10, 1), "f1=f3,f4,f2") { Suffix = Suffix.StatusField, Completers = Completers.PrecisionSingle },
        new(Fms, "fsub.d", F1(11, 0), "f1=f3,f2") { Suffix = Suffix.StatusField, Spelling = Spelling.F4One, Completers = Completers.PrecisionDouble },
        new(Fms, "fms.d", F1(11, 0), "f1=f3,f4,f2") { Suffix = Suffix.StatusField, Completers = Completers.PrecisionDouble },
        new(Fpms, "fpms", F1(11, 1), "f1=f3,f4,f2") { Suffix = Suffix.StatusField },
        new(Fnma, "fnmpy", F1(12, 0), "f1=f3,f4") { Suffix = Suffix.StatusField, Spelling = Spelling.F2Zero },
        new(Fnma, "fnma", F1(12, 0), "f1=f3,f4,f2") { Suffix = Suffix.StatusField },
        new(Fnma, "fnmpy.s", F1(12, 1), "f1=f3,f4") { Suffix = Suffix.StatusField, Spelling = Spelling.F2Zero, Completers = Completers.PrecisionSingle },
        new(Fnma, "fnma.s", F1(12, 1), "f1=f3,f4,f2") { Suffix = Suffix.StatusField, Completers = Completers.PrecisionSingle },
        new(Fnma, "fnmpy.d", F1(13, 0), "f1=f3,f4") { Suffix = Suffix.StatusField, Spelling = Spelling.F2Zero, Completers = Completers.PrecisionDouble },
        new(Fnma, "fnma.d", F1(13, 0), "f1=f3,f4,f2") { Suffix = Suffix.StatusField, Completers = Completers.PrecisionDouble },
        new(Fpnma, "fpnmpy", F1(13, 1), "f1=f3,f4") { Suffix = Suffix.StatusField, Spelling = Spelling.F2Zero },
        new(Fpnma, "fpnma", F1(13, 1), "f1=f3,f4,f2") { Suffix = Suffix.StatusField },

        // F2 and F3: fixed-point multiply and add, select.
        new(XmaL, "xmpy.l", F2(0), "f1=f3,f4") { Spelling = Spelling.F2Zero },
        new(XmaL, "xma.l", F2(0), "f1=f3,f4,f2"),
        new(XmaH, "xmpy.h", F2(3), "f1=f3,f4") { Spelling = Spelling.F2Zero },
        new(XmaH, "xma.h", F2(3), "f1=f3,f4,f2"),
        new(XmaHu, "xmpy.hu", F2(2), "f1=f3,f4") { Spelling = Spelling.F2Zero },
        new(XmaHu, "xma.hu", F2(2), "f1=f3,f4,f2"),
        new(Fselect, "fselect", F3(), "f1=f3,f4,f2"),

        // F4 and F5: compare and class.
        new(FcmpEq, "fcmp.eq", F4(0, 0, 0), "p1,p2=f2,f3") { Suffix = Suffix.StatusField },
        new(FcmpEqUnc, "fcmp.eq.unc", F4(0, 0, 1), "p1,p2=f2,f3") { Suffix = Suffix.StatusField, Facts = ActsWhenFalse },
        new(FcmpLt, "fcmp.lt", F4(0, 1, 0), "p1,p2=f2,f3") { Suffix = Suffix.StatusField },
        new(FcmpLtUnc, "fcmp.lt.unc", F4(0, 1, 1), "p1,p2=f2,f3") { Suffix = Suffix.StatusField, Facts = ActsWhenFalse },
        new(FcmpLe, "fcmp.le", F4(1, 0, 0), "p1,p2=f2,f3") { Suffix = Suffix.StatusField },
        new(FcmpLeUnc, "fcmp.le.unc", F4(1, 0, 1), "p1,p2=f2,f3") { Suffix = Suffix.StatusField, Facts = ActsWhenFalse },
        new(FcmpUnord, "fcmp.unord", F4(1, 1, 0), "p1,p2=f2,f3") { Suffix = Suffix.StatusField },
        new(FcmpUnordUnc, "fcmp.unord.unc", F4(1, 1, 1), "p1,p2=f2,f3") { Suffix = Suffix.StatusField, Facts = ActsWhenFalse },
        new(Fclass, "fclass.m", F5(0), "p1,p2=f2,fclass9"),
        new(FclassUnc, "fclass.m.unc", F5(1), "p1,p2=f2,fclass9") { Facts = ActsWhenFalse },

        // F6 and F7: approximations.
        new(Frcpa, "frcpa", F6(0), "f1,p2=f2,f3") { Suffix = Suffix.StatusField, Facts = ActsWhenFalse },
        new(Fprcpa, "fprcpa", F6(1), "f1,p2=f2,f3") { Suffix = Suffix.StatusField, Facts = ActsWhenFalse },
        new(Frsqrta, "frsqrta", F7(0), "f1,p2=f3") { Suffix = Suffix.StatusField, Facts = ActsWhenFalse },
        new(Fprsqrta, "fprsqrta", F7(1), "f1,p2=f3") { Suffix = Suffix.StatusField, Facts = ActsWhenFalse },

        // F8: minimum, maximum, parallel compare.
        new(Fmin, "fmin", F8To16(8, 0, 0x14), "f1=f2,f3") { Suffix = Suffix.StatusField },
        new(Fmax, "fmax", F8To16(8, 0, 0x15), "f1=f2,f3") { Suffix = Suffix.StatusField },
        new(Famin, "famin", F8To16(8, 0, 0x16), "f1=f2,f3") { Suffix = Suffix.StatusField },
        new(Famax, "famax", F8To16(8, 0, 0x17), "f1=f2,f3") { Suffix = Suffix.StatusField },
        new(Fpmin, "fpmin", F8To16(8, 1, 0x14), "f1=f2,f3") { Suffix = Suffix.StatusField },
        new(Fpmax, "fpmax", F8To16(8, 1, 0x15), "f1=f2,f3") { Suffix = Suffix.StatusField },
        new(Fpamin, "fpamin", F8To16(8, 1, 0x16), "f1=f2,f3") { Suffix = Suffix.StatusField },
        new(Fpamax, "fpamax", F8To16(8, 1, 0x17), "f1=f2,f3") { Suffix = Suffix.StatusField },
        new(FpcmpEq, "fpcmp.eq", F8To16(8, 1, 0x30), "f1=f2,f3") { Suffix = Suffix.StatusField },
        new(FpcmpLt, "fpcmp.lt", F8To16(8, 1, 0x31), "f1=f2,f3") { Suffix = Suffix.StatusField },
        new(FpcmpLe, "fpcmp.le", F8To16(8, 1, 0x32), "f1=f2,f3") { Suffix = Suffix.StatusField },
        new(FpcmpUnord, "fpcmp.unord", F8To16(8, 1, 0x33), "f1=f2,f3") { Suffix = Suffix.StatusField },
        new(FpcmpNeq, "fpcmp.neq", F8To16(8, 1, 0x34), "f1=f2,f3") { Suffix = Suffix.StatusField },
        new(FpcmpNlt, "fpcmp.nlt", F8To16(8, 1, 0x35), "f1=f2,f3") { Suffix = Suffix.StatusField },
        new(FpcmpNle, "fpcmp.nle", F8To16(8, 1, 0x36), "f1=f2,f3") { Suffix = Suffix.StatusField },
        new(FpcmpOrd, "fpcmp.ord", F8To16(8, 1, 0x37), "f1=f2,f3") { Suffix = Suffix.StatusField },

        // F9: merge and logical.
        new(FmergeS, "mov", F8To16(9, 0, 0x10), "f1=f3") { Spelling = Spelling.F2EqualsF3 },
        new(FmergeS, "fabs", F8To16(9, 0, 0x10), "f1=f3") { Spelling = Spelling.F2Zero },
        new(FmergeS, "fmerge.s", F8To16(9, 0, 0x10), "f1=f2,f3"),
        new(FmergeNs, "fneg", F8To16(9, 0, 0x11), "f1=f3") { Spelling = Spelling.F2EqualsF3 },
        new(FmergeNs, "fnegabs", F8To16(9, 0, 0x11), "f1=f3") { Spelling = Spelling.F2Zero },
        new(FmergeNs, "fmerge.ns", F8To16(9, 0, 0x11), "f1=f2,f3"),
        new(FmergeSe, "fmerge.se", F8To16(9, 0, 0x12), "f1=f2,f3"),
        new(FpmergeS, "fpabs", F8To16(9, 1, 0x10), "f1=f3") { Spelling = Spelling.F2Zero },
        new(FpmergeS, "fpmerge.s", F8To16(9, 1, 0x10), "f1=f2,f3"),
        new(FpmergeNs, "fpneg", F8To16(9, 1, 0x11), "f1=f3") { Spelling = Spelling.F2EqualsF3 },
        new(FpmergeNs, "fpnegabs", F8To16(9, 1, 0x11), "f1=f3") { Spelling = Spelling.F2Zero },
        new(FpmergeNs, "fpmerge.ns", F8To16(9, 1, 0x11), "f1=f2,f3"),
        new(FpmergeSe, "fpmerge.se", F8To16(9, 1, 0x12), "f1=f2,f3"),
        new(FmixLr, "fmix.lr", F8To16(9, 0, 0x39), "f1=f2,f3"),
        new(FmixR, "fmix.r", F8To16(9, 0, 0x3A), "f1=f2,f3"),
        new(FmixL, "fmix.l", F8To16(9, 0, 0x3B), "f1=f2,f3"),
        new(FsxtR, "fsxt.r", F8To16(9, 0, 0x3C), "f1=f2,f3"),
        new(FsxtL, "fsxt.l", F8To16(9, 0, 0x3D), "f1=f2,f3"),
        new(Fpack, "fpack", F8To16(9, 0, 0x28), "f1=f2,f3"),
        new(Fswap, "fswap", F8To16(9, 0, 0x34), "f1=f2,f3"),
        new(FswapNl, "fswap.nl", F8To16(9, 0, 0x35), "f1=f2,f3"),
        new(FswapNr, "fswap.nr", F8To16(9, 0, 0x36), "f1=f2,f3"),
        new(Fand, "fand", F8To16(9, 0, 0x2C), "f1=f2,f3"),
        new(Fandcm, "fandcm", F8To16(9, 0, 0x2D), "f1=f2,f3"),
        new(For, "for", F8To16(9, 0, 0x2E), "f1=f2,f3"),
        new(Fxor, "fxor", F8To16(9, 0, 0x2F), "f1=f2,f3"),

        // F10 and F11: conversions.
        new(FcvtFx, "fcvt.fx", F8To16(10, 0, 0x18), "f1=f2") { Suffix = Suffix.StatusField },
        new(FcvtFxu, "fcvt.fxu", F8To16(10, 0, 0x19), "f1=f2") { Suffix = Suffix.StatusField },
        new(FcvtFxTrunc, "fcvt.fx.trunc", F8To16(10, 0, 0x1A), "f1=f2") { Suffix = Suffix.StatusField, Completers = Completers.Truncate },
        new(FcvtFxuTrunc, "fcvt.fxu.trunc", F8To16(10, 0, 0x1B), "f1=f2") { Suffix = Suffix.StatusField, Completers = Completers.Truncate },
        new(FpcvtFx, "fpcvt.fx", F8To16(10, 1, 0x18), "f1=f2") { Suffix = Suffix.StatusField },
        new(FpcvtFxu, "fpcvt.fxu", F8To16(10, 1, 0x19), "f1=f2") { Suffix = Suffix.StatusField },
        new(FpcvtFxTrunc, "fpcvt.fx.trunc", F8To16(10, 1, 0x1A), "f1=f2") { Suffix = Suffix.StatusField, Completers = Completers.Truncate },
        new(FpcvtFxuTrunc, "fpcvt.fxu.trunc", F8To16(10, 1, 0x1B), "f1=f2") { Suffix = Suffix.StatusField, Completers = Completers.Truncate },
        new(FcvtXf, "fcvt.xf", F8To16(11, 0, 0x1C), "f1=f2"),

        // F12-F16: status fields, break, nop, hint.
        new(Fsetc, "fsetc", F8To16(12, 0, 0x04), "amask7,omask7") { Suffix = Suffix.StatusField },
        new(Fclrf, "fclrf", F8To16(13, 0, 0x05), "") { Suffix = Suffix.StatusField },
        new(Fchkf, "fchkf", F8To16(14, 0, 0x08), "target25f") { Suffix = Suffix.StatusField },
        new(BreakF, "break.f", F8To16(15, 0, 0x00), "imm21"),
        new(NopF, "nop.f", F8To16(16, 0, 0x01).With(26, 26, 0), "imm21"),
        new(HintF, "hint.f", F8To16(16, 0, 0x01).With(26, 26, 1), "imm21"),
    ];
}
