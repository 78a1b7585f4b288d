using FastXen.Core.State;

namespace FastXen.Bare;

/// <summary>Names of application and control registers in files of vectors and programs: the manual's, in lower case.</summary>
internal static class RegisterNames
{
    /// <summary>Application registers. Not here: ITC and RUC, which depend on the time.</summary>
    public static readonly (string Name, int Number)[] Application =
    [
        ("k0", 0), ("k1", 1), ("k2", 2), ("k3", 3), ("k4", 4), ("k5", 5), ("k6", 6), ("k7", 7),
        ("rsc", Ar.Rsc), ("bsp", Ar.Bsp), ("bspstore", Ar.BspStore), ("rnat", Ar.Rnat), ("fcr", Ar.Fcr), ("eflag", Ar.Eflag),
        ("csd", Ar.Csd), ("ssd", Ar.Ssd), ("cflg", Ar.Cflg), ("fsr", Ar.Fsr), ("fir", Ar.Fir), ("fdr", Ar.Fdr), ("ccv", Ar.Ccv),
        ("unat", Ar.Unat), ("fpsr", Ar.Fpsr), ("pfs", Ar.Pfs), ("lc", Ar.Lc), ("ec", Ar.Ec),
    ];

    /// <summary>Control registers. Not here: IVR and EOI, which act when they are read or written.</summary>
    public static readonly (string Name, int Number)[] Control =
    [
        ("dcr", Cr.Dcr), ("itm", Cr.Itm), ("iva", Cr.Iva), ("pta", Cr.Pta), ("ipsr", Cr.Ipsr), ("isr", Cr.Isr), ("iip", Cr.Iip),
        ("ifa", Cr.Ifa), ("itir", Cr.Itir), ("iipa", Cr.Iipa), ("ifs", Cr.Ifs), ("iim", Cr.Iim), ("iha", Cr.Iha), ("lid", Cr.Lid),
        ("tpr", Cr.Tpr), ("itv", Cr.Itv), ("pmv", Cr.Pmv), ("cmcv", Cr.Cmcv), ("lrr0", Cr.Lrr0), ("lrr1", Cr.Lrr1),
    ];

    /// <summary>Number of the register with this name, or -1.</summary>
    public static int Find((string Name, int Number)[] names, string name)
    {
        foreach ((string known, int number) in names)
        {
            if (known == name)
                return number;
        }
        return -1;
    }
}
