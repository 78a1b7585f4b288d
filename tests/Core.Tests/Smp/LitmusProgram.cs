namespace FastXen.Core.Tests.Smp;

/// <summary>
/// A litmus test: a few memory operations on each of some vCPUs, run for many rounds at once on host threads of their own. Every round has locations of its
/// own (x and y on lines of their own, all zero), and every vCPU keeps what it read; the vCPUs meet now and then, so that they go through the rounds together.
/// </summary>
/// <param name="Name">What it is called in the literature, and its variant.</param>
/// <param name="Threads">
/// The operations of each vCPU, in IA-64 assembly with explicit stops. r20 and r21 are the addresses of x and y, r22 and r23 are 1 and 2; what is left in r14
/// and r15 is the vCPU's result.
/// </param>
/// <param name="Forbids">True of the results of all vCPUs, two for each, that the manual does not allow.</param>
/// <param name="IsSeen">True of a relaxed outcome that is allowed, and that this host shows.</param>
internal sealed record LitmusProgram(string Name, string[] Threads, Func<int[], bool> Forbids, Func<int[], bool>? IsSeen = null)
{
    public override string ToString() => Name;

    // One operation is one bundle that ends with a stop: program order is the order of the bundles.
    private static string Op(string operation) => $"{{ .mmi; {operation}; nop.m 0; nop.i 0 ;; }} ";

    private static string Ops(params string[] operations) => string.Concat(operations.Select(Op));

    private const string Fence = "mf";

