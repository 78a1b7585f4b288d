using static FastXen.Core.Decode.Formats;
using static FastXen.Core.Decode.InstructionFacts;
using static FastXen.Core.Decode.Opcode;

namespace FastXen.Core.Decode;

/// <summary>Instructions of the M unit that manage the processor.</summary>
internal static class TableSystem
{
    public static IEnumerable<InstructionRow> Rows =>
    [
        // M24-M27: synchronization, RSE, ALAT.
        new(Invala, "invala", System0(24, 0, 1), ""),
        new(Fwb, "fwb", System0(24, 0, 2), ""),
        new(Mf, "mf", System0(24, 2, 2), ""),
        new(MfA, "mf.a", System0(24, 3, 2), ""),
        new(SrlzD, "srlz.d", System0(24, 0, 3), ""),
        new(SrlzI, "srlz.i", System0(24, 1, 3), ""),
        new(SyncI, "sync.i", System0(24, 3, 3), ""),
        new(Flushrs, "flushrs", System0(25, 12, 0), "") { Facts = FirstInGroup | Unpredicated },
        new(Loadrs, "loadrs", System0(25, 10, 0), "") { Facts = FirstInGroup | Unpredicated },
        new(InvalaGr, "invala.e", System0(26, 2, 1), "r1"),
        new(InvalaFr, "invala.e", System0(27, 3, 1), "f1"),

        // M37, M48, M50: break, nop, hint; the hints with bits 11:10 = 1 set a data access hint register.
        new(BreakM, "break.m", System0(37, 0, 0), "imm21"),
        new(NopM, "nop.m", System0(48, 1, 0).With(26, 26, 0), "imm21"),
        new(MovToDahrImmediate, "mov", System0(50, 1, 0).With(26, 26, 1).With(11, 10, 1), "dahr3=imm16"),
        new(HintM, "hint.m", System0(48, 1, 0).With(26, 26, 1), "imm19"),

        // M44: PSR masks.
        new(Sum, "sum", M44(4), "imm24"),
        new(Rum, "rum", M44(5), "imm24"),
        new(Ssm, "ssm", M44(6), "imm24") { Facts = Privileged },
        new(Rsm, "rsm", M44(7), "imm24") { Facts = Privileged },

        // M28-M36: flushes, moves of application, control and status registers, frames.
        new(Fc, "fc", System1(28, 0x30).With(36, 36, 0), "r3"),
        new(FcI, "fc.i", System1(28, 0x30).With(36, 36, 1), "r3"),
        new(MovToArImmediateM, "mov.m", System0(30, 8, 2), "ar3=imm8"),
        new(MovToArM, "mov.m", System1(29, 0x2A), "ar3=r2"),
        new(MovFromArM, "mov.m", System1(31, 0x22), "r1=ar3"),
        new(MovToCr, "mov", System1(32, 0x2C), "cr3=r2") { Facts = Privileged },
        new(MovFromCr, "mov", System1(33, 0x24), "r1=cr3") { Facts = Privileged },
        new(Alloc, "alloc", M34(), "r1=ar.pfs,sof,sol,sor") { Facts = FirstInGroup | Unpredicated | RenamesRegisters },
        new(MovToPsrL, "mov", System1(35, 0x2D), "psr.l=r2") { Facts = Privileged },
        new(MovToPsrUm, "mov", System1(35, 0x29), "psr.um=r2"),
        new(MovFromPsr, "mov", System1(36, 0x25), "r1=psr") { Facts = Privileged },
        new(MovFromPsrUm, "mov", System1(36, 0x21), "r1=psr.um"),

        // M38-M40: access tests.
        new(ProbeR, "probe.r", System1(38, 0x38), "r1=r3,r2"),
        new(ProbeW, "probe.w", System1(38, 0x39), "r1=r3,r2"),
        new(ProbeRImmediate, "probe.r", System1(39, 0x18), "r1=r3,imm2"),
        new(ProbeWImmediate, "probe.w", System1(39, 0x19), "r1=r3,imm2"),
        new(ProbeRwFault, "probe.rw.fault", System1(40, 0x31), "r3,imm2"),
        new(ProbeRFault, "probe.r.fault", System1(40, 0x32), "r3,imm2"),
        new(ProbeWFault, "probe.w.fault", System1(40, 0x33), "r3,imm2"),

        // M41-M43, M45-M47: translations and register files.
        new(ItcD, "itc.d", System1(41, 0x2E), "r2") { Facts = LastInGroup | Privileged },
        new(ItcI, "itc.i", System1(41, 0x2F), "r2") { Facts = LastInGroup | Privileged },
        new(MovToRr, "mov", System1(42, 0x00), "rr[r3]=r2") { Facts = Privileged },
        new(MovToDbr, "mov", System1(42, 0x01), "dbr[r3]=r2") { Facts = Privileged },
        new(MovToIbr, "mov", System1(42, 0x02), "ibr[r3]=r2") { Facts = Privileged },
        new(MovToPkr, "mov", System1(42, 0x03), "pkr[r3]=r2") { Facts = Privileged },
        new(MovToPmc, "mov", System1(42, 0x04), "pmc[r3]=r2") { Facts = Privileged },
        new(MovToPmd, "mov", System1(42, 0x05), "pmd[r3]=r2") { Facts = Privileged },
        new(ItrD, "itr.d", System1(42, 0x0E), "dtr[r3]=r2") { Facts = Privileged },
        new(ItrI, "itr.i", System1(42, 0x0F), "itr[r3]=r2") { Facts = Privileged },
        new(MovFromRr, "mov", System1(43, 0x10), "r1=rr[r3]") { Facts = Privileged },
        new(MovFromDbr, "mov", System1(43, 0x11), "r1=dbr[r3]") { Facts = Privileged },
        new(MovFromIbr, "mov", System1(43, 0x12), "r1=ibr[r3]") { Facts = Privileged },
        new(MovFromPkr, "mov", System1(43, 0x13), "r1=pkr[r3]") { Facts = Privileged },
        new(MovFromPmc, "mov", System1(43, 0x14), "r1=pmc[r3]") { Facts = Privileged },
        new(MovFromPmd, "mov", System1(43, 0x15), "r1=pmd[r3]"),
        new(MovFromCpuid, "mov", System1(43, 0x17), "r1=cpuid[r3]"),
        new(MovFromDahr, "mov", System1(43, 0x20), "r1=dahr[r3]"),
        new(PtcL, "ptc.l", System1(45, 0x09), "r3,r2") { Facts = Privileged },
        new(PtcG, "ptc.g", System1(45, 0x0A), "r3,r2") { Facts = LastInGroup | Privileged },
        new(PtcGa, "ptc.ga", System1(45, 0x0B), "r3,r2") { Facts = LastInGroup | Privileged },
        new(PtrD, "ptr.d", System1(45, 0x0C), "r3,r2") { Facts = Privileged },
        new(PtrI, "ptr.i", System1(45, 0x0D), "r3,r2") { Facts = Privileged },
        new(Thash, "thash", System1(46, 0x1A), "r1=r3"),
        new(Ttag, "ttag", System1(46, 0x1B), "r1=r3"),
        new(Tpa, "tpa", System1(46, 0x1E), "r1=r3") { Facts = Privileged },
        new(Tak, "tak", System1(46, 0x1F), "r1=r3") { Facts = Privileged },
        new(PtcE, "ptc.e", System1(47, 0x34), "r3") { Facts = Privileged },
    ];
}
