namespace FastXen.Core.Decode;

/// <summary>Execution units that give a slot its encoding. A-type instructions are in both M and I.</summary>
public enum Unit : byte
{
    /// <summary>Memory.</summary>
    M,

    /// <summary>Integer.</summary>
    I,

    /// <summary>Floating point.</summary>
    F,

    /// <summary>Branch.</summary>
    B,

    /// <summary>Long immediate: the 41 bits that complete the X slot.</summary>
    L,

    /// <summary>Extended: long instructions.</summary>
    X,

    /// <summary>Slot of a reserved template.</summary>
    None,
}

/// <summary>Bundle templates (manual volume 1, table 3-10).</summary>
public static class Template
{
    // For each template: the unit of slot n in bits 4n+2:4n, a stop after it in bit 4n+3.
    private static ReadOnlySpan<ushort> Templates =>
    [
        0x110, 0x910, 0x190, 0x990, 0x540, 0xD40, 0x666, 0x666, 0x100, 0x900, 0x108, 0x908, 0x120, 0x920, 0x200, 0xA00,
        0x310, 0xB10, 0x330, 0xB30, 0x666, 0x666, 0x333, 0xB33, 0x300, 0xB00, 0x666, 0x666, 0x320, 0xB20, 0x666, 0x666,
    ];

    /// <summary>The unit of slot <paramref name="slot"/> under <paramref name="template"/> (0-31).</summary>
    public static Unit UnitOf(int template, int slot) => (Unit)(Templates[template] >> (4 * slot) & 7);

    /// <summary>Whether an instruction group ends after the slot.</summary>
    public static bool StopsAfter(int template, int slot) => (Templates[template] >> (4 * slot) & 8) != 0;

    /// <summary>Whether slots 1 and 2 are one long instruction.</summary>
    public static bool IsLong(int template) => (template & ~1) == 4;

    /// <summary>Whether every slot is an Illegal Operation.</summary>
    public static bool IsReserved(int template) => UnitOf(template, 0) == Unit.None;
}
