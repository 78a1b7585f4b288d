using FastXen.Core;
using FastXen.Core.Interpret;

namespace FastXen.Platform;

/// <summary>The time of a deterministic machine: it starts at a fixed date and goes with the processor's AR.ITC, so that two runs see the same.</summary>
public sealed unsafe class MachineTime(Vcpu processor) : TimeProvider
{
    private static readonly DateTimeOffset PowerOn = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <inheritdoc/>
    public override long TimestampFrequency => (long)Clock.ItcFrequency;

    /// <inheritdoc/>
    public override long GetTimestamp() => (long)Clock.Itc(processor.State);

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() =>
        PowerOn.AddTicks((long)(Clock.Itc(processor.State) / (Clock.ItcFrequency / TimeSpan.TicksPerSecond)));
}
