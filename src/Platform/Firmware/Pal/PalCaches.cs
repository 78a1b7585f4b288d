using System.Numerics;

namespace FastXen.Platform.Firmware.Pal;

/// <summary>One cache as PAL_CACHE_INFO describes it (manual volume 2, PAL_CACHE_INFO).</summary>
internal sealed record PalCache(int Level, bool Instruction, bool Unified, bool WriteBack, uint Size, int Ways, int Line, byte LoadLatency, byte StoreLatency)
{
    private const int PhysicalMsb = 49;

    /// <summary>config_info_1: attributes, associativity, log2 of line and stride, latencies, hints.</summary>
    public ulong Info1 => (Unified ? 1ul : 0) | (WriteBack ? 1ul : 0) << 1 | (ulong)Ways << 8 | Log2(Line) << 16 | Log2(Line) << 24
        | (ulong)StoreLatency << 32 | (ulong)LoadLatency << 40;

    /// <summary>config_info_2: size, alias boundary and the tag's address bits.</summary>
    public ulong Info2 => Size | Log2(WaySize) << 40 | (ulong)PhysicalMsb << 48;

    /// <summary>One element of PAL_CACHE_PROT_INFO: 64 data bits under parity (level 1) or ECC, tag bits likewise.</summary>
    public uint Protection(bool tag) =>
        (tag ? 1u << 30 : 0) | (Level == 0 ? 2u : 3u) << 26 | (Level == 0 ? 1u : 8u) << 20
        | (tag ? (uint)PhysicalMsb << 14 | (uint)Log2(WaySize) << 8 : 64u);

    private int WaySize => (int)(Size / (uint)Ways);

    private static ulong Log2(int value) => (ulong)BitOperations.Log2((uint)value);

    /// <summary>The caches of one core of an Itanium 2 9000.</summary>
    public static readonly PalCache[] All =
    [
        new(0, true, false, false, 16 << 10, 4, 64, 1, 0xff),
        new(0, false, false, false, 16 << 10, 4, 64, 1, 0),
        new(1, true, false, true, 1 << 20, 8, 128, 7, 0xff),
        new(1, false, false, true, 256 << 10, 8, 128, 5, 7),
        new(2, false, true, true, 12 << 20, 12, 128, 14, 7),
    ];

    /// <summary>Levels of the hierarchy.</summary>
    public const int Levels = 3;

    /// <summary>The cache of a level; <paramref name="type"/> 1 instruction, 2 data or unified. Null where there is none.</summary>
    public static PalCache? Find(ulong level, ulong type)
    {
        foreach (PalCache cache in All)
        {
            if ((ulong)cache.Level == level && type == (cache.Instruction ? 1u : 2u))
                return cache;
        }
        return null;
    }
}
