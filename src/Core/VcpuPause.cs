namespace FastXen.Core;

/// <summary>Why <see cref="Vcpu.RunSlice"/> returned.</summary>
public enum VcpuPause
{
    /// <summary>For good: <see cref="Vcpu.StopReason"/> says why.</summary>
    Stopped,
    /// <summary>It waits (PAL_HALT_LIGHT, SAL rendezvous) and nothing is requested: not before <see cref="Vcpu.HasWork"/> does running it again do anything.</summary>
    Blocked,
    /// <summary><see cref="Vcpu.Preempt"/> was called. It may run on at once.</summary>
    Preempted,
    /// <summary>It spins (hint @pause, a loop that changes nothing) while <see cref="Vcpu.Overcommitted"/>: others should run first. It may run on at once.</summary>
    Yielded,
    /// <summary><see cref="Vcpu.RunLimit"/> is reached.</summary>
    Limit,
}
