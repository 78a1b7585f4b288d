namespace FastXen.Mmu;

/// <summary>The bits of PSR and DCR that the MMU looks at.</summary>
internal static class PsrBits
{
    public const ulong Ic = 1UL << 13, Pk = 1UL << 15, Dt = 1UL << 17, Db = 1UL << 24, Rt = 1UL << 27, It = 1UL << 36;
    public const int CplShift = 32;
    public const ulong Id = 1UL << 37, Da = 1UL << 38, Dd = 1UL << 39, Ia = 1UL << 45;

    public const ulong DcrBe = 1UL << 1, DcrDm = 1UL << 8, DcrDp = 1UL << 9, DcrDk = 1UL << 10, DcrDx = 1UL << 11;
    public const ulong DcrDr = 1UL << 12, DcrDa = 1UL << 13, DcrDd = 1UL << 14;
}
