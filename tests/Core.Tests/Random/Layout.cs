using FastXen.Core.State;

namespace FastXen.Core.Tests.RandomPrograms;

/// <summary>Where the parts of a random program lie in its megabyte of memory, and how its regions are mapped.</summary>
internal static class Layout
{
    public const ulong MemorySize = 1 << 20;
    public const ulong Iva = 0x8000, Tables = 0x1_0000, Log = 0x1_4000, Control = 0x1_7000, Handler = 0x1_8000;
    public const ulong Code = 0x2_0000, CodeEnd = 0x4_0000, Data = 0x4_0000, DataEnd = 0x8_0000, Vhpt = 0x8_0000, Backing = 0xA_0000, BackingEnd = 0x10_0000;

    /// <summary>Interval-timer counts between two interrupts, ticks so far, number of stretches, the next one, a byte that says whether code is being changed, the address of one of the places where it is; the stretches follow at 0x40.</summary>
    public const ulong Period = Control, Ticks = Control + 8, StretchCount = Control + 16, NextStretch = Control + 24, Changing = Control + 32, OverPages = Control + 40, Stretches = Control + 0x40;

    public const byte TimerVector = 0xEF;

    /// <summary>Translation word: present, accessed, dirty, everything allowed at every level.</summary>
    public const ulong Page = 1 | 1 << 5 | 1 << 6 | 3 << 7 | 3 << 9;

    /// <summary>The region with the VHPT walker on, and where its table lies in it.</summary>
    public const int VhptRegion = 2;
    public const ulong VhptOffset = 0x4000_0000;

    /// <summary>Regions whose pages 0x20 to 0x3F are the code; 3 and 4 have the same identifier.</summary>
    public static ReadOnlySpan<int> CodeRegions => [0, 3, 4, 5];

    /// <summary>Regions that hold data pages.</summary>
    public static ReadOnlySpan<int> DataRegions => [1, 2, 3, 5, 7];

    /// <summary>As <see cref="Page"/>, but for stores.</summary>
    public const ulong ReadOnly = Page & ~(7UL << 9) | 1UL << 9;

    /// <summary>A second way to the backing store, and the only one for stores to code: no address of it is in a register by chance.</summary>
    public const int BackingRegion = 6;

    public static ulong Address(int region, ulong offset) => (ulong)region << 61 | offset;

    public static ulong RegionRegister(int region)
    {
        uint identifier = region == 4 ? 4u : (uint)region + 1;
        return identifier << 8 | 12 << 2 | (region == VhptRegion ? 1UL : 0);
    }

    /// <summary>PSR of a stretch, before its own bits.</summary>
    public const ulong Kernel = Psr.Ic | Psr.I | Psr.Dt | Psr.Rt | Psr.It | Psr.Bn;
}