    public static readonly LitmusProgram[] All =
    [
        // Message passing: y says that x is there.
        .. from writer in (string[][])[["st8 [r20]=r22", "st8.rel [r21]=r22"], ["st8 [r20]=r22", Fence, "st8 [r21]=r22"],
               ["st8 [r20]=r22", "xchg8 r16=[r21],r22"], ["st8 [r20]=r22", "fetchadd8.rel r16=[r21],1"], ["st8 [r20]=r22", "cmpxchg8.rel r16=[r21],r22,ar.ccv"]]
           from reader in (string[][])[["ld8.acq r14=[r21]", "ld8 r15=[r20]"], ["ld8 r14=[r21]", Fence, "ld8 r15=[r20]"], ["fetchadd8.acq r14=[r21],1", "ld8 r15=[r20]"]]
           where writer[1] != "cmpxchg8.rel r16=[r21],r22,ar.ccv" || reader[0][0] == 'l'
           select new LitmusProgram($"MP {writer[^1].Split(' ')[0]}{(writer.Length == 3 ? "+mf" : "")} {reader[0].Split(' ')[0]}{(reader.Length == 3 ? "+mf" : "")}",
               [Ops(writer), Ops(reader)], r => r[2] != 0 && r[3] == 0),
        // Store buffering: only a fence orders a store and a later load.
        new("SB", [Ops("st8 [r20]=r22", "ld8 r14=[r21]"), Ops("st8 [r21]=r22", "ld8 r14=[r20]")], _ => false, r => r[0] == 0 && r[2] == 0),
        new("SB st.rel ld.acq", [Ops("st8.rel [r20]=r22", "ld8.acq r14=[r21]"), Ops("st8.rel [r21]=r22", "ld8.acq r14=[r20]")], _ => false, r => r[0] == 0 && r[2] == 0),
        new("SB mf", [Ops("st8 [r20]=r22", Fence, "ld8 r14=[r21]"), Ops("st8 [r21]=r22", Fence, "ld8 r14=[r20]")], r => r[0] == 0 && r[2] == 0),
        new("SB xchg", [Ops("xchg8 r16=[r20],r22", "ld8 r14=[r21]"), Ops("xchg8 r16=[r21],r22", "ld8 r14=[r20]")], r => r[0] == 0 && r[2] == 0),
        new("SB fetchadd.acq", [Ops("fetchadd8.acq r16=[r20],1", "ld8 r14=[r21]"), Ops("fetchadd8.acq r16=[r21],1", "ld8 r14=[r20]")], r => r[0] == 0 && r[2] == 0),
        // Load buffering: no value out of nothing.
        new("LB ld.acq", [Ops("ld8.acq r14=[r20]", "st8 [r21]=r22"), Ops("ld8.acq r14=[r21]", "st8 [r20]=r22")], r => r[0] != 0 && r[2] != 0),
        new("LB st.rel", [Ops("ld8 r14=[r20]", "st8.rel [r21]=r22"), Ops("ld8 r14=[r21]", "st8.rel [r20]=r22")], r => r[0] != 0 && r[2] != 0),
        new("LB mf", [Ops("ld8 r14=[r20]", Fence, "st8 [r21]=r22"), Ops("ld8 r14=[r21]", Fence, "st8 [r20]=r22")], r => r[0] != 0 && r[2] != 0),
        // Independent reads of independent writes: all see releases in one order.
        new("IRIW", [Ops("st8.rel [r20]=r22"), Ops("st8.rel [r21]=r22"), Ops("ld8.acq r14=[r20]", "ld8.acq r15=[r21]"), Ops("ld8.acq r14=[r21]", "ld8.acq r15=[r20]")],
            r => r[4] != 0 && r[5] == 0 && r[6] != 0 && r[7] == 0),
        new("IRIW mf", [Ops("st8 [r20]=r22"), Ops("st8 [r21]=r22"), Ops("ld8 r14=[r20]", Fence, "ld8 r15=[r21]"), Ops("ld8 r14=[r21]", Fence, "ld8 r15=[r20]")],
            r => r[4] != 0 && r[5] == 0 && r[6] != 0 && r[7] == 0),
        // Write to read causality.
        new("WRC", [Ops("st8.rel [r20]=r22"), Ops("ld8.acq r14=[r20]", "st8.rel [r21]=r14"), Ops("ld8.acq r14=[r21]", "ld8 r15=[r20]")], r => r[4] != 0 && r[5] == 0),
        // One location has one history (the manual: for references of a processor to the same location, in program order).
        new("CoRR", [Ops("st8 [r20]=r22"), Ops("ld8.acq r14=[r20]", "ld8 r15=[r20]")], r => r[2] != 0 && r[3] == 0),
        new("CoWW", [Ops("st8 [r20]=r22", "st8 [r20]=r23"), Ops("ld8.acq r14=[r20]", "ld8.acq r15=[r20]")], r => r[2] == 2 && r[3] != 2),
        new("CoRW", [Ops("ld8 r14=[r20]", "st8 [r20]=r22"), Ops("st8 [r20]=r23", "ld8 r15=[r20]")], r => r[0] == 1 || r[3] == 0),
        // Two that exchange: each value is taken once.
        new("xchg", [Ops("xchg8 r14=[r20],r22"), Ops("xchg8 r14=[r20],r23")], r => (r[0] == 0) == (r[2] == 0) || (r[0] != 0 && r[0] != 2) || (r[2] != 0 && r[2] != 1)),
        new("fetchadd", [Ops("fetchadd8.acq r14=[r20],1"), Ops("fetchadd4.rel r14=[r20],1"), Ops("fetchadd8.rel r14=[r20],1")], r => r[0] + r[2] + r[4] != 3 || r[0] == r[2] || r[2] == r[4]),
        new("cmpxchg", [Ops("cmpxchg8.acq r14=[r20],r22,ar.ccv"), Ops("cmpxchg8.rel r14=[r20],r23,ar.ccv")], r => (r[0] == 0) == (r[2] == 0)),
        // 16 bytes change at once, for those who read 16 bytes; and a loser of the exchange changes nothing.
        new("cmp8xchg16", [Ops("cmp8xchg16.acq r14=[r20],r22,ar.csd,ar.ccv"), Ops("cmp8xchg16.rel r14=[r20],r22,ar.csd,ar.ccv"), Ops("ld16 r14,ar.csd=[r20]", "mov r15=ar.csd")],
            r => (r[0] == 0) == (r[2] == 0) || (r[4] == 0) != (r[5] == 0)),
        // An advanced load, a store of another vCPU that is known to be later, and the check.
        new("ld.a, ld.c", [Ops("st8 [r20]=r22", "st8.rel [r21]=r22"), Ops("ld8.a r15=[r20]", "ld8.acq r14=[r21]", "ld8.c.clr r15=[r20]")], r => r[2] != 0 && r[3] == 0),
        new("ld.a, ld.c.nc", [Ops("st8 [r20]=r22", "st8.rel [r21]=r22"), Ops("ld8.a r15=[r20]", "ld8.acq r14=[r21]", "ld8.c.nc r15=[r20]")], r => r[2] != 0 && r[3] == 0),
        new("ld.a, chk.a", [Ops("st8 [r20]=r22", "st8.rel [r21]=r22"),
            Ops("ld8.a r15=[r20]", "ld8.acq r14=[r21]", "mov r16=r0") + "{ .mib; chk.a.clr r15,9f; nop.i 0; nop.b 0 ;; } { .mib; nop.m 0; nop.i 0; br.cond.sptk.few 8f ;; } 9: " + Op("ld8 r15=[r20]") + "8: "],
            r => r[2] != 0 && r[3] == 0),
    ];
}
