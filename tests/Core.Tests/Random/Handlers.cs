using FastXen.Core.State;
using FastXen.Core.Tests.SystemLevel;

namespace FastXen.Core.Tests.RandomPrograms;

/// <summary>
/// The interruption handlers of random programs. Each interruption is logged (vector, ISR, IIP, IIPA). A translation that is missing is
/// inserted from a table, what cannot be mended is skipped, and every second tick of the timer goes on to the next stretch of
/// the program with an empty register stack, so that no program stays in one place.
/// </summary>
internal static class Handlers
{
    private enum Kind
    {
        Insert,
        InsertAccessed,
        Skip,
        Resume,
        Tick,
        EnableFloating,
        Hop,
    }

    // Each vector enters with its number in r17 and what to do in r16.
    public static void Write(Span<byte> memory)
    {
        var vectors = new BundleWriter(Layout.Iva);
        for (ulong vector = 0; vector < 0x8000; vector += 0x100)
        {
            vectors.Add(BundleWriter.Mlx | 1, SlotBits.AddImmediate(16, (int)KindOf((Vector)vector), 0), SlotBits.MovlHigh(vector), SlotBits.Movl(17, vector));
            int distance = (int)((long)(Layout.Handler - vectors.Address) / 16);
            vectors.Add(BundleWriter.Mib | 1, SlotBits.NopM, SlotBits.NopI, SlotBits.Branch(0, 0, distance));
            while (vectors.Address < Layout.Iva + vector + 0x100)
                vectors.Add(BundleWriter.Mii, SlotBits.NopM, SlotBits.NopI, SlotBits.NopI);
        }

        vectors.ToArray().CopyTo(memory[(int)Layout.Iva..]);
        Assembly.Of(Source).CopyTo(memory[(int)Layout.Handler..]);
    }

    private static Kind KindOf(Vector vector) => vector switch
    {
        Vector.VhptTranslation or Vector.InstructionTlb or Vector.DataTlb or Vector.AlternateInstructionTlb or Vector.AlternateDataTlb => Kind.Insert,
        Vector.DirtyBit or Vector.InstructionAccessBit or Vector.DataAccessBit => Kind.InsertAccessed,
        Vector.ExternalInterrupt => Kind.Tick,
        Vector.DisabledFpRegister => Kind.EnableFloating,
        Vector.FloatingPointTrap or Vector.TakenBranchTrap or Vector.SingleStepTrap => Kind.Resume,
        Vector.LowerPrivilegeTransferTrap => Kind.Hop,
        _ => Kind.Skip,
    };

