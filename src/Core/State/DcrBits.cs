namespace FastXen.Core.State;

/// <summary>Bits of CR.DCR (manual volume 2, 3.3.4.1).</summary>
public static class Dcr
{
#pragma warning disable CS1591 // the names are the manual's
    public const ulong Pp = 1, Be = 2, Lc = 4, Dm = 1 << 8, Dp = 1 << 9, Dk = 1 << 10, Dx = 1 << 11, Dr = 1 << 12, Da = 1 << 13, Dd = 1 << 14;
#pragma warning restore CS1591
    /// <summary>Implemented bits.</summary>
    public const ulong Implemented = 0x7F07;
}
