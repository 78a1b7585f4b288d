using System.Runtime.InteropServices;

namespace FastXen.Mmu;

/// <summary>
/// The physical address space of a domain: one reserved host range ("arena") in which guest physical address p lies at
/// <see cref="Base"/> + p where p is RAM, and MMIO windows elsewhere.
/// </summary>
public sealed unsafe partial class PhysicalMemory : IDisposable
{
    /// <summary>Host address of guest physical address 0. Only RAM ranges are accessible.</summary>
    public byte* Base { get; private set; }

    /// <summary>Reserves the arena. <paramref name="span"/>: one past the highest RAM address, in bytes, a multiple of 64 KiB.</summary>
    public PhysicalMemory(ulong span) => Reserve(span);

    /// <summary>
    /// What leads from the guest's addresses to memory; null where they are offsets into the arena. With it, addresses that the engines
    /// work with are those that it gives. Set before a vCPU runs.
    /// </summary>
    public FrameMap? Map { get; set; }

    /// <summary>Makes [start, start + size) zero-filled RAM. Both multiples of 64 KiB, inside of the span, not overlapping.</summary>
    public partial void AddRam(ulong start, ulong size);

    /// <summary>Puts a device window at [start, start + size). Not overlapping RAM or other windows.</summary>
    public partial void AddMmio(ulong start, ulong size, IMmioRegion region);

    /// <summary>True when all of [address, address + length) is RAM.</summary>
    public partial bool IsRam(ulong address, ulong length);

    /// <summary>The window at an address, or null; <paramref name="offset"/> is the offset in it.</summary>
    public partial IMmioRegion? FindMmio(ulong address, out ulong offset);

    /// <summary>RAM as a span. False, and an empty span, when not all of it is RAM.</summary>
    public partial bool TryGetSpan(ulong address, int length, out Span<byte> span);

    /// <summary>Raised by whoever wrote RAM other than by a guest store (device DMA, loader), so that decoded and translated code is dropped. Arguments: address, length.</summary>
    public event Action<ulong, ulong>? Written;

    /// <summary>Tells that RAM was written by a device.</summary>
    public void NotifyWritten(ulong address, ulong length) => Written?.Invoke(address, length);

    private partial void Reserve(ulong span);

    /// <inheritdoc/>
    public partial void Dispose();

    /// <summary>Reads an unmanaged value, little-endian. Throws <see cref="ArgumentOutOfRangeException"/> where there is no RAM.</summary>
    public T Read<T>(ulong address) where T : unmanaged =>
        TryGetSpan(address, sizeof(T), out Span<byte> span)
            ? MemoryMarshal.Read<T>(span)
            : throw new ArgumentOutOfRangeException(nameof(address), $"no RAM at 0x{address:x}");

    /// <summary>Writes an unmanaged value, little-endian. Throws <see cref="ArgumentOutOfRangeException"/> where there is no RAM.</summary>
    public void Write<T>(ulong address, in T value) where T : unmanaged
    {
        if (!TryGetSpan(address, sizeof(T), out Span<byte> span))
            throw new ArgumentOutOfRangeException(nameof(address), $"no RAM at 0x{address:x}");
        MemoryMarshal.Write(span, in value);
    }
}
