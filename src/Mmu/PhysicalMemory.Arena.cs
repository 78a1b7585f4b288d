using System.Runtime.CompilerServices;

namespace FastXen.Mmu;

public sealed unsafe partial class PhysicalMemory
{
    /// <summary>Implemented bits of a physical address; bit 63, the uncacheable attribute, is stripped before it comes here.</summary>
    public const int AddressBits = 50;

    // A span must leave room in the host's 47-bit address space.
    private const ulong MaximumSpan = 1UL << 45;
    private const ulong Granule = 1UL << 16;
    // So that guest 2 MiB blocks lie on host huge pages.
    private const ulong Alignment = 1UL << 21;
    // Inaccessible, behind the last address: an access that starts in RAM cannot reach anything of the host's.
    private const ulong Guard = 1UL << 16;

    // Sorted and never changed after they are published, so that readers on other threads need no lock.
    private volatile RamRange[] _ram = [];
    private volatile MmioWindow[] _mmio = [];
    private readonly Lock _changes = new();
    private byte* _reservation;
    private nuint _reserved;

    private readonly record struct RamRange(ulong Start, ulong Size);

    private sealed record MmioWindow(ulong Start, ulong Size, IMmioRegion Region);

    /// <summary>One past the highest address that may be RAM.</summary>
    public ulong Span { get; private set; }

    // A small guest may have touched little of it: many of them would cost the host megabytes each for a few pages.
    private const ulong HugePagesFrom = 128UL << 20;

    private partial void Reserve(ulong span)
    {
        if (span == 0 || span > MaximumSpan || span % Granule != 0)
            throw new ArgumentOutOfRangeException(nameof(span), $"0x{span:x} is not a multiple of 64 KiB up to {MaximumSpan >> 40} TiB");
        _reserved = (nuint)(span + Alignment + Guard);
        _reservation = HostMapping.Reserve(_reserved);
        Base = (byte*)(((ulong)_reservation + Alignment - 1) & ~(Alignment - 1));
        Span = span;
    }

    public partial void AddRam(ulong start, ulong size)
    {
        if (start % Granule != 0 || size % Granule != 0 || size == 0)
            throw new ArgumentOutOfRangeException(nameof(size), $"RAM at 0x{start:x}, 0x{size:x} bytes: not in whole 64 KiB blocks");
        if (start > Span || size > Span - start)
            throw new ArgumentOutOfRangeException(nameof(start), $"RAM at 0x{start:x}, 0x{size:x} bytes: outside of the span 0x{Span:x}");
        lock (_changes)
        {
            ObjectDisposedException.ThrowIf(Base == null, this);
            CheckFree(start, size);
            HostMapping.Commit(Base + start, (nuint)size, hugePages: size >= HugePagesFrom);
            _ram = Merge([.. _ram.Append(new RamRange(start, size)).OrderBy(r => r.Start)]);
        }
    }

    public partial void AddMmio(ulong start, ulong size, IMmioRegion region)
    {
        ArgumentNullException.ThrowIfNull(region);
        const ulong Limit = 1UL << AddressBits;
        if (size == 0 || start > Limit || size > Limit - start)
            throw new ArgumentOutOfRangeException(nameof(start), $"window at 0x{start:x}, 0x{size:x} bytes: outside of the {AddressBits}-bit address space");
        lock (_changes)
        {
            CheckFree(start, size);
            _mmio = [.. _mmio.Append(new MmioWindow(start, size, region)).OrderBy(w => w.Start)];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public partial bool IsRam(ulong address, ulong length)
    {
        // A domain has two or three ranges, so a scan beats a search.
        foreach (RamRange range in _ram)
        {
            if (length <= range.Size && address - range.Start <= range.Size - length)
                return true;
        }
        return Map != null && FrameMap.IsMemory(address);
    }

    public partial IMmioRegion? FindMmio(ulong address, out ulong offset)
    {
        if (Map != null)
            address &= ~FrameMap.Device;
        MmioWindow[] windows = _mmio;
        int low = 0, high = windows.Length - 1;
        while (low <= high)
        {
            int middle = (low + high) >> 1;
            MmioWindow window = windows[middle];
            offset = address - window.Start;
            if (offset < window.Size)
                return window.Region;
            if (address < window.Start)
                high = middle - 1;
            else
                low = middle + 1;
        }
        offset = 0;
        return null;
    }

    public partial bool TryGetSpan(ulong address, int length, out Span<byte> span)
    {
        if (length < 0 || !IsRam(address, (ulong)length))
        {
            span = default;
            return false;
        }
        span = new Span<byte>(Base + address, length);
        return true;
    }

    /// <summary>Gives the arena back to the host. No vCPU or device may still run: they hold plain pointers into it.</summary>
    public partial void Dispose()
    {
        lock (_changes)
        {
            if (Base == null)
                return;
            _ram = [];
            _mmio = [];
            Base = null;
            HostMapping.Release(_reservation, _reserved);
        }
    }

    private void CheckFree(ulong start, ulong size)
    {
        // With a map it says what is where: RAM is at the arena's offsets, windows at the guest's addresses.
        foreach (RamRange range in Map == null ? _ram : [])
            Check("RAM", range.Start, range.Size);
        foreach (MmioWindow window in _mmio)
            Check("a device window", window.Start, window.Size);

        // Neither sum overflows: both ranges lie in the implemented address space.
        void Check(string what, ulong otherStart, ulong otherSize)
        {
            if (start < otherStart + otherSize && otherStart < start + size)
                throw new ArgumentException($"0x{start:x}, 0x{size:x} bytes, overlaps {what} at 0x{otherStart:x}, 0x{otherSize:x} bytes");
        }
    }

    // Neighbours become one range, so that an access may cross from one into the other.
    private static RamRange[] Merge(ReadOnlySpan<RamRange> sorted)
    {
        var merged = new List<RamRange>(sorted.Length);
        foreach (RamRange range in sorted)
        {
            if (merged is [.., var last] && last.Start + last.Size == range.Start)
                merged[^1] = last with { Size = last.Size + range.Size };
            else
                merged.Add(range);
        }
        return [.. merged];
    }
}
