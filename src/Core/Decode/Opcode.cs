namespace FastXen.Core.Decode;

/// <summary>
/// Every operation of the instruction set: the manual's mnemonic with the completers that change the meaning.
/// Not in the name: hints, the status field (<see cref="Instruction.Selector"/>), precision and base update
/// (<see cref="Completers"/>). A form with an immediate operand in place of a register ends in Immediate.
/// </summary>
public enum Opcode : ushort
{
    /// <summary>Encoding that faults with Illegal Operation.</summary>
    Illegal = 0,

    /// <summary>Unassigned encoding of the B unit that executes as a no-op.</summary>
    Ignored,

    /// <summary>
    /// Slot 2 of an MLX bundle: slot 1 holds the whole instruction, this one is passed over.
    /// Restarting here (rfi with PSR.ri 2) is an Illegal Operation fault.
    /// </summary>
    LongSecondSlot,

    // Integer, A1-A5.
    Add, AddPlusOne, Sub, SubMinusOne, Addp4, And, Andcm, Or, Xor, Shladd, Shladdp4, SubImmediate, AndImmediate,
    AndcmImmediate, OrImmediate, XorImmediate, AddsImmediate, Addp4Immediate, AddlImmediate,

    // 64-bit compares of two registers, A6.
    CmpLt, CmpLtUnc, CmpLtu, CmpLtuUnc, CmpEq, CmpEqUnc, CmpEqAnd, CmpEqOr, CmpEqOrAndcm, CmpNeAnd, CmpNeOr,
    CmpNeOrAndcm,

    // 64-bit compares "0 relation r3", A7.
    CmpGtZeroAnd, CmpGtZeroOr, CmpGtZeroOrAndcm, CmpLeZeroAnd, CmpLeZeroOr, CmpLeZeroOrAndcm, CmpGeZeroAnd,
    CmpGeZeroOr, CmpGeZeroOrAndcm, CmpLtZeroAnd, CmpLtZeroOr, CmpLtZeroOrAndcm,

    // 64-bit compares "imm8 relation r3", A8.
    CmpLtImmediate, CmpLtUncImmediate, CmpLtuImmediate, CmpLtuUncImmediate, CmpEqImmediate, CmpEqUncImmediate,
    CmpEqAndImmediate, CmpEqOrImmediate, CmpEqOrAndcmImmediate, CmpNeAndImmediate, CmpNeOrImmediate,
    CmpNeOrAndcmImmediate,

    // 32-bit compares of two registers, A6.
    Cmp4Lt, Cmp4LtUnc, Cmp4Ltu, Cmp4LtuUnc, Cmp4Eq, Cmp4EqUnc, Cmp4EqAnd, Cmp4EqOr, Cmp4EqOrAndcm, Cmp4NeAnd,
    Cmp4NeOr, Cmp4NeOrAndcm,

    // 32-bit compares "0 relation r3", A7.
    Cmp4GtZeroAnd, Cmp4GtZeroOr, Cmp4GtZeroOrAndcm, Cmp4LeZeroAnd, Cmp4LeZeroOr, Cmp4LeZeroOrAndcm, Cmp4GeZeroAnd,
    Cmp4GeZeroOr, Cmp4GeZeroOrAndcm, Cmp4LtZeroAnd, Cmp4LtZeroOr, Cmp4LtZeroOrAndcm,

    // 32-bit compares "imm8 relation r3", A8.
    Cmp4LtImmediate, Cmp4LtUncImmediate, Cmp4LtuImmediate, Cmp4LtuUncImmediate, Cmp4EqImmediate, Cmp4EqUncImmediate,
    Cmp4EqAndImmediate, Cmp4EqOrImmediate, Cmp4EqOrAndcmImmediate, Cmp4NeAndImmediate, Cmp4NeOrImmediate,
    Cmp4NeOrAndcmImmediate,

    // Multimedia, A9 and A10.
    Padd1, Padd1Sss, Padd1Uuu, Padd1Uus, Padd2, Padd2Sss, Padd2Uuu, Padd2Uus, Padd4, Psub1, Psub1Sss, Psub1Uuu,
    Psub1Uus, Psub2, Psub2Sss, Psub2Uuu, Psub2Uus, Psub4, Pavg1, Pavg2, Pavg1Raz, Pavg2Raz, Pavgsub1, Pavgsub2,
    Pcmp1Eq, Pcmp2Eq, Pcmp4Eq, Pcmp1Gt, Pcmp2Gt, Pcmp4Gt, Pshladd2, Pshradd2,

