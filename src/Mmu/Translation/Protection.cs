namespace FastXen.Mmu;

/// <summary>Access rights, protection keys and debug registers.</summary>
public static unsafe class Protection
{
    /// <summary>
    /// True when a page's access rights and privilege level allow all that <paramref name="kind"/> wants at privilege level
    /// <paramref name="cpl"/> (manual volume 2, table "Page Access Rights").
    /// </summary>
    public static bool Allows(int rights, int privilege, int cpl, AccessKind kind) =>
        ((int)kind & 7 & ~Granted(rights, privilege, cpl)) == 0;

    // The rights as AccessKind bits: read 1, write 2, execute 4.
    private static int Granted(int rights, int privilege, int cpl)
    {
        // Execute-only pages can be entered from anywhere: epc promotes to their level.
        if (rights == 7)
            return cpl > privilege ? 4 : cpl == 0 ? 5 : 4;
        if (cpl > privilege)
            return 0;
        return rights switch
        {
            0 => 1,
            1 => 5,
            2 => 3,
            3 => 7,
            4 => cpl == 0 || cpl < privilege ? 3 : 1,
            5 => cpl == 0 ? 7 : 5,
            _ => cpl != 0 && cpl == privilege || privilege == 0 ? 7 : 3,
        };
    }

    /// <summary>KeyMiss, KeyPermission, or Ok: what the protection key registers say of a key.</summary>
    public static TranslationOutcome CheckKey(MmuState* m, uint key, AccessKind kind)
    {
        // wd, rd and xd are bits 1, 2 and 3.
        ulong wanted = ((kind & AccessKind.Write) != 0 ? 2u : 0) | ((kind & AccessKind.Read) != 0 ? 4u : 0) | ((kind & AccessKind.Fetch) != 0 ? 8u : 0);
        for (int i = 0; i < MmuState.PkrCount; i++)
        {
            ulong pkr = m->Pkr[i];
            if ((pkr & 1) != 0 && pkr >> 8 == key)
                return (pkr & wanted) != 0 ? TranslationOutcome.KeyPermission : TranslationOutcome.Ok;
        }
        return TranslationOutcome.KeyMiss;
    }

    /// <summary>True when a debug register pair matches a byte of [va, va + size) (manual volume 2, 7.1.1).</summary>
    public static bool DebugMatches(MmuState* m, ulong va, int size, AccessKind kind, int privilege)
    {
        bool fetch = (kind & AccessKind.Fetch) != 0;
        ulong* registers = fetch ? m->Ibr : m->Dbr;
        // r is bit 63, w is bit 62; x is bit 63.
        ulong wanted = fetch ? 1UL << 63 : ((ulong)(kind & AccessKind.Read) << 63) | ((ulong)(kind & AccessKind.Write) << 61);
        for (int i = 0; i < 2 * MmuState.DebugPairs; i += 2)
        {
            ulong control = registers[i + 1];
            if ((control & wanted) == 0 || (control >> 56 >> privilege & 1) == 0)
                continue;
            ulong mask = control | 0xff00_0000_0000_0000;
            for (int b = 0; b < size; b++)
            {
                if (((va + (ulong)b ^ registers[i]) & mask) == 0)
                    return true;
            }
        }
        return false;
    }
}
