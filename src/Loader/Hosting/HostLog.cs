using System.Diagnostics;
using System.Globalization;

namespace FastXen.Loader.Hosting;

/// <summary>A line of the host's log.</summary>
/// <param name="Time">Since the host was started.</param>
/// <param name="Text">One line or, for a crash, several.</param>
public sealed record HostLogLine(TimeSpan Time, string Text)
{
    /// <summary>As <c>fastxen dmesg</c> prints it.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"[{Time.TotalSeconds,12:F6}] {Text}");
}

/// <summary>What happened on a host: a ring of the latest lines. Any thread.</summary>
public sealed class HostLog
{
    private const int Lines = 1024;
    private const int LongestLine = 16 << 10;

    private readonly Lock _lock = new();
    private readonly Queue<HostLogLine> _lines = new();
    private readonly long _start = Stopwatch.GetTimestamp();

    /// <summary>Time since the host was started.</summary>
    public TimeSpan Now => Stopwatch.GetElapsedTime(_start);

    /// <summary>Called for each line, by the thread that writes it, which holds no lock then.</summary>
    public event Action<HostLogLine>? Written;

    /// <summary>Adds a line; the oldest one goes when there are too many.</summary>
    public void Write(string text)
    {
        HostLogLine line = new(Now, text.Length <= LongestLine ? text : text[..LongestLine]);
        lock (_lock)
        {
            if (_lines.Count == Lines) _lines.Dequeue();
            _lines.Enqueue(line);
        }
        Written?.Invoke(line);
    }

    /// <summary>The lines, oldest first; with <paramref name="clear"/> they are gone then.</summary>
    public IReadOnlyList<HostLogLine> Read(bool clear = false)
    {
        lock (_lock)
        {
            HostLogLine[] lines = [.. _lines];
            if (clear) _lines.Clear();
            return lines;
        }
    }
}