    private static readonly string Source = $$"""
        { .mii; mov r18=cr.isr; mov r31=pr; nop.i 0 ;; }
        { .mmi; mov r19=cr.ifa; mov r20=cr.iip; cmp.eq p6,p0=0,r16 }
        { .mmi; mov r21=cr.ipsr; mov r22=cr.iipa; cmp.eq p7,p0=1,r16 ;; }
        { .mlx; nop.m 0; movl r23={{Layout.Log}} ;; }
        { .mmi; ld8 r24=[r23]; adds r27=32,r23; cmp.eq p8,p0=2,r16 ;; }
        { .mii; adds r26=1,r24; dep.z r25=r24,5,8; cmp.eq p9,p0=3,r16 ;; }
        { .mmi; st8 [r23]=r26; add r27=r25,r27; cmp.eq p10,p0=4,r16 ;; }
        { .mmi; st8 [r27]=r17,8 ;; st8 [r27]=r18,8; cmp.eq p11,p0=5,r16 ;; }
        { .mmi; st8 [r27]=r20,8 ;; st8 [r27]=r22; nop.i 0 ;; }
        { .bbb; (p6) br.cond.sptk.few insert; (p7) br.cond.sptk.few insert; (p8) br.cond.sptk.few skip ;; }
        { .bbb; (p9) br.cond.sptk.few done; (p10) br.cond.sptk.few tick; (p11) br.cond.sptk.few floating ;; }
        { .mfb; nop.m 0; nop.f 0; br.cond.sptk.few hop ;; }
        insert:
        { .mii; nop.m 0; shr.u r23=r19,61; extr.u r24=r19,12,8 ;; }
        { .mlx; nop.m 0; movl r25={{Layout.Tables}} ;; }
        { .mii; nop.m 0; shl r23=r23,8 ;; or r23=r23,r24 ;; }
        { .mmi; shladd r25=r23,3,r25 ;; ld8 r25=[r25]; nop.i 0 ;; }
        { .mib; cmp.eq p8,p0=0,r25; tbit.nz p9,p10=r18,32; (p8) br.cond.spnt.few skip ;; }
        { .mmi; (p7) or r25=96,r25 ;; nop.m 0; nop.i 0 ;; }
        { .mmi; (p9) itc.i r25 ;; nop.m 0; nop.i 0 ;; }
        { .mmi; (p10) itc.d r25 ;; nop.m 0; nop.i 0 ;; }
        { .mmi; srlz.i ;; srlz.d; nop.i 0 ;; }
        { .mfb; nop.m 0; nop.f 0; br.cond.sptk.few done ;; }
        skip:
        { .mii; nop.m 0; tbit.nz p6,p0=r18,32; tbit.nz p7,p0=r18,37 ;; }
        { .mii; nop.m 0; tbit.nz p8,p0=r18,38; extr.u r23=r21,41,2 ;; }
        { .bbb; (p6) br.cond.spnt.few hop; (p7) br.cond.spnt.few hop; (p8) br.cond.spnt.few hop ;; }
        { .mii; cmp.eq p6,p7=2,r23; adds r23=1,r23 ;; (p6) adds r20=16,r20 }
        { .mii; nop.m 0; (p6) dep r21=0,r21,41,2; (p7) dep r21=r23,r21,41,2 ;; }
        { .mmb; mov cr.iip=r20; mov cr.ipsr=r21; br.cond.sptk.few done ;; }
        floating:
        { .mii; nop.m 0; dep r21=0,r21,18,2; nop.i 0 ;; }
        { .mfb; mov cr.ipsr=r21; nop.f 0; nop.b 0 ;; }
        done:
        { .mib; nop.m 0; mov pr=r31,-1; rfi ;; }
        tick:
        { .mmi; mov r23=cr.ivr ;; mov cr.eoi=r0; nop.i 0 ;; }
        { .mlx; srlz.d; movl r25={{Layout.Period}} ;; }
        { .mmi; ld8 r26=[r25]; mov.m r24=ar.itc; nop.i 0 ;; }
        { .mmi; add r24=r24,r26 ;; mov cr.itm=r24; nop.i 0 ;; }
        { .mlx; srlz.d; movl r25={{Layout.Ticks}} ;; }
        { .mmi; ld8 r26=[r25] ;; adds r26=1,r26; nop.i 0 ;; }
        { .mii; st8 [r25]=r26; tbit.nz p6,p7=r26,0; nop.i 0 ;; }
        { .bbb; (p7) br.cond.sptk.few done; nop.b 0; nop.b 0 ;; }
        hop:
        { .mlx; nop.m 0; movl r25={{Layout.Changing}} ;; }
        { .mmi; ld1 r26=[r25] ;; st1 [r25]=r0; cmp.ne p6,p0=0,r26 }
        { .mlx; adds r25=8,r25; movl r27={{Layout.Code}} ;; }
        { .mmi; ld8 r26=[r25]; (p6) fc.i r27; nop.i 0 ;; }
        { .mmi; (p6) fc.i r26; adds r26=16,r26; nop.i 0 ;; }
        { .mmi; (p6) fc.i r26 ;; sync.i; nop.i 0 ;; }
        { .mmi; srlz.i; nop.m 0; nop.i 0 ;; }
        { .mlx; nop.m 0; movl r25={{Layout.StretchCount}} ;; }
        { .mmi; ld8 r26=[r25],8 ;; ld8 r27=[r25]; nop.i 0 ;; }
        { .mmi; adds r28=1,r27 ;; cmp.ltu p6,p7=r28,r26; nop.i 0 ;; }
        { .mmi; (p7) mov r28=r0 ;; st8 [r25]=r28; shl r27=r27,5 }
        { .mlx; nop.m 0; movl r25={{Layout.Stretches}} ;; }
        { .mmi; add r25=r25,r27 ;; ld8 r20=[r25],8; nop.i 0 ;; }
        { .mmi; ld8 r21=[r25],8 ;; ld8 r26=[r25],8; nop.i 0 ;; }
        { .mfb; ld8 r28=[r25]; nop.f 0; cover ;; }
        { .mmi; mov.m ar.rsc=0 ;; loadrs; nop.i 0 ;; }
        { .mmi; mov.m ar.bspstore=r26 ;; mov.m ar.rnat=r0; nop.i 0 ;; }
        { .mlx; mov.m ar.rsc=r28; movl r27=0x8000000000000000 ;; }
        { .mmi; mov cr.ifs=r27; mov cr.iip=r20; nop.i 0 ;; }
        { .mib; mov cr.ipsr=r21; mov pr=r31,-1; rfi ;; }
        """;
}
