using System.Diagnostics;
using System.Text;
using FastXen.Xen.Console;

namespace FastXen.Loader.Xen;

/// <summary>
/// The hypervisor's console for a domain that has a console of its own: its lines go to the host's log, as many as a log can bear of one domain; there is nothing to read.
/// </summary>
internal sealed class GuestLog(int domain, Action<string> log) : IHypervisorConsole
{
    private const int LongestLine = 200, Burst = 200, PerSecond = 10;

    private readonly Lock _lock = new();
    private readonly StringBuilder _line = new();
    private double _allowance = Burst;
    private long _last = Stopwatch.GetTimestamp();

    public void Write(ReadOnlySpan<byte> text)
    {
        lock (_lock)
        {
            foreach (byte b in text)
            {
                if (b is >= 0x20 and < 0x7f) _line.Append((char)b);
                if (_line.Length == 0 || (b != '\n' && _line.Length < LongestLine)) continue;
                if (IsBearable()) log($"(d{domain}) {_line}");
                _line.Clear();
            }
        }
    }

    public int Read(Span<byte> destination) => 0;

    private bool IsBearable()
    {
        long now = Stopwatch.GetTimestamp();
        _allowance = Math.Min(Burst, _allowance + Stopwatch.GetElapsedTime(_last, now).TotalSeconds * PerSecond);
        _last = now;
        if (_allowance < 1) return false;
        _allowance--;
        return true;
    }
}
