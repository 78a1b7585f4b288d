using FastXen.Core;

namespace FastXen.Diagnostics;

/// <summary>Writes regions as they are translated: guest code, intermediate representation, host code.</summary>
/// <param name="output">Where to.</param>
/// <param name="address">Only regions that hold this bundle; null: all.</param>
internal sealed class CodeDump(TextWriter output, ulong? address) : ITranslationObserver
{
    /// <summary>Several lines on a region.</summary>
    public static string Describe(TranslatedRegion region)
    {
        string[] lines =
        [
            $"region {region.Name}: physical page 0x{region.PhysicalPage:x}, cpl {region.Cpl}, cfm 0x{region.Cfm:x}, {region.Slots} slots, "
                + $"{region.HostCode.Length} bytes at 0x{region.HostAddress:x}",
            "guest code:", .. region.DescribeGuest().Select(Indent),
            "intermediate representation:", .. region.DescribeIr().Select(Indent),
            "host code:", .. HostDisassembler.Format(region.HostCode.ToArray(), region.HostAddress).Select(Indent),
        ];
        return string.Join(Environment.NewLine, lines);
    }

    /// <summary>What is known of the translations of a bundle, or null where there are none.</summary>
    public static string? Describe(Vcpu vcpu, ulong address)
    {
        List<string> regions = [];
        vcpu.VisitTranslations(address, region => regions.Add(Describe(region)));
        return regions.Count == 0 ? null : string.Join(Environment.NewLine, regions);
    }

    /// <inheritdoc/>
    public void OnStub(string name, nint address, int bytes)
    {
    }

    /// <inheritdoc/>
    public void OnRegion(TranslatedRegion region)
    {
        if (address is { } wanted && !region.Contains(wanted)) return;
        output.WriteLine(Describe(region));
        output.WriteLine();
    }

    private static string Indent(string line) => $"  {line}";
}