    // Multimedia and variable shifts, I1-I9.
    Pmpyshr2, Pmpyshr2U, Pmpy2R, Pmpy2L, Mpy4, Mpyshl4, Mix1R, Mix2R, Mix4R, Mix1L, Mix2L, Mix4L, Pack2Uss, Pack2Sss,
    Pack4Sss, Unpack1H, Unpack2H, Unpack4H, Unpack1L, Unpack2L, Unpack4L, Pmin1U, Pmax1U, Pmin2, Pmax2, Psad1, Mux1,
    Mux2, Pshr2, Pshr4, Pshr2U, Pshr4U, Pshr2Immediate, Pshr4Immediate, Pshr2UImmediate, Pshr4UImmediate, Shr, ShrU,
    Pshl2, Pshl4, Shl, Pshl2Immediate, Pshl4Immediate, Popcnt, Clz,

    // Bit fields, I10-I15.
    Shrp, Extr, ExtrU, DepZ, DepZImmediate, DepImmediate, Dep,

    // Test bit, I16.
    TbitZ, TbitZUnc, TbitZAnd, TbitNzAnd, TbitZOr, TbitNzOr, TbitZOrAndcm, TbitNzOrAndcm,

    // Test NaT, I17.
    TnatZ, TnatZUnc, TnatZAnd, TnatNzAnd, TnatZOr, TnatNzOr, TnatZOrAndcm, TnatNzOrAndcm,

    // Test feature, I30.
    TfZ, TfZUnc, TfZAnd, TfNzAnd, TfZOr, TfNzOr, TfZOrAndcm, TfNzOrAndcm,

    // Miscellaneous of the I unit, I18-I29.
    BreakI, NopI, HintI, ChkSIntegerI, MovToBr, MovFromBr, MovToPr, MovToPrRotImmediate, MovFromIp, MovFromPr,
    MovToArI, MovToArImmediateI, MovFromArI, Zxt1, Zxt2, Zxt4, Sxt1, Sxt2, Sxt4, Czx1L, Czx2L, Czx1R, Czx2R,

    // Integer loads of 1 byte, M1-M3.
    Ld1, Ld1S, Ld1A, Ld1SA, Ld1Bias, Ld1Acq, Ld1CClr, Ld1CNc, Ld1CClrAcq,

    // Integer loads of 2 bytes, M1-M3.
    Ld2, Ld2S, Ld2A, Ld2SA, Ld2Bias, Ld2Acq, Ld2CClr, Ld2CNc, Ld2CClrAcq,

    // Integer loads of 4 bytes, M1-M3.
    Ld4, Ld4S, Ld4A, Ld4SA, Ld4Bias, Ld4Acq, Ld4CClr, Ld4CNc, Ld4CClrAcq,

    // Integer loads of 8 bytes, M1-M3.
    Ld8, Ld8S, Ld8A, Ld8SA, Ld8Bias, Ld8Acq, Ld8CClr, Ld8CNc, Ld8CClrAcq, Ld8Fill,

    // 16-byte loads (GR r1 and AR[CSD]), M1.
    Ld16, Ld16Acq,

    // Integer stores, M4 and M5.
    St1, St1Rel, St2, St2Rel, St4, St4Rel, St8, St8Rel, St8Spill, St16, St16Rel,

    // Floating-point loads (ldfs), M6-M8.
    Ldfs, LdfsS, LdfsA, LdfsSA, LdfsCClr, LdfsCNc,

    // Floating-point loads (ldfd), M6-M8.
    Ldfd, LdfdS, LdfdA, LdfdSA, LdfdCClr, LdfdCNc,

    // Floating-point loads (ldf8), M6-M8.
    Ldf8, Ldf8S, Ldf8A, Ldf8SA, Ldf8CClr, Ldf8CNc,

    // Floating-point loads (ldfe), M6-M8.
    Ldfe, LdfeS, LdfeA, LdfeSA, LdfeCClr, LdfeCNc, LdfFill,

    // Floating-point stores, M9 and M10.
    Stfs, Stfd, Stf8, Stfe, StfSpill,

    // Floating-point load pairs, M11 and M12.
    Ldfps, LdfpsS, LdfpsA, LdfpsSA, LdfpsCClr, LdfpsCNc, Ldfpd, LdfpdS, LdfpdA, LdfpdSA, LdfpdCClr, LdfpdCNc, Ldfp8,
    Ldfp8S, Ldfp8A, Ldfp8SA, Ldfp8CClr, Ldfp8CNc,

    // Line prefetch, M13-M15, and counted M51 and M52.
    Lfetch, LfetchExcl, LfetchFault, LfetchFaultExcl, LfetchCount,

