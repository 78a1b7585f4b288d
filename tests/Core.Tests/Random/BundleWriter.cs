using System.Runtime.InteropServices;

namespace FastXen.Core.Tests.RandomPrograms;

/// <summary>Code under construction: bundles one after the other.</summary>
internal sealed class BundleWriter(ulong start)
{
    public const int Mii = 0x00, MiStopI = 0x02, Mlx = 0x04, Mmi = 0x08, MStopMi = 0x0A, Mfi = 0x0C, Mmf = 0x0E, Mib = 0x10, Mbb = 0x12, Bbb = 0x16, Mmb = 0x18, Mfb = 0x1C;

    private const ulong SlotMask = (1UL << 41) - 1;
    private readonly List<UInt128> _bundles = [];

    /// <summary>Number of bundles.</summary>
    public int Count => _bundles.Count;

    /// <summary>Address of the next bundle.</summary>
    public ulong Address => AddressOf(Count);

    public ulong AddressOf(int bundle) => start + (ulong)bundle * 16;

    /// <summary>The units of a template's slots; a stop after it is bit 0.</summary>
    public static string Units(int template) => (template & ~1) switch
    {
        Mii or MiStopI => "MII",
        Mlx => "MLX",
        Mmi or MStopMi => "MMI",
        Mfi => "MFI",
        Mmf => "MMF",
        Mib => "MIB",
        Mbb => "MBB",
        Bbb => "BBB",
        Mmb => "MMB",
        Mfb => "MFB",
        _ => throw new ArgumentOutOfRangeException(nameof(template)),
    };

    public void Add(int template, ulong slot0, ulong slot1, ulong slot2) =>
        _bundles.Add((uint)template | (UInt128)(slot0 & SlotMask) << 5 | (UInt128)(slot1 & SlotMask) << 46 | (UInt128)(slot2 & SlotMask) << 87);

    public void AddRaw(ReadOnlySpan<byte> code)
    {
        foreach (UInt128 bundle in MemoryMarshal.Cast<byte, UInt128>(code))
            _bundles.Add(bundle);
    }

    public void Replace(int bundle, int slot, ulong bits) => _bundles[bundle] = WithSlot(_bundles[bundle], slot, bits);

    public UInt128 this[int bundle] => _bundles[bundle];

    public byte[] ToArray() => MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(_bundles)).ToArray();

    public static UInt128 WithSlot(UInt128 bundle, int slot, ulong bits)
    {
        int shift = 5 + 41 * slot;
        return (bundle & ~((UInt128)SlotMask << shift)) | (UInt128)(bits & SlotMask) << shift;
    }

    public static ulong Slot(UInt128 bundle, int slot) => (ulong)(bundle >> (5 + 41 * slot)) & SlotMask;
}
