namespace FastXen.Core.Lockstep;

/// <summary>
/// Two deterministic processors that began in the same state, with memories of their own: one runs on the engine that is the
/// reference, one on the engine under test. Both are taken from look-point to look-point by <see cref="Vcpu.RunLimit"/> and compared there.
/// </summary>
/// <param name="reference">The vCPU whose engine is right.</param>
/// <param name="subject">The vCPU whose engine is tested.</param>
public sealed unsafe class LockstepPair(Vcpu reference, Vcpu subject)
{
    /// <summary>Largest piece of memory that is compared at once.</summary>
    private const int Block = 1 << 24;

    /// <summary>The vCPU whose engine is right.</summary>
    public Vcpu Reference { get; } = reference;

    /// <summary>The vCPU whose engine is tested.</summary>
    public Vcpu Subject { get; } = subject;

    /// <summary>True once one of the two stopped for good.</summary>
    public bool Stopped => Reference.StopReason != VcpuStop.None || Subject.StopReason != VcpuStop.None;

    /// <summary>Runs both to the first look-point at which <paramref name="retired"/> instructions have retired. True when their registers agree there.</summary>
    public bool RunTo(ulong retired)
    {
        Reference.RunLimit = Subject.RunLimit = retired;
        VcpuStop a = Reference.Run();
        VcpuStop b = Subject.Run();
        return a == b && StateComparison.Same(Reference.State, Subject.State);
    }

    /// <summary>All that differs now, registers first; empty when nothing does.</summary>
    public IReadOnlyList<StateDifference> Differences()
    {
        List<StateDifference> differences = [];
        if (Reference.StopReason != Subject.StopReason)
            differences.Add(new StateDifference("the reason of the stop", Reason(Reference), Reason(Subject)));
        differences.AddRange(StateComparison.Differences(Reference.State, Subject.State));
        if (FirstMemoryDifference() is { } address)
            differences.Add(new StateDifference($"the memory at 0x{address:x}", Word(Reference, address), Word(Subject, address)));
        return differences;
    }

    /// <summary>Physical address of the first word of RAM that differs; null when all is the same.</summary>
    public ulong? FirstMemoryDifference()
    {
        ulong end = Math.Min(Reference.Memory.Span, Subject.Memory.Span);
        for (ulong address = 0; address < end; address += Block)
        {
            int length = (int)Math.Min(Block, end - address);
            // Both machines have RAM at the same places; a block that is not all RAM is looked at in the granules that are.
            if (Reference.Memory.TryGetSpan(address, length, out Span<byte> a) && Subject.Memory.TryGetSpan(address, length, out Span<byte> b))
            {
                if (First(a, b) is { } offset)
                    return address + offset;
            }
            else if (FirstInGranules(address, address + (ulong)length) is { } found)
            {
                return found;
            }
        }

        return null;
    }

    private ulong? FirstInGranules(ulong address, ulong end)
    {
        const int Granule = 1 << 16;
        for (; address < end; address += Granule)
        {
            if (Reference.Memory.TryGetSpan(address, Granule, out Span<byte> a) && Subject.Memory.TryGetSpan(address, Granule, out Span<byte> b)
                && First(a, b) is { } offset)
            {
                return address + offset;
            }
        }

        return null;
    }

    private static ulong? First(Span<byte> a, Span<byte> b) =>
        a.SequenceEqual(b) ? null : (ulong)a.CommonPrefixLength(b) & ~7UL;

    private static string Word(Vcpu vcpu, ulong address) => $"0x{vcpu.Memory.Read<ulong>(address):x16}";

    private static string Reason(Vcpu vcpu) => vcpu.CrashReason is { } crash ? $"{vcpu.StopReason}: {crash}" : $"{vcpu.StopReason}";
}
