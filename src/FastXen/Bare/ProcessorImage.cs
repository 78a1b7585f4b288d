using FastXen.Core.Float;
using FastXen.Core.State;

namespace FastXen.Bare;

/// <summary>
/// The architected registers of a processor by name as with CFM.rrb.* = 0: what files of vectors and programs describe.
/// </summary>
internal sealed class ProcessorImage
{
    public readonly ulong[] Gr = new ulong[128];
    public readonly bool[] Nat = new bool[128];
    public readonly FloatRegister[] Fr = new FloatRegister[128];
    public readonly ulong[] Br = new ulong[8];
    public readonly ulong[] Ar = new ulong[128];
    public readonly ulong[] Cr = new ulong[128];
    public readonly ulong[] Rr = new ulong[8];
    public ulong Pr;
    public ulong Psr;
    public ulong Cfm;
    public ulong Ip;

    /// <summary>CFM.sof.</summary>
    public int Sof => FrameMarker.Sof(Cfm);

    /// <summary>A copy.</summary>
    public ProcessorImage Clone()
    {
        var copy = new ProcessorImage { Pr = Pr, Psr = Psr, Cfm = Cfm, Ip = Ip };
        Gr.CopyTo(copy.Gr, 0);
        Nat.CopyTo(copy.Nat, 0);
        Fr.CopyTo(copy.Fr, 0);
        Br.CopyTo(copy.Br, 0);
        Ar.CopyTo(copy.Ar, 0);
        Cr.CopyTo(copy.Cr, 0);
        Rr.CopyTo(copy.Rr, 0);
        return copy;
    }
}
