using FastXen.Core.State;

namespace FastXen.Core.Sharing;

/// <summary>
/// When memory of code that was given up may be used again: once every vCPU of the domain that runs guest code has passed a look-point since
/// (epochs; K. Fraser, "Practical lock-freedom", 2004, 5.2.3, with look-points instead of critical sections).
/// </summary>
/// <remarks>
/// Who gives code up takes it out of all tables first, then begins an epoch (<see cref="Begin"/>), which tells every vCPU by
/// <see cref="Translate.CodeState.Stale"/>. A vCPU that finds it set drops all that it knows of code and says so
/// (<see cref="Translate.CodeState.SeenEpoch"/>). One that does not run holds nothing: it looks when it begins to run. All methods but those of the
/// vCPU itself (<see cref="Enter"/>, <see cref="Leave"/>, <see cref="CatchUp"/>) are called under the domain's gate.
/// </remarks>
internal sealed unsafe class CodeEpochs
{
    private readonly record struct Retired(ulong Epoch, Action<nint> Free, nint What);

    private readonly Queue<Retired> retired = [];
    private readonly List<(Action<nint> Free, nint What)> leaving = [];
    private nint[] vcpus = [];
    private ulong epoch;

    /// <summary>Things whose memory cannot be used again yet.</summary>
    public int Waiting => retired.Count + leaving.Count;

    /// <summary>A vCPU, which does not run, belongs to the domain.</summary>
    public void Add(VcpuState* s)
    {
        s->Translated.SeenEpoch = epoch;
        vcpus = [.. vcpus, (nint)s];
    }

    /// <summary>A vCPU, which does not run, is gone.</summary>
    public void Remove(VcpuState* s) => vcpus = [.. vcpus.Where(known => known != (nint)s)];

    /// <summary>Code has left the tables: all vCPUs have to look. What waits for that already is freed where they have.</summary>
    public void Begin()
    {
        epoch++;
        foreach ((Action<nint> free, nint what) in leaving)
            retired.Enqueue(new Retired(epoch, free, what));
        leaving.Clear();
        foreach (nint s in vcpus)
            Volatile.Write(ref ((VcpuState*)s)->Translated.Stale, epoch);
        // Before anybody looks at who runs (the other half is in Enter).
        Interlocked.MemoryBarrier();
        Reclaim();
    }

    /// <summary>
    /// Calls <paramref name="free"/> when nobody can use the thing any more: when all vCPUs have seen the next epoch, before which it leaves the tables.
    /// </summary>
    public void Retire(Action<nint> free, nint what) => leaving.Add((free, what));

    /// <summary>Frees what nobody can use any more.</summary>
    public void Reclaim()
    {
        if (retired.Count == 0)
            return;
        ulong passed = epoch;
        foreach (nint s in vcpus)
        {
            if (Volatile.Read(ref ((VcpuState*)s)->Translated.Running) != 0)
                passed = Math.Min(passed, Volatile.Read(ref ((VcpuState*)s)->Translated.SeenEpoch));
        }

        while (retired.TryPeek(out Retired oldest) && oldest.Epoch <= passed)
        {
            _ = retired.Dequeue();
            oldest.Free(oldest.What);
        }
    }

    /// <summary>The vCPU begins to run guest code, on this thread.</summary>
    public static void Enter(VcpuState* s)
    {
        // A full fence: who reclaims sees that it runs, or it sees what was given up.
        _ = Interlocked.Exchange(ref s->Translated.Running, 1);
        if (s->Translated.Stale != 0)
            CatchUp(s);
    }

    /// <summary>The vCPU runs no guest code any more; it keeps no pointer to code that it uses before <see cref="Enter"/> has looked.</summary>
    public static void Leave(VcpuState* s) => Volatile.Write(ref s->Translated.Running, 0);

    /// <summary>
    /// The vCPU passes a look-point at which code was given up: it holds no pointer to code but those that are dropped here, and, in the
    /// translator, those that are dropped when <see cref="Translate.CodeState.SeenEpoch"/> has changed.
    /// </summary>
    public static void CatchUp(VcpuState* s)
    {
        ulong seen = Interlocked.Exchange(ref s->Translated.Stale, 0);
        s->FetchVa = Interpret.CodePage.NoAddress;
        if (seen != 0)
            Volatile.Write(ref s->Translated.SeenEpoch, seen);
    }
}
