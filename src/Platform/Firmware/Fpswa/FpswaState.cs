namespace FastXen.Platform.Firmware.Fpswa;

/// <summary>What the software assist is told of the interrupted program, and changes: the bundle (two halves), IPSR, FPSR, ISR, predicates and IFS.</summary>
internal record struct FpswaState(ulong BundleLow, ulong BundleHigh, ulong Ipsr, ulong Fpsr, ulong Isr, ulong Predicates, ulong Ifs);
