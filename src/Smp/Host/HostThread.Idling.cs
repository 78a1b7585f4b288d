using System.Runtime.Intrinsics.X86;

namespace FastXen.Smp.Host;

/// <content>What a host thread does while it has nothing to run: for a short while it looks, then it sleeps.</content>
internal sealed partial class HostThread
{
    // Looks at the parker between two at the clock.
    private const int LooksPerClock = 16;

    private PollWindow window;
    private long polls;

    // The time belongs to no vCPU: all have been charged, and those that wait are blocked.
    private void Idle(long begin)
    {
        bool found = false;
        if (window.Nanoseconds != 0 && scheduler.TryBeginPoll(begin))
        {
            found = Poll(Math.Min(begin + window.Nanoseconds, ParkUntil));
            scheduler.EndPoll();
        }

        if (found)
        {
            polls++;
        }
        else
        {
            parks++;
            parker.Park(ParkUntil == long.MaxValue ? long.MaxValue : ParkUntil - scheduler.Now);
        }

        window.Waited(scheduler.Now - begin);
    }

    // True when there is something to do: the thread was woken, or its timer is due.
    private bool Poll(long end)
    {
        long now;
        do
        {
            for (int look = 0; look < LooksPerClock; look++)
            {
                if (parker.TryTake())
                    return true;
                X86Base.Pause();
            }

            now = scheduler.Now;
        }
        while (now < end);
        return now >= ParkUntil;
    }
}
