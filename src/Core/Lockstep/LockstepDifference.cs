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
/// <param name="Translation">The intermediate form and the host code of the translated regions that hold <paramref name="Ip"/>.</param>
public sealed record LockstepDifference(
    ulong Good, ulong Bad, ulong Ip, IReadOnlyList<StateDifference> Differences, IReadOnlyList<string> Code, IReadOnlyList<string> Translation)
{
    /// <summary>Writes host code; in hexadecimal where there is no disassembler.</summary>
    public static Func<TranslatedRegion, IEnumerable<string>> DescribeHost { get; set; } = static region =>
        region.HostCode.ToArray().Chunk(32).Select((bytes, n) => $"{region.HostAddress + (n * 32):x}  {Convert.ToHexString(bytes)}");

    private const int MostBundles = 100, MostDifferences = 40;

    internal static unsafe LockstepDifference Of(LockstepPair pair, ulong good, ulong ip, int slot)
    {
        VcpuState* s = pair.Reference.State;
        int bundles = (int)Math.Min((s->Retired - good + (ulong)slot + 2) / 3, MostBundles);
        var code = new List<string>();
        Span<byte> bundle = stackalloc byte[16];
        for (ulong address = ip; address < ip + ((ulong)bundles * 16) && TryRead(pair.Reference, address, bundle); address += 16)
        {
            string[] lines = Disassembler.FormatBundle(BitConverter.ToUInt64(bundle), BitConverter.ToUInt64(bundle[8..]), address);
            code.AddRange(lines.Select((line, n) => $"{(n == 0 ? $"{address:x16}" : ""),16}  {line}"));
        }

        return new LockstepDifference(good, s->Retired, ip, pair.Differences(), code, Describe(pair.Subject, ip));
    }

    private static List<string> Describe(Vcpu subject, ulong ip)
    {
        var lines = new List<string>();
        subject.VisitTranslations(ip, region =>
        {
            lines.Add($"region 0x{region.Ip:x}.{region.Slot}, cfm 0x{region.Cfm:x}, cpl {region.Cpl}, physical page 0x{region.PhysicalPage:x}");
            lines.AddRange(region.DescribeIr());
            lines.AddRange(DescribeHost(region));
        });
        return lines;
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
        if (Translation.Count != 0)
            text.AppendLine("translation:");
        foreach (string line in Translation)
            text.AppendLine($"  {line}");
        return text.ToString();
    }
}
