namespace FastXen.Core.State;

/// <summary>Fields of a frame marker (CFM, PFS.pfm, IFS.ifm; manual volume 2, 6.2).</summary>
public static class FrameMarker
{
    /// <summary>Implemented bits.</summary>
    public const ulong Mask = (1UL << 38) - 1;

    /// <summary>The marker of a frame with these sizes, all in registers, and rotation bases 0.</summary>
    public static ulong Of(uint sof, uint sol, uint sor) => sof | (ulong)sol << 7 | (ulong)(sor >> 3) << 14;

    /// <summary>Size of frame.</summary>
    public static int Sof(ulong cfm) => (int)cfm & 0x7f;

    /// <summary>Size of locals.</summary>
    public static int Sol(ulong cfm) => (int)(cfm >> 7) & 0x7f;

    /// <summary>Size of the rotating part, in registers.</summary>
    public static int Sor(ulong cfm) => (int)(cfm >> 14 & 0xf) << 3;

    /// <summary>
    /// True when the sizes contradict one another: sof over 96, sol or sor over sof, a rotation base out of range. AR.PFS and CR.IFS take such a
    /// marker; a return to it gives an empty frame (SDM vol 2, 6.5.5: bad PFM).
    /// </summary>
    public static bool Malformed(ulong cfm)
    {
        int sor = Sor(cfm);
        int rrbGr = (int)(cfm >> 18) & 0x7f;
        return Sof(cfm) > 96 || Sol(cfm) > Sof(cfm) || sor > Sof(cfm) || (rrbGr != 0 && rrbGr >= sor)
            || ((int)(cfm >> 25) & 0x7f) >= 96 || ((int)(cfm >> 32) & 0x3f) >= 48;
    }
}
