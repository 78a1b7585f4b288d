using System.Runtime.InteropServices;

namespace FastXen.Xen.Processor;

/// <summary>What a vCPU is doing (vcpu.h, <c>RUNSTATE_*</c>).</summary>
public enum RunstateKind
{
    /// <summary>It runs on a host thread.</summary>
    Running = 0,

    /// <summary>It could run, but others do: the time that it is robbed of.</summary>
    Runnable = 1,

    /// <summary>It waits for an event.</summary>
    Blocked = 2,

    /// <summary>It is down.</summary>
    Offline = 3,
}

/// <summary>Where the time of a vCPU goes (vcpu.h, <c>vcpu_runstate_info</c>): nanoseconds of the system time.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct RunstateInfo
{
    /// <summary>The state, a <see cref="RunstateKind"/>.</summary>
    public int State;

    /// <summary>Since when.</summary>
    public ulong Since;

    /// <summary>Time in each state, up to <see cref="Since"/>.</summary>
    public fixed ulong Time[4];
}

/// <summary>Keeps account of the time of a vCPU. Any thread.</summary>
internal sealed unsafe class Runstate
{
    private readonly Lock _gate = new();
    private RunstateInfo _info = new() { State = (int)RunstateKind.Offline };

    /// <summary>The state now.</summary>
    public RunstateKind State => (RunstateKind)_info.State;

    /// <summary>The vCPU changes its state at a time; one before the last change counts as that.</summary>
    public void Enter(RunstateKind state, ulong time)
    {
        lock (_gate)
        {
            time = Math.Max(time, _info.Since);
            _info.Time[_info.State] += time - _info.Since;
            _info.State = (int)state;
            _info.Since = time;
        }
    }

    /// <summary>The account at the last change of state: what the guest's memory shows.</summary>
    public RunstateInfo AtChange
    {
        get
        {
            lock (_gate)
                return _info;
        }
    }

    /// <summary>The account, with the time in the state that goes on counted up to <paramref name="time"/>.</summary>
    public RunstateInfo At(ulong time)
    {
        RunstateInfo info = AtChange;
        if (time > info.Since)
            info.Time[info.State] += time - info.Since;
        return info;
    }
}
