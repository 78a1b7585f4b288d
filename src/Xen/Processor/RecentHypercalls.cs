using System.Globalization;
using System.Text;
using FastXen.Xen.Hypercalls;

namespace FastXen.Xen.Processor;

/// <summary>The last hypercalls of a vCPU, for a report of its crash: what a guest breaks in itself it breaks by them.</summary>
internal unsafe struct RecentHypercalls
{
    /// <summary>How many are kept.</summary>
    public const int Kept = 16;

    // Of each: number, three arguments, result.
    private const int Words = 5, Arguments = 3;

    private fixed ulong _words[Kept * Words];
    private uint _count;

    /// <summary>One is over.</summary>
    public void Add(ulong number, ulong* arguments, long result)
    {
        fixed (ulong* words = &_words[_count++ % Kept * Words])
        {
            words[0] = number;
            words[1] = arguments[0];
            words[2] = arguments[1];
            words[3] = arguments[2];
            words[4] = (ulong)result;
        }
    }

    /// <summary>A line for each, the last one at the end; empty where there was none. Of a vCPU that does not run.</summary>
    public readonly string ToText()
    {
        var text = new StringBuilder();
        uint kept = Math.Min(_count, Kept);
        if (kept != 0)
            text.AppendLine(CultureInfo.InvariantCulture, $"its last {kept} hypercalls:");
        for (uint k = _count - kept; k != _count; k++)
        {
            int at = (int)(k % Kept) * Words;
            text.Append(CultureInfo.InvariantCulture, $"  {HypercallNames.Of((int)_words[at])}(");
            for (int a = 1; a <= Arguments; a++)
                text.Append(CultureInfo.InvariantCulture, $"{(a == 1 ? "" : ", ")}0x{_words[at + a]:x}");
            text.AppendLine(CultureInfo.InvariantCulture, $") = {(long)_words[at + Words - 1]}");
        }

        return text.ToString();
    }
}
