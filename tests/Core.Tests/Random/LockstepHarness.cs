using System.Text;
using FastXen.Core.Lockstep;
using FastXen.Core.State;

namespace FastXen.Core.Tests.RandomPrograms;

/// <summary>What a program did differently on the engine under test.</summary>
/// <param name="Program">The program.</param>
/// <param name="Good">Instructions retired at the last look-point where both agreed.</param>
/// <param name="Bad">Instructions retired, on the reference, at the first one where they did not.</param>
/// <param name="Differences">What differs there.</param>
/// <param name="Run">Addresses of the bundles that ran between the two.</param>
internal sealed record ProgramDifference(GuestProgram Program, ulong Good, ulong Bad, IReadOnlyList<StateDifference> Differences, IReadOnlyList<ulong> Run)
{
    public string Report()
    {
        var text = new StringBuilder();
        text.AppendLine($"seed {Program.Seed}: the engines agree after {Good} instructions and differ after {Bad}");
        foreach (StateDifference difference in Differences.Take(20))
            text.AppendLine($"  {difference}");
        if (Differences.Count > 20)
            text.AppendLine($"  and {Differences.Count - 20} more");
        text.AppendLine("what ran in between, but for bundles of nops:");
        foreach (ulong address in Run.Where(address => !Program.IsNops(address)).Take(80))
            text.AppendLine("  " + Program.Disassemble(address));
        if (Program.Instructions > 200)
            return text.ToString();
        text.AppendLine("all code that is left:");
        foreach (ulong address in Program.CodeAddresses.Where(address => !Program.IsNops(address)))
            text.AppendLine("  " + Program.Disassemble(address));
        return text.ToString();
    }
}

/// <summary>
/// Runs programs on two engines side by side, finds the first look-point at which they differ, and makes a program with a difference
/// as small as it gets. <paramref name="disturb"/> may change the processor under test after each step (to show that a difference is found).
/// </summary>
internal sealed unsafe class LockstepHarness(EngineKind reference, EngineKind subject, LockstepHarness.Disturbance? disturb = null)
{
    /// <summary>Changes the processor under test.</summary>
    public delegate void Disturbance(Vcpu subject);

    /// <summary>Instructions between two comparisons; coarse, so that the engine under test runs as it does alone.</summary>
    public ulong Stride { get; init; } = 2500;

    /// <summary>Instructions that ran on the reference, in all programs.</summary>
    public ulong Retired { get; private set; }

    /// <summary>The first difference of a program, or null.</summary>
    public ProgramDifference? Run(GuestProgram program, ulong length = GuestProgram.Length)
    {
        if (FirstCoarse(program, length) is not { } coarse)
            return null;
        // Between the last good comparison and the bad one: the look-points as the reference has them, and the first of them that is bad.
        List<LookPoint> points = LookPoints(program, coarse.Good, coarse.Bad);
        int low = 1, high = points.Count - 1;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (AgreesAt(program, coarse.Good, points[middle].Retired))
                low = middle + 1;
            else
                high = middle;
        }

