namespace FastXen.Xen.Toolstack;

/// <summary>The hypervisor's own messages: the last <see cref="Capacity"/> bytes, for a toolstack to read (sysctl, <c>readconsole</c>). Any thread.</summary>
public sealed class ConsoleLog
{
    /// <summary>Bytes that are kept.</summary>
    public const int Capacity = 16 << 10;

    private readonly Lock _gate = new();
    private readonly byte[] _ring = new byte[Capacity];
    // Counts of bytes since the beginning.
    private uint _first, _end;

    /// <summary>Adds text.</summary>
    public void Write(ReadOnlySpan<byte> text)
    {
        lock (_gate)
        {
            foreach (byte b in text)
                _ring[_end++ % Capacity] = b;
            if (_end - _first > Capacity)
                _first = _end - Capacity;
        }
    }

    /// <summary>
    /// Copies what begins at the count <paramref name="index"/>, or at the first byte that is kept (null); returns how many bytes, and the count behind them.
    /// </summary>
    public int Read(uint? index, Span<byte> destination, out uint next)
    {
        lock (_gate)
        {
            uint from = index is { } asked && asked - _first <= _end - _first ? asked : _first;
            int length = (int)Math.Min(_end - from, (uint)destination.Length);
            for (int k = 0; k < length; k++)
                destination[k] = _ring[(from + (uint)k) % Capacity];
            next = from + (uint)length;
            return length;
        }
    }

    /// <summary>Forgets what is kept.</summary>
    public void Clear()
    {
        lock (_gate)
            _first = _end;
    }
}