    // Semaphores, M16 and M17.
    Cmpxchg1Acq, Cmpxchg1Rel, Cmpxchg2Acq, Cmpxchg2Rel, Cmpxchg4Acq, Cmpxchg4Rel, Cmpxchg8Acq, Cmpxchg8Rel,
    Cmp8xchg16Acq, Cmp8xchg16Rel, Xchg1, Xchg2, Xchg4, Xchg8, Fetchadd4Acq, Fetchadd4Rel, Fetchadd8Acq, Fetchadd8Rel,

    // Between floating-point and general registers, M18 and M19.
    SetfSig, SetfExp, SetfS, SetfD, GetfSig, GetfExp, GetfS, GetfD,

    // Speculation checks, M20-M23; ALAT, M24, M26, M27.
    ChkSIntegerM, ChkSFloat, ChkANcInteger, ChkAClrInteger, ChkANcFloat, ChkAClrFloat, Invala, InvalaGr, InvalaFr,

    // Synchronization, RSE and cache, M24, M25, M28.
    Fwb, Mf, MfA, SrlzD, SrlzI, SyncI, Flushrs, Loadrs, Fc, FcI, PtcE,

    // Moves of application, control and status registers, M29-M36; frames, M34.
    MovToArM, MovToArImmediateM, MovFromArM, MovToCr, MovFromCr, Alloc, MovToPsrL, MovToPsrUm, MovFromPsr,
    MovFromPsrUm,

    // Miscellaneous of the M unit, M37, M44, M48.
    BreakM, NopM, HintM, Sum, Rum, Ssm, Rsm,

    // Access tests, M38-M40.
    ProbeR, ProbeW, ProbeRImmediate, ProbeWImmediate, ProbeRwFault, ProbeRFault, ProbeWFault,

    // Translations, M41, M42, M45-M47.
    ItcD, ItcI, ItrD, ItrI, PtcL, PtcG, PtcGa, PtrD, PtrI, Thash, Ttag, Tpa, Tak,

    // Indirect register files, M42 and M43; data access hint registers, M43 and M50.
    MovToRr, MovToDbr, MovToIbr, MovToPkr, MovToPmc, MovToPmd, MovFromRr, MovFromDbr, MovFromIbr, MovFromPkr,
    MovFromPmc, MovFromPmd, MovFromCpuid, MovFromDahr, MovToDahrImmediate,

    // Branches, B1-B7.
    BrCond, BrWexit, BrWtop, BrCloop, BrCexit, BrCtop, BrCall, BrCondIndirect, BrIa, BrRet, BrCallIndirect, Brp,
    BrpIndirect, BrpRet,

    // Miscellaneous of the B unit, B8 and B9.
    Cover, Clrrrb, ClrrrbPr, Rfi, Bsw0, Bsw1, Epc, Vmsw0, Vmsw1, BreakB, NopB, HintB,

    // Floating-point arithmetic, F1-F3.
    Fma, Fms, Fnma, Fpma, Fpms, Fpnma, XmaL, XmaH, XmaHu, Fselect,

    // Floating-point compare and class, F4 and F5.
    FcmpEq, FcmpEqUnc, FcmpLt, FcmpLtUnc, FcmpLe, FcmpLeUnc, FcmpUnord, FcmpUnordUnc, Fclass, FclassUnc,

    // Approximations, F6 and F7.
    Frcpa, Fprcpa, Frsqrta, Fprsqrta,

    // Minimum, maximum, parallel compare, F8.
    Fmin, Fmax, Famin, Famax, Fpmin, Fpmax, Fpamin, Fpamax, FpcmpEq, FpcmpLt, FpcmpLe, FpcmpUnord, FpcmpNeq, FpcmpNlt,
    FpcmpNle, FpcmpOrd,

    // Merge and logical, F9.
    FmergeS, FmergeNs, FmergeSe, FmixLr, FmixR, FmixL, FsxtR, FsxtL, Fpack, Fswap, FswapNl, FswapNr, Fand, Fandcm,
    For, Fxor, FpmergeS, FpmergeNs, FpmergeSe,

    // Conversions, F10 and F11.
    FcvtFx, FcvtFxu, FcvtFxTrunc, FcvtFxuTrunc, FpcvtFx, FpcvtFxu, FpcvtFxTrunc, FpcvtFxuTrunc, FcvtXf,

    // Status fields, F12-F14; miscellaneous of the F unit, F15 and F16.
    Fsetc, Fclrf, Fchkf, BreakF, NopF, HintF,

    // Long instructions (slots L and X), X1-X5.
    Movl, Brl, BrlCall, BreakX, NopX, HintX,
}
