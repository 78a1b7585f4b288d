using System.Text;
using FastXen.Core.Decode;
using FastXen.Core.State;

namespace FastXen.Core.Lockstep;

/// <summary>Where two engines part: what differs, and the code that ran since they agreed.</summary>
/// <param name="Good">Instructions retired where both agreed last.</param>
/// <param name="Bad">Instructions retired, on the reference, where they do not agree.</param>
/// <param name="Ip">Address of the first bundle that ran in between.</param>
/// <param name="Differences">What differs.</param>
/// <param name="Code">Disassembly of what ran in between, as far as it went straight on.</param>
/// <param name="Translation">What <see cref="DescribeTranslation"/> says of the code at <paramref name="Ip"/>.</param>
public sealed record LockstepDifference(
    ulong Good, ulong Bad, ulong Ip, IReadOnlyList<StateDifference> Differences, IReadOnlyList<string> Code, string? Translation)
{
    /// <summary>Gives the intermediate form and the host code of the translated region that holds an address; null where there is none.</summary>
    public static Func<Vcpu, ulong, string?>? DescribeTranslation { get; set; }

    private const int MostBundles = 100, MostDifferences = 40;

    internal static unsafe LockstepDifference Of(LockstepPair pair, ulong good, ulong ip, int slot)
    {
        int bundles = (int)Math.Min((pair.Retired - good + (ulong)slot + 2) / 3, MostBundles);
        var code = new List<string>();
        Span<byte> bundle = stackalloc byte[16];
        for (ulong address = ip; address < ip + ((ulong)bundles * 16) && TryRead(pair.Reference, address, bundle); address += 16)
        {
            string[] lines = Disassembler.FormatBundle(BitConverter.ToUInt64(bundle), BitConverter.ToUInt64(bundle[8..]), address);
            code.AddRange(lines.Select((line, n) => $"{(n == 0 ? $"{address:x16}" : ""),16}  {line}"));
        }

        return new LockstepDifference(good, pair.Retired, ip, pair.Differences(), code, DescribeTranslation?.Invoke(pair.Subject, ip));
    }

    // The page that runs, or what a load would find.
    private static unsafe bool TryRead(Vcpu vcpu, ulong address, Span<byte> bundle)
    {
        VcpuState* s = vcpu.State;
        if ((address & ~0xFFFUL) == s->CodeVa && vcpu.Memory.TryGetSpan(s->CodePa | (address & 0xFFF), bundle.Length, out Span<byte> here))
        {
            here.CopyTo(bundle);
            return true;
        }

        return vcpu.TryRead(address, bundle);
    }

    /// <summary>Several lines for the user.</summary>
    public string Report()
    {
        var text = new StringBuilder();
        text.AppendLine($"the engines agree after {Good} instructions, at 0x{Ip:x}, and differ after {Bad}:");
        foreach (StateDifference difference in Differences.Take(MostDifferences))
            text.AppendLine($"  {difference}");
        if (Differences.Count > MostDifferences)
            text.AppendLine($"  and {Differences.Count - MostDifferences} more");
        text.AppendLine("guest code in between:");
        foreach (string line in Code)
            text.AppendLine($"  {line}");
        if (Translation is not null)
            text.AppendLine("translation:").AppendLine(Translation);
        return text.ToString();
    }
}
