using System.Globalization;

namespace FastXen.Traces.Report;

/// <summary>Names for the numbers in events; the parts of FastXen that define them are above this one.</summary>
public sealed record TraceNames
{
    /// <summary>Interruption vectors (offset from CR.IVA).</summary>
    public Func<int, string> Vector { get; init; } = static vector => $"0x{vector:x4}";

    /// <summary>Firmware services: entry point and procedure.</summary>
    public Func<int, ulong, string> Firmware { get; init; } = static (service, index) => $"service {service}, 0x{index:x}";

    /// <summary>Hypercalls.</summary>
    public Func<int, string> Hypercall { get; init; } = static number => number.ToString(CultureInfo.InvariantCulture);
}
