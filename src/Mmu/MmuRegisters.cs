namespace FastXen.Mmu;

/// <summary>Writes of the MMU's registers: the checks of their fields, and what follows from them.</summary>
public static unsafe class MmuRegisters
{
    // ve 0, ps 7:2, rid 31:8.
    private const ulong RrReserved = ~0xffff_fffdUL;
    // v 0, wd 1, rd 2, xd 3, key 31:8.
    private const ulong PkrReserved = ~0xffff_ff0fUL;
    // ve 0, size 7:2, vf 8, base 63:15.
    private const ulong PtaReserved = 0x7e02;

    /// <summary>True when a region register takes this value.</summary>
    public static bool IsRr(ulong value) => (value & RrReserved) == 0 && PageSizes.IsImplemented(Tlb.PageShift(value));

    /// <summary>True when CR.PTA takes this value. Sizes from 2^15 to 2^61 bytes are implemented.</summary>
    public static bool IsPta(ulong value) => (value & PtaReserved) == 0 && (value >> 2 & 63) is >= 15 and <= 61;

    /// <summary>Moves to the region register that <paramref name="va"/> bits 63:61 select.</summary>
    public static TlbResult SetRr(MmuState* m, ulong va, ulong value)
    {
        if (!IsRr(value))
            return TlbResult.ReservedRegisterField;
        ulong old = m->Rr[va >> 61];
        m->Rr[va >> 61] = value;
        if (old >> 8 != value >> 8)
            FastTlb.RegionChanged(m, (int)(va >> 61));
        return TlbResult.Ok;
    }

    /// <summary>
    /// Moves to protection key register <paramref name="index"/>. Others that hold the same key become invalid when this one is valid
    /// (manual volume 2, 4.1.3).
    /// </summary>
    public static TlbResult SetPkr(MmuState* m, ulong index, ulong value)
    {
        if ((index & 0xff) >= MmuState.PkrCount || (value & PkrReserved) != 0)
            return TlbResult.ReservedRegisterField;
        if ((value & 1) != 0)
        {
            for (int i = 0; i < MmuState.PkrCount; i++)
            {
                if (m->Pkr[i] >> 8 == value >> 8)
                    m->Pkr[i] &= ~1UL;
            }
        }
        m->Pkr[index & 0xff] = value;
        FastTlb.KeysChanged(m);
        return TlbResult.Ok;
    }

    /// <summary>Moves to CR.PTA.</summary>
    public static TlbResult SetPta(MmuState* m, ulong value)
    {
        if (!IsPta(value))
            return TlbResult.ReservedRegisterField;
        m->Pta = value;
        return TlbResult.Ok;
    }

    /// <summary>Moves to IBR[<paramref name="index"/>].</summary>
    public static TlbResult SetIbr(MmuState* m, ulong index, ulong value) => SetDebug(m->Ibr, index, value);

    /// <summary>Moves to DBR[<paramref name="index"/>].</summary>
    public static TlbResult SetDbr(MmuState* m, ulong index, ulong value) => SetDebug(m->Dbr, index, value);

    private static TlbResult SetDebug(ulong* registers, ulong index, ulong value)
    {
        if ((index & 0xff) >= 2 * MmuState.DebugPairs)
            return TlbResult.ReservedRegisterField;
        registers[index & 0xff] = value;
        return TlbResult.Ok;
    }
}
