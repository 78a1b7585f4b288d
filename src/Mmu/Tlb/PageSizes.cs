using System.Runtime.CompilerServices;

namespace FastXen.Mmu;

/// <summary>The page sizes of Itanium 2 (manual volume 2, 4.1.1.7): 4K 8K 16K 64K 256K 1M 4M 16M 64M 256M 1G 4G.</summary>
public static class PageSizes
{
    /// <summary>log2 of the smallest page.</summary>
    public const int Smallest = 12;
    /// <summary>log2 of the largest page.</summary>
    public const int Largest = 32;

    /// <summary>Bit n is set where pages of 2^n bytes are implemented (PAL_VM_PAGE_SIZE reports this, for inserts and for purges).</summary>
    public const ulong Implemented =
        1UL << 12 | 1UL << 13 | 1UL << 14 | 1UL << 16 | 1UL << 18 | 1UL << 20 | 1UL << 22 | 1UL << 24 | 1UL << 26 | 1UL << 28 | 1UL << 30 | 1UL << 32;

    /// <summary>True when pages of 2^<paramref name="shift"/> bytes are implemented.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsImplemented(int shift) => (uint)shift < 64 && (Implemented >> shift & 1) != 0;

    /// <summary>The address bits above the page offset, of the 61 of a region.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong Mask(int shift) => RegionOffset & ~((1UL << shift) - 1);

    /// <summary>The 61 bits of a virtual address without its region number.</summary>
    internal const ulong RegionOffset = (1UL << 61) - 1;
}
