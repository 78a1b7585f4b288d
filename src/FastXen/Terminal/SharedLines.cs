using System.Text;

namespace FastXen.Terminal;

/// <summary>Takes bytes for the screen, all of them.</summary>
internal delegate void ScreenWriter(ReadOnlySpan<byte> bytes);

/// <summary>
/// The output of several domains on one screen: each line begins with its domain's name. One of them is in front: what it prints is shown at once and as it is, a prompt
/// or a half line included. Of the others whole lines are shown, without control characters, by which they could draw over what is not theirs. Any thread.
/// </summary>
internal sealed class SharedLines(ScreenWriter screen, string newLine)
{
    /// <summary>A longer line of a domain that is not in front is broken.</summary>
    public const int LongestLine = 4096;

    private readonly Lock _lock = new();
    private readonly byte[] _newLine = Encoding.ASCII.GetBytes(newLine);
    private int _width;
    private Source? _front;
    // Whose line it is that has begun and not ended; null: the cursor is at the left.
    private Source? _begun;

    /// <summary>A domain's output.</summary>
    public sealed class Source(string name)
    {
        internal readonly List<byte> Waiting = [];

        public string Name { get; } = name;
    }

    /// <summary>Adds a domain. Those that are added first make the names' column as wide as they need.</summary>
    public Source Add(string name)
    {
        lock (_lock)
        {
            _width = Math.Max(_width, name.Length);
            return new Source(name);
        }
    }

    /// <summary>Who is in front.</summary>
    public Source? Front
    {
        get { lock (_lock) return _front; }
        set
        {
            lock (_lock)
            {
                _front = value;
                if (value is not null) Show(value, asItIs: true);
            }
        }
    }

    /// <summary>A domain prints.</summary>
    public void Write(Source source, ReadOnlySpan<byte> bytes)
    {
        lock (_lock)
        {
            while (bytes.Length > 0)
            {
                int end = bytes.IndexOf((byte)'\n') + 1;
                int take = end > 0 ? end : bytes.Length;
                source.Waiting.AddRange(bytes[..take]);
                bytes = bytes[take..];
                if (source == _front || end > 0 || source.Waiting.Count >= LongestLine) Show(source, source == _front);
            }
        }
    }

    /// <summary>A domain has gone: what it began to print is shown.</summary>
    public void End(Source source)
    {
        lock (_lock)
        {
            Show(source, source == _front);
            if (_front == source) _front = null;
            if (_begun == source) Break();
        }
    }

    // What waits is at most one line.
    private void Show(Source source, bool asItIs)
    {
        if (source.Waiting.Count == 0) return;
        if (_begun is not null && _begun != source) Break();
        if (_begun is null) screen(Encoding.ASCII.GetBytes($"{source.Name.PadRight(_width)} | "));
        byte[] line = [.. source.Waiting];
        source.Waiting.Clear();
        bool isWhole = line[^1] == '\n';
        if (asItIs)
        {
            screen(line);
            _begun = isWhole ? null : source;
            return;
        }
        ReadOnlySpan<byte> text = line.AsSpan()[..(isWhole ? ^1 : ^0)].TrimEnd((byte)'\r');
        byte[] clean = text.ToArray();
        foreach (ref byte b in clean.AsSpan())
        {
            if (b is < 0x20 and not (byte)'\t' or 0x7f) b = (byte)'?';
        }
        screen(clean);
        Break();
    }

    private void Break()
    {
        screen(_newLine);
        _begun = null;
    }
}
