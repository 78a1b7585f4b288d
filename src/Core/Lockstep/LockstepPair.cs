using FastXen.Core.State;

namespace FastXen.Core.Lockstep;

/// <summary>
/// Two deterministic machines, of a processor or of several that take turns, that began in the same state, with memories of their own: one runs on the engine
/// that is the reference, one on the engine under test. Both are taken from look-point to look-point and compared there.
/// </summary>
public sealed unsafe class LockstepPair
{
    /// <summary>Largest piece of memory that is compared at once.</summary>
    private const int Block = 1 << 24;

    private readonly IReadOnlyList<Vcpu> references, subjects;
    private readonly TurnTaking? referenceTurns, subjectTurns;
    private readonly (ulong Retired, ulong Ip, int Slot)[] before;
    private int last;

    /// <summary>A pair of machines with one processor each. <paramref name="reference"/>: the vCPU whose engine is right.</summary>
    public LockstepPair(Vcpu reference, Vcpu subject)
        : this([reference], [subject])
    {
    }

    /// <summary>A pair of machines with as many processors. <paramref name="references"/>: the vCPUs whose engine is right. The callback of a stop is given the vCPU.</summary>
    public LockstepPair(IReadOnlyList<Vcpu> references, IReadOnlyList<Vcpu> subjects, Action<Vcpu>? stopped = null)
    {
        ArgumentNullException.ThrowIfNull(references);
        this.references = references;
        this.subjects = subjects;
        before = new (ulong, ulong, int)[references.Count];
        if (references.Count == 1)
            return;
        referenceTurns = new TurnTaking(references) { Stopped = stopped };
        subjectTurns = new TurnTaking(subjects) { Stopped = stopped };
    }

    /// <summary>The vCPU that ran last, of the machine whose engine is right.</summary>
    public Vcpu Reference => references[last];

    /// <summary>The vCPU that ran last, of the machine whose engine is tested.</summary>
    public Vcpu Subject => subjects[last];

    /// <summary>Instructions that all processors of the reference have retired.</summary>
    public ulong Retired => referenceTurns?.Retired ?? Reference.State->Retired;

    /// <summary>Where the vCPU that ran last was before.</summary>
    public (ulong Ip, int Slot) Origin => (before[last].Ip, before[last].Slot);

    /// <summary>True once nothing more happens: a processor of one of the two stopped for good, or all of them wait for ever.</summary>
    public bool Stopped => references.Concat(subjects).Any(static vcpu => vcpu.StopReason != VcpuStop.None) || referenceTurns is { IsIdle: true };

    /// <summary>Runs both to the first look-point at which <paramref name="retired"/> instructions have retired. True when their registers agree there.</summary>
    public bool RunTo(ulong retired)
    {
        for (int n = 0; n < references.Count; n++)
        {
            VcpuState* s = references[n].State;
            before[n] = (s->Retired, s->Ip, s->Slot);
        }

        if (referenceTurns is null || subjectTurns is null)
        {
            Reference.RunLimit = Subject.RunLimit = retired;
            _ = Reference.Run();
            _ = Subject.Run();
        }
        else
        {
            referenceTurns.RunTo(retired);
            subjectTurns.RunTo(retired);
        }

        bool same = true;
        for (int n = 0; n < references.Count; n++)
        {
            if (references[n].State->Retired != before[n].Retired)
                last = n;
            same &= references[n].StopReason == subjects[n].StopReason && StateComparison.Same(references[n].State, subjects[n].State);
        }

        return same;
    }

    /// <summary>All that differs now, registers first; empty when nothing does.</summary>
    public IReadOnlyList<StateDifference> Differences()
    {
        List<StateDifference> differences = [];
        for (int n = 0; n < references.Count; n++)
        {
            string who = references.Count == 1 ? "" : $" of processor {n}";
            if (references[n].StopReason != subjects[n].StopReason)
                differences.Add(new StateDifference($"the reason of the stop{who}", Reason(references[n]), Reason(subjects[n])));
            differences.AddRange(StateComparison.Differences(references[n].State, subjects[n].State).Select(one => one with { Name = one.Name + who }));
        }

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