        LookPoint good = points[high - 1], bad = points[high];
        using var pair = new Pair(this, program);
        pair.RunTo(coarse.Good);
        pair.Agree(bad.Retired);
        return new ProgramDifference(program, good.Retired, bad.Retired, pair.Lockstep.Differences(), Bundles(good, bad));
    }

    /// <summary>Replaces instructions by nops as long as a difference remains, in large pieces at first.</summary>
    public ProgramDifference Shrink(ProgramDifference found)
    {
        GuestProgram best = found.Program;
        ulong length = found.Bad;
        int slots = best.Bundles * 3;
        for (int size = slots / 2; size >= 1; size /= 2)
        {
            for (int first = 0; first < slots; first += size)
            {
                GuestProgram smaller = WithNops(best, first, size);
                if (ReferenceEquals(smaller, best) || FirstCoarse(smaller, length + Stride) is not { } coarse)
                    continue;
                best = smaller;
                length = Math.Min(length, coarse.Bad);
            }
        }

        return Run(best, length + Stride) ?? found;
    }

    // Slots [first, first + count) become nops of their units; the same program where they all are already.
    private static GuestProgram WithNops(GuestProgram program, int first, int count)
    {
        byte[] memory = program.Memory;
        bool changed = false;
        for (int n = first; n < Math.Min(first + count, program.Bundles * 3); n++)
        {
            int offset = (int)Layout.Code + n / 3 * 16, slot = n % 3;
            UInt128 bundle = BitConverter.ToUInt128(memory, offset);
            string units = BundleWriter.Units((int)bundle & 0x1E);
            if (units[slot] == 'L')
                continue;
            ulong nop = SlotBits.Nop(units[slot]);
            if (BundleWriter.Slot(bundle, slot) == nop)
                continue;
            if (!changed)
                memory = (byte[])memory.Clone();
            changed = true;
            BitConverter.TryWriteBytes(memory.AsSpan(offset), BundleWriter.WithSlot(bundle, slot, nop));
        }

        return changed ? program with { Memory = memory } : program;
    }

    private (ulong Good, ulong Bad)? FirstCoarse(GuestProgram program, ulong length)
    {
        using var pair = new Pair(this, program);
        ulong good = 0;
        for (ulong limit = Stride; limit <= length + Stride && !pair.Lockstep.Stopped; limit = Math.Max(limit, good) + Stride)
        {
            if (!pair.Agree(limit))
                return (good, limit);
            good = pair.Lockstep.Reference.State->Retired;
        }

        Retired += pair.Lockstep.Reference.State->Retired;
        return null;
    }

    private bool AgreesAt(GuestProgram program, ulong good, ulong limit)
    {
        using var pair = new Pair(this, program);
        pair.RunTo(good);
        return pair.Agree(limit);
    }

    // All look-points of the reference from good to the first one at or behind bad.
    private List<LookPoint> LookPoints(GuestProgram program, ulong good, ulong bad)
    {
        using var machine = new ProgramMachine(program, reference);
        VcpuState* s = machine.Vcpu.State;
        RunTo(machine.Vcpu, good);
        List<LookPoint> points = [new(s->Retired, s->Ip, s->Slot)];
        while (s->Retired < bad && machine.Vcpu.StopReason == VcpuStop.None)
        {
            machine.Vcpu.RunLimit = s->Retired + 1;
            machine.Vcpu.Run();
            points.Add(new(s->Retired, s->Ip, s->Slot));
        }

        return points;
    }

    // Execution went straight from the one to the other, and ended with a branch, a fault (which does not retire) or the page.
    private static List<ulong> Bundles(LookPoint good, LookPoint bad)
    {
        int slots = (int)(bad.Retired - good.Retired) + good.Slot;
        return [.. Enumerable.Range(0, (slots + 2) / 3).Select(n => good.Ip + ((ulong)n * 16))];
    }

    private void RunTo(Vcpu vcpu, ulong good)
    {
        for (ulong limit = Stride; vcpu.State->Retired < good; limit = Math.Max(limit, vcpu.State->Retired) + Stride)
        {
            vcpu.RunLimit = limit;
            vcpu.Run();
        }
    }

    private readonly record struct LookPoint(ulong Retired, ulong Ip, int Slot);

    // The two machines, always stepped by the same strides.
    private sealed class Pair : IDisposable
    {
        private readonly LockstepHarness _harness;
        private readonly ProgramMachine _reference, _subject;

        public Pair(LockstepHarness harness, GuestProgram program)
        {
            _harness = harness;
            _reference = new ProgramMachine(program, harness.ReferenceEngine);
            _subject = new ProgramMachine(program, harness.SubjectEngine);
            Lockstep = new LockstepPair(_reference.Vcpu, _subject.Vcpu);
        }

        public LockstepPair Lockstep { get; }

        public void Disturb() => _harness.Disturber?.Invoke(_subject.Vcpu);

        public bool Agree(ulong limit)
        {
            Lockstep.RunTo(limit);
            Disturb();
            return Lockstep.Reference.StopReason == Lockstep.Subject.StopReason
                && StateComparison.Same(Lockstep.Reference.State, Lockstep.Subject.State) && Lockstep.FirstMemoryDifference() is null;
        }

        public void RunTo(ulong good)
        {
            for (ulong limit = _harness.Stride; Lockstep.Reference.State->Retired < good; limit = Math.Max(limit, Lockstep.Reference.State->Retired) + _harness.Stride)
            {
                Lockstep.RunTo(limit);
                Disturb();
            }
        }

        public void Dispose()
        {
            _reference.Dispose();
            _subject.Dispose();
        }
    }

    private EngineKind ReferenceEngine => reference;

    private EngineKind SubjectEngine => subject;

    private Disturbance? Disturber => disturb;
}
