using FastXen.Core.State;
using FastXen.Platform.Firmware;
using FastXen.Platform.Firmware.Pal;
using FastXen.Platform.Firmware.Sal;
using FastXen.Traces.Report;
using FastXen.Xen.Hypercalls;

namespace FastXen.Diagnostics;

/// <summary>What the numbers in traces are called.</summary>
internal static class GuestNames
{
    /// <summary>The names, for a report.</summary>
    public static TraceNames ForTraces { get; } = new()
    {
        Hypercall = HypercallNames.Of,
        Vector = static vector => ((Vector)vector).ToString(),
        Firmware = static (service, index) => (FirmwareService)service switch
        {
            FirmwareService.Pal => $"PAL {(PalProcedure)index}",
            FirmwareService.Sal => $"SAL {(SalProcedure)index}",
            FirmwareService.Fpswa => "FPSWA",
            var other => $"EFI {other}",
        },
    };
}
