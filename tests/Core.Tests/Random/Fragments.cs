using FastXen.Core.Tests.SystemLevel;

namespace FastXen.Core.Tests.RandomPrograms;

/// <summary>Sequences that random instructions would never form. They may change r24 to r27, f6 to f13 and p6 to p9.</summary>
internal static class Fragments
{
    public static readonly string DoubleDivision = """
        { .mfi; nop.m 0; frcpa.s0 f8,p6=f6,f7; nop.i 0 ;; }
        { .mfi; nop.m 0; (p6) fnma.s1 f9=f7,f8,f1; nop.i 0 ;; }
        { .mfi; nop.m 0; (p6) fma.s1 f10=f9,f9,f0; nop.i 0 }
        { .mfi; nop.m 0; (p6) fma.s1 f8=f9,f8,f8; nop.i 0 ;; }
        { .mfi; nop.m 0; (p6) fma.s1 f8=f10,f8,f8; nop.i 0 ;; }
        { .mfi; nop.m 0; (p6) fma.d.s1 f11=f6,f8,f0; nop.i 0 ;; }
        { .mfi; nop.m 0; (p6) fnma.s1 f9=f7,f8,f1; nop.i 0 ;; }
        { .mfi; nop.m 0; (p6) fma.s1 f8=f9,f8,f8; nop.i 0 ;; }
        { .mfi; nop.m 0; (p6) fnma.d.s1 f12=f7,f11,f6; nop.i 0 ;; }
        { .mfi; nop.m 0; (p6) fma.d.s0 f8=f12,f8,f11; nop.i 0 ;; }
        """;

    public static readonly string SquareRoot = """
        { .mfi; nop.m 0; frsqrta.s0 f8,p6=f6; nop.i 0 ;; }
        { .mlx; nop.m 0; movl r24=0x3fe0000000000000 ;; }
        { .mfi; setf.d f9=r24; (p6) fma.s1 f10=f6,f8,f0; nop.i 0 ;; }
        { .mfi; nop.m 0; (p6) fma.s1 f11=f8,f9,f0; nop.i 0 ;; }
        { .mfi; nop.m 0; (p6) fnma.s1 f12=f10,f11,f9; nop.i 0 ;; }
        { .mfi; nop.m 0; (p6) fma.s1 f10=f10,f12,f10; nop.i 0 }
        { .mfi; nop.m 0; (p6) fma.s1 f11=f11,f12,f11; nop.i 0 ;; }
        { .mfi; nop.m 0; (p6) fnma.s1 f12=f10,f10,f6; nop.i 0 ;; }
        { .mfi; nop.m 0; (p6) fma.d.s0 f8=f12,f11,f10; nop.i 0 ;; }
        """;

    public static readonly string IntegerDivision = """
        { .mmi; setf.sig f6=r24; setf.sig f7=r25; nop.i 0 ;; }
        { .mfi; nop.m 0; fcvt.xf f6=f6; nop.i 0 }
        { .mfi; nop.m 0; fcvt.xf f7=f7; nop.i 0 ;; }
        { .mfi; nop.m 0; frcpa.s1 f8,p6=f6,f7; nop.i 0 ;; }
        { .mfi; nop.m 0; (p6) fnma.s1 f9=f7,f8,f1; nop.i 0 }
        { .mfi; nop.m 0; (p6) fma.s1 f10=f6,f8,f0; nop.i 0 ;; }
        { .mfi; nop.m 0; (p6) fma.s1 f11=f9,f9,f0; nop.i 0 }
        { .mfi; nop.m 0; (p6) fma.s1 f10=f9,f10,f10; nop.i 0 ;; }
        { .mfi; nop.m 0; (p6) fma.s1 f8=f9,f8,f8; nop.i 0 ;; }
        { .mfi; nop.m 0; (p6) fma.s1 f10=f11,f10,f10; nop.i 0 ;; }
        { .mfi; nop.m 0; (p6) fma.s1 f8=f11,f8,f8; nop.i 0 }
        { .mfi; nop.m 0; (p6) fnma.s1 f9=f7,f10,f6; nop.i 0 ;; }
        { .mfi; nop.m 0; (p6) fma.s1 f8=f9,f8,f10; nop.i 0 ;; }
        { .mfi; nop.m 0; fcvt.fx.trunc.s1 f8=f8; nop.i 0 ;; }
        { .mfi; getf.sig r26=f8; xma.l f9=f8,f7,f6; nop.i 0 ;; }
        { .mfi; getf.sig r27=f9; nop.f 0; nop.i 0 ;; }
        """;

    /// <summary>Interruption collection off and on again, with writes of the registers that it guards.</summary>
    public static readonly string CollectionOff = """
        { .mmi; rsm 0x6000 ;; srlz.d; nop.i 0 ;; }
        { .mmi; mov cr.ifa=r24 ;; mov r26=cr.iipa; nop.i 0 ;; }
        { .mmi; mov cr.iha=r25 ;; mov r27=cr.ifa; add r24=r24,r25 ;; }
        { .mmi; mov cr.iim=r24 ;; mov r25=psr; shl r26=r26,3 ;; }
        { .mmi; ssm 0x2000 ;; srlz.d; nop.i 0 ;; }
        { .mmi; ssm 0x4000 ;; srlz.d; nop.i 0 ;; }
        """;

