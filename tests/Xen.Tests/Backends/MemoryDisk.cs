using FastXen.Platform.Block;

namespace FastXen.Xen.Tests.Backends;

/// <summary>A disk in memory that notes what is asked of it.</summary>
internal sealed class MemoryDisk(int sectors, bool isReadOnly = false) : IBlockBackend
{
    public byte[] Content { get; } = new byte[sectors * IBlockBackend.SectorSize];

    public List<string> Log { get; } = [];

    public bool IsDisposed { get; private set; }

    public Exception? Fault { get; set; }

    /// <summary>What a request waits for.</summary>
    public ManualResetEventSlim Gate { get; } = new(true);

    public ManualResetEventSlim IsWaiting { get; } = new(false);

    public long Length => Content.Length;

    public bool IsReadOnly => isReadOnly;

    public void Read(long position, Span<byte> buffer)
    {
        Note($"read {position / 512}+{buffer.Length / 512}");
        Content.AsSpan((int)position, buffer.Length).CopyTo(buffer);
    }

    public void Write(long position, ReadOnlySpan<byte> buffer)
    {
        Note($"write {position / 512}+{buffer.Length / 512}");
        buffer.CopyTo(Content.AsSpan((int)position));
    }

    public void Flush() => Note("flush");

    public void Dispose()
    {
        IsDisposed = true;
        Gate.Dispose();
        IsWaiting.Dispose();
    }

    private void Note(string what)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        if (Fault != null)
            throw Fault;
        IsWaiting.Set();
        Gate.Wait();
        lock (Log)
            Log.Add(what);
    }
}
