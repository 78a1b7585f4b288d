using FastXen.Mmu;

namespace FastXen.Platform.Ports;

/// <summary>
/// The I/O port space as a memory window (manual volume 2, 10.7): sparse, 4 ports in each 4 KiB page, so that
/// port = offset{25:12} * 4 + offset{1:0}; the low 12 bits of the port may be repeated in offset{11:0}.
/// </summary>
public sealed class PortSpace : IMmioRegion
{
    private readonly record struct Range(int First, int Count, IPortDevice Device);

    // Replaced as a whole, so that readers need no lock.
    private volatile Range[] ranges = [];
    private readonly Lock gate = new();

    /// <summary>Gives the <paramref name="count"/> ports from <paramref name="first"/> to a device. Throws when a port is taken.</summary>
    public void Add(ushort first, int count, IPortDevice device)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        if (first + count > 0x1_0000)
            throw new ArgumentOutOfRangeException(nameof(count), "ports end at 0xffff");
        lock (gate)
        {
            foreach (Range range in ranges)
            {
                if (first < range.First + range.Count && range.First < first + count)
                    throw new ArgumentException($"port 0x{Math.Max((int)first, range.First):x} is taken");
            }
            ranges = [.. ranges, new Range(first, count, device)];
        }
    }

    /// <summary>Takes a device's ports away (a PCI BAR moved).</summary>
    public void Remove(IPortDevice device)
    {
        lock (gate)
            ranges = [.. ranges.Where(range => range.Device != device)];
    }

    /// <inheritdoc/>
    public ulong Read(ulong offset, int size)
    {
        int port = PortOf(offset);
        if (size == 8)
            return ulong.MaxValue; // no 8-byte port accesses exist
        return Find(port, size) is { } device ? device.Read((ushort)port, size) & Mask(size) : Mask(size);
    }

    /// <inheritdoc/>
    public void Write(ulong offset, int size, ulong value)
    {
        int port = PortOf(offset);
        if (size != 8)
            Find(port, size)?.Write((ushort)port, size, (uint)(value & Mask(size)));
    }

    /// <inheritdoc/>
    public string NameAt(ulong offset) => Find(PortOf(offset), 1)?.Name ?? "port";

    /// <summary>The port at an offset of the window.</summary>
    public static int PortOf(ulong offset) => (int)(offset >> 12 << 2 | offset & 3) & 0xffff;

    /// <summary>The offset in the window that processors use for a port.</summary>
    public static ulong OffsetOf(ushort port) => (ulong)(port >> 2) << 12 | port & 0xfffUL;

    private IPortDevice? Find(int port, int size)
    {
        foreach (Range range in ranges)
        {
            if (port >= range.First && port + size <= range.First + range.Count)
                return range.Device;
        }
        return null;
    }

    private static ulong Mask(int size) => (1UL << (8 * size)) - 1;
}
