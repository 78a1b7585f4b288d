using System.Numerics;
using FastXen.Smp.Host;

namespace FastXen.Smp;

/// <content>Where vCPUs go that become ready, and who hears of it.</content>
public sealed partial class Scheduler
{
    // A bit for each idle host thread. Whoever clears the bit wakes the thread.
    private ulong idle;

    // How many of the idle look for work before they sleep.
    private int polling;

    internal ulong IdleHosts => Volatile.Read(ref idle);

    internal void AddIdle(HostThread host) => Interlocked.Or(ref idle, host.Bit);

    internal bool ClaimIdle(HostThread host) => (Interlocked.And(ref idle, ~host.Bit) & host.Bit) != 0;

    /// <summary>
    /// The calling host thread, which counts as idle, wants to look for work a while: true where those that run vCPUs and those that look have a processor each, and
    /// no other program needs one. It calls <see cref="EndPoll"/> afterwards.
    /// </summary>
    internal bool TryBeginPoll(long now)
    {
        if (HostThreadCount <= Environment.ProcessorCount)
            return Environment.ProcessorCount > 1 && hasRoom(now);
        int running = HostThreadCount - BitOperations.PopCount(IdleHosts);
        if (Interlocked.Increment(ref polling) + running <= Environment.ProcessorCount && hasRoom(now))
            return true;
        EndPoll();
        return false;
    }

    internal void EndPoll()
    {
        if (HostThreadCount > Environment.ProcessorCount)
            Interlocked.Decrement(ref polling);
    }

    /// <summary>
    /// For one that was woken: an idle host thread; else the one it was on last, or another that runs something less urgent, or
    /// where it was. <paramref name="from"/>: the host thread that asks, in its scheduling loop.
    /// </summary>
    internal Placement PlaceWoken(ScheduledVcpu vcpu, ScheduleWord word, HostThread? from)
    {
        if (from is { IsFree: true } && vcpu.MayRunOn(from.Index))
            return new Placement(from.Index, Claimed: false);
        if (TryPlaceIdle(vcpu, word.Host) is { } idleHost)
            return idleHost;
        int home = HomeOf(vcpu, word.Host);
        if (word.Class < Hosts[home].CurrentClass)
            return new Placement(home, Claimed: false);
        for (ulong hosts = vcpu.Preferred(AllHosts); hosts != 0; hosts &= hosts - 1)
        {
            int host = BitOperations.TrailingZeroCount(hosts);
            if (word.Class < Hosts[host].CurrentClass)
                return new Placement(host, Claimed: false);
        }

        return new Placement(home, Claimed: false);
    }

    /// <summary>For one that could run on, or whose hold ended: an idle host thread, else where it was.</summary>
    internal Placement PlaceReady(ScheduledVcpu vcpu, ScheduleWord word)
        => TryPlaceIdle(vcpu, word.Host) ?? new Placement(HomeOf(vcpu, word.Host), Claimed: false);

    /// <summary>
    /// The vCPU's word says that it is queued at <paramref name="placement"/> (or it does not, because another thread was first: not
    /// <paramref name="done"/>); enters it there and tells who should know.
    /// </summary>
    internal void Complete(ScheduledVcpu vcpu, SchedulingClass priority, Placement placement, bool done, HostThread? from)
    {
        bool enters = done && priority != SchedulingClass.RealTime;
        HostThread host = Hosts[placement.Host];
        if (placement.Claimed)
        {
            // The thread has nothing else, so that the queue is not needed, whose parts the processors would send to and fro.
            if (enters && !host.TryHand(vcpu.Index))
                Queues.Enter(placement.Host, priority, vcpu.Index);
            host.Unpark();
            // It may have found something else itself.
            if (done && host.RunsOtherThan(vcpu))
                host.Interrupt(vcpu, priority);
            return;
        }

        if (enters)
            Queues.Enter(placement.Host, priority, vcpu.Index);
        if (done)
        {
            // Between the entry and the look at who is idle: a thread that becomes idle sees the entry, or is seen here.
            Interlocked.MemoryBarrier();
            if (TryPlaceIdle(vcpu, placement.Host) is { } idleHost)
                Hosts[idleHost.Host].Unpark();
            else if (host != from)
                host.Interrupt(vcpu, priority);
        }
    }

    // Claims an idle host thread that may run the vCPU: where it was, if that one is among the preferred, else the next after it.
    private Placement? TryPlaceIdle(ScheduledVcpu vcpu, int home)
    {
        while (vcpu.Preferred(Volatile.Read(ref idle)) is var candidates and not 0)
        {
            int host = (home + BitOperations.TrailingZeroCount(BitOperations.RotateRight(candidates, home))) % 64;
            if (ClaimIdle(Hosts[host]))
                return new Placement(host, Claimed: true);
        }

        return null;
    }

    private int HomeOf(ScheduledVcpu vcpu, int last) => vcpu.MayRunOn(last) ? last : BitOperations.TrailingZeroCount(vcpu.Preferred(AllHosts));
}