    /// <summary>A translation register over the page that r24 names, with the translation r25; purged at the end.</summary>
    public static readonly string TranslationRegister = """
        { .mmi; rsm 0x6000 ;; srlz.d; mov r26=48 ;; }
        { .mmi; mov cr.ifa=r24 ;; mov cr.itir=r26; mov r27=7 ;; }
        { .mmi; ptr.d r24,r26 ;; srlz.d; nop.i 0 ;; }
        { .mmi; itr.d dtr[r27]=r25 ;; srlz.d; nop.i 0 ;; }
        { .mmi; ssm 0x2000 ;; srlz.d; nop.i 0 ;; }
        { .mmi; ssm 0x4000 ;; ld8 r25=[r24]; nop.i 0 ;; }
        { .mmi; adds r25=1,r25 ;; st8 [r24]=r25; nop.i 0 ;; }
        { .mmi; ptr.d r24,r26 ;; srlz.d; nop.i 0 ;; }
        { .mmi; ld8 r27=[r24]; nop.m 0; nop.i 0 ;; }
        """;

    /// <summary>Purges the pages at r24 in three ways.</summary>
    public static readonly string Purges = """
        { .mmi; mov r25=48 ;; ptc.l r24,r25; nop.i 0 ;; }
        { .mmi; srlz.d ;; ld4 r26=[r24]; nop.i 0 ;; }
        { .mmi; adds r25=8,r25 ;; nop.m 0; nop.i 0 }
        { .mmi; ptc.ga r24,r25 ;; nop.m 0; nop.i 0 ;; }
        { .mmi; srlz.i ;; st2 [r24]=r26; nop.i 0 ;; }
        { .mmi; ptc.e r0 ;; srlz.i; nop.i 0 ;; }
        """;

    /// <summary>Data references by physical address, at r24.</summary>
    public static readonly string Physical = """
        { .mmi; rsm 0x20000 ;; srlz.d; nop.i 0 ;; }
        { .mmi; ld8 r25=[r24] ;; adds r25=3,r25; nop.i 0 ;; }
        { .mmi; st8 [r24]=r25 ;; ld2 r26=[r24]; nop.i 0 ;; }
        { .mmi; ssm 0x20000 ;; srlz.d; nop.i 0 ;; }
        """;

    /// <summary>Registers r16 to r31 of bank 0; an interruption would change them.</summary>
    public static readonly string Banks = """
        { .mfb; rsm 0x4000; nop.f 0; bsw.0 ;; }
        { .mmi; adds r17=5,r18; xor r19=r17,r20; adds r24=1,r24 ;; }
        { .mmi; mov r2=r19; adds r30=9,r2; shl r29=r2,7 ;; }
        { .mfb; ssm 0x4000; nop.f 0; bsw.1 ;; }
        { .mmi; srlz.d; mov r2=0; add r26=r26,r24 ;; }
        """;

    /// <summary>Goes on at the next bundle by rfi with the PSR in r24; r25 becomes IIP. Privileged callers only: others skip all of it.</summary>
    public static readonly string ReturnFromInterruption = """
        { .mii; nop.m 0; mov r25=ip; nop.i 0 ;; }
        { .mmi; adds r25=80,r25; rsm 0x6000; nop.i 0 ;; }
        { .mmi; srlz.d ;; mov cr.iip=r25; nop.i 0 ;; }
        { .mmi; mov cr.ipsr=r24; mov cr.ifs=r0; nop.i 0 ;; }
        { .mib; nop.m 0; nop.i 0; rfi ;; }
        """;

    /// <summary>
    /// Toggles the bits r25 in the first word of the bundle at r24 (by its address for stores, r27), makes them seen, and calls it. Where an interruption keeps the program
    /// from that, the handler does it.
    /// </summary>
    public static readonly string ModifyCode = $$"""
        { .mlx; ld8 r26=[r24]; movl r28={{Layout.Changing}} ;; }
        { .mmi; st1 [r28]=r28 ;; xor r26=r25,r26; nop.i 0 ;; }
        { .mmi; st8 [r27]=r26 ;; fc.i r24; nop.i 0 ;; }
        { .mmi; sync.i ;; srlz.i; mov b6=r24 ;; }
        { .mmi; st1 [r28]=r0; nop.m 0; nop.i 0 ;; }
        { .mib; nop.m 0; nop.i 0; br.call.sptk.many b7=b6 ;; }
        """;

    /// <summary>Spills and fills with NaT bits through AR.UNAT, by the address in r24.</summary>
    public static readonly string SpillAndFill = """
        { .mmi; mov.m r25=ar.unat; adds r26=8,r24; nop.i 0 ;; }
        { .mmi; st8.spill [r24]=r27 ;; st8.spill [r26]=r25; nop.i 0 ;; }
        { .mmi; mov.m r27=ar.unat ;; ld8.fill r25=[r24]; nop.i 0 ;; }
        { .mmi; ld8.fill r24=[r26] ;; mov.m ar.unat=r27; nop.i 0 ;; }
        """;

    /// <summary>Writes all dirty registers out.</summary>
    public static readonly string Flush = """
        { .mmi; flushrs ;; mov.m r24=ar.bsp; nop.i 0 ;; }
        { .mmi; mov.m r25=ar.rsc ;; mov.m ar.rsc=0; nop.i 0 ;; }
        { .mmi; mov.m r26=ar.bspstore; mov.m r27=ar.rnat; nop.i 0 ;; }
        { .mmi; mov.m ar.rsc=r25; sub r24=r24,r26; nop.i 0 ;; }
        """;

    static Fragments() => Assembly.Prepare(
        [DoubleDivision, SquareRoot, IntegerDivision, CollectionOff, TranslationRegister, Purges, Physical, Banks, ReturnFromInterruption, ModifyCode, SpillAndFill, Flush]);
}
