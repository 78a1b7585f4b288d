using FastXen.Platform.Uart;

namespace FastXen.Loader.Hosting;

/// <summary>
/// A domain's console: keeps the latest output for whoever attaches, passes it on to the place that the config names (if any), and takes input
/// from all of them. Any number of readers, each at its own pace.
/// </summary>
public sealed class DomainConsole : ICharacterBackend
{
    /// <summary>Bytes of output that are kept.</summary>
    public const int Capacity = 64 << 10;

    private const int InitialCapacity = 1 << 10;

    private readonly Lock _lock = new();
    private readonly ICharacterBackend? _place;
    // A ring whose size is a power of two. Byte number n is at n modulo the size; it grows, up to Capacity, before it forgets.
    private byte[] _ring = new byte[InitialCapacity];
    private long _written;
    private bool _ended;
    private volatile ICharacterInput? _input;
    private TaskCompletionSource? _news;

    /// <summary>Makes a console. <paramref name="place"/>: where output goes besides, and input may come from.</summary>
    public DomainConsole(ICharacterBackend? place = null) => _place = place;

    /// <inheritdoc/>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        lock (_lock)
        {
            Grow(bytes.Length);
            foreach (byte b in bytes) _ring[_written++ & (_ring.Length - 1)] = b;
            TellReaders();
        }
        _place?.Write(bytes);
    }

    /// <inheritdoc/>
    public void Connect(ICharacterInput input)
    {
        _input = input;
        _place?.Connect(input);
    }

    /// <summary>Types. Returns how many of the bytes the guest's serial line took; the rest is to be offered again a little later. Any thread.</summary>
    public int Offer(ReadOnlySpan<byte> bytes) => _input?.Offer(bytes) ?? 0;

    /// <summary>A reader that begins with the oldest output that is kept, or with what comes next.</summary>
    public ConsoleReader OpenReader(bool fromOldest = true)
    {
        lock (_lock) return new ConsoleReader(this, fromOldest ? Math.Max(0, _written - _ring.Length) : _written);
    }

    /// <summary>No more output will come: readers end after what is there.</summary>
    public void End()
    {
        lock (_lock)
        {
            _ended = true;
            _input = null;
            TellReaders();
        }
    }

    /// <summary>Copies from a position on. Null when there is nothing yet; 0 bytes at the end.</summary>
    internal int? TryRead(ref long position, Span<byte> buffer, out long lost, out Task news)
    {
        lock (_lock)
        {
            lost = Math.Max(0, _written - _ring.Length - position);
            position += lost;
            int count = (int)Math.Min(buffer.Length, _written - position);
            for (int i = 0; i < count; i++) buffer[i] = _ring[position++ & (_ring.Length - 1)];
            news = Task.CompletedTask;
            if (count > 0 || _ended) return count;
            news = (_news ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            return null;
        }
    }

    private void TellReaders()
    {
        _news?.SetResult();
        _news = null;
    }

    private void Grow(int more)
    {
        int size = _ring.Length;
        while (size < Capacity && size < _written + more) size *= 2;
        if (size == _ring.Length) return;
        // The smaller ring has not wrapped.
        Array.Resize(ref _ring, size);
    }
}

/// <summary>A place in a console's output. For one user at a time.</summary>
public sealed class ConsoleReader
{
    private readonly DomainConsole _console;
    private long _position;

    internal ConsoleReader(DomainConsole console, long position) => (_console, _position) = (console, position);

    /// <summary>Bytes that were forgotten before this reader came to them.</summary>
    public long Lost { get; private set; }

    /// <summary>Waits for output; returns how many bytes were read, 0 when the console has ended.</summary>
    public async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellation = default)
    {
        while (true)
        {
            int? count = _console.TryRead(ref _position, buffer.Span, out long lost, out Task news);
            Lost += lost;
            if (count is { } some) return some;
            await news.WaitAsync(cancellation).ConfigureAwait(false);
        }
    }
}
