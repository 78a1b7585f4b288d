using FastXen.Core.Interpret;
using FastXen.Core.State;

namespace FastXen.Core;

/// <summary>
/// The deterministic vCPUs of a domain, on one host thread: they take turns, and share a time that is counted in retired instructions. In each round every vCPU is
/// brought to the round's end; one that waits goes there at once, or to its timer and runs from there. When all of them wait, the next round begins at the
/// nearest timer. So two runs are the same, on either engine.
/// </summary>
public sealed unsafe class TurnTaking
{
    /// <summary>Counts of AR.ITC in a round.</summary>
    public const ulong Round = 20_000;

    private readonly IReadOnlyList<Vcpu> vcpus;
    private readonly bool[] stopped;
    private readonly WakeSignal wake = new();
    private int current;
    private ulong end = Round;

    /// <summary>Makes the first round begin. The vCPUs are deterministic.</summary>
    public TurnTaking(IReadOnlyList<Vcpu> vcpus)
    {
        ArgumentNullException.ThrowIfNull(vcpus);
        this.vcpus = vcpus;
        stopped = new bool[vcpus.Count];
        foreach (Vcpu vcpu in vcpus)
        {
            vcpu.SkipsIdleTime = false;
            vcpu.Woken = wake.Set;
        }
    }

    /// <summary>Told, once for each, that a vCPU has stopped.</summary>
    public Action<Vcpu>? Stopped { get; init; }

    /// <summary>True when all have stopped.</summary>
    public bool IsOver => Array.TrueForAll(stopped, static one => one);

    /// <summary>True when those that have not stopped wait for what no timer of theirs brings.</summary>
    public bool IsIdle { get; private set; }

    /// <summary>True when one that has not stopped can go on. Any thread, while nobody runs them.</summary>
    public bool HasWork
    {
        get
        {
            for (int n = 0; n < vcpus.Count; n++)
            {
                if (!stopped[n] && vcpus[n].HasWork)
                    return true;
            }

            return false;
        }
    }

    /// <summary>Instructions that all of them have retired.</summary>
    public ulong Retired
    {
        get
        {
            ulong sum = 0;
            foreach (Vcpu vcpu in vcpus)
                sum += vcpu.State->Retired;
            return sum;
        }
    }

    /// <summary>Runs until all have stopped. While nothing can happen by itself, the thread sleeps.</summary>
    public void Run()
    {
        while (!IsOver)
        {
            RunTo(ulong.MaxValue);
            while (IsIdle && !HasWork)
                wake.Wait(ulong.MaxValue);
        }
    }

    /// <summary>Runs until <paramref name="retired"/> instructions have retired in all, at a look-point, or all have stopped or wait for ever.</summary>
    public void RunTo(ulong retired)
    {
        IsIdle = false;
        for (ulong sum; (sum = Retired) < retired && !IsOver && !IsIdle;)
            Turn(retired - sum);
    }

    private void Turn(ulong most)
    {
        Vcpu vcpu = vcpus[current];
        VcpuState* s = vcpu.State;
        if (stopped[current] || Clock.Time(s) >= end)
        {
            Next();
            return;
        }

        vcpu.RunLimit = s->Retired + Math.Min(end - Clock.Time(s), most);
        switch (vcpu.RunSlice())
        {
            case VcpuPause.Stopped:
                stopped[current] = true;
                Stopped?.Invoke(vcpu);
                break;
            case VcpuPause.Blocked:
                Clock.Skip(s, Math.Min(Clock.UntilTimer(s) ?? ulong.MaxValue, end - Clock.Time(s)));
                break;
        }
    }

    private void Next()
    {
        if (++current < vcpus.Count)
            return;
        current = 0;
        ulong nearest = ulong.MaxValue;
        for (int n = 0; n < vcpus.Count; n++)
        {
            if (stopped[n])
                continue;
            if (vcpus[n].HasWork)
            {
                end += Round;
                return;
            }

            if (Clock.UntilTimer(vcpus[n].State) is { } left)
                nearest = Math.Min(nearest, Clock.Time(vcpus[n].State) + left);
        }

        IsIdle = nearest == ulong.MaxValue;
        end = Round + (IsIdle ? end : Math.Max(nearest, end));
    }
}
