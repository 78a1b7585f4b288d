using System.Globalization;
using System.Numerics;
using System.Text.RegularExpressions;

namespace FastXen.EndToEnd.Tests.Control;

/// <summary>What the guest native/worker has to print: its lines are computed here again.</summary>
internal static partial class WorkerLog
{
    private const int TableWords = 8192, Rounds = 64;
    private const ulong Golden = 0x9e3779b97f4a7c15;

    /// <summary>Checks the whole lines of a console's output, one in <paramref name="stride"/> by its checksum; returns how many there are.</summary>
    public static int Check(string output, int stride)
    {
        Assert.DoesNotContain("FAILED", output, StringComparison.Ordinal);
        int? last = null;
        int count = 0;
        foreach (Match match in Line().Matches(output))
        {
            int line = int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture);
            Assert.True(last is null || line == last + 1, $"line {line} came after {last}");
            last = line;
            if (count++ % stride == 0) Assert.Equal(Checksum(line), ulong.Parse(match.Groups[2].Value, NumberStyles.HexNumber, CultureInfo.InvariantCulture));
        }
        return count;
    }

    private static ulong Checksum(int line)
    {
        ulong sum = 0;
        for (int round = 0; round < Rounds; round++)
        {
            ulong number = Golden * (ulong)(line * Rounds + round + 1), table = 0;
            for (int word = 0; word < TableWords; word++)
            {
                number ^= number << 13;
                number ^= number >> 7;
                number ^= number << 17;
                table = BitOperations.RotateLeft(table, 1) ^ number;
            }
            sum = BitOperations.RotateLeft(sum, 1) ^ table;
        }
        return sum;
    }

    [GeneratedRegex("line ([0-9]+) checksum 0x([0-9a-f]{16}) ok\n")]
    private static partial Regex Line();
}
