/*
 * Early preemption: an urgent vCPU is queued at a host thread which chooses, or has just chosen, a lesser one (HostThread.Advance and Interrupt).
 *
 * The host thread: clears the flag; looks at its queue; publishes what it chose as its current vCPU; looks at the flag, and at the queue again when it
 * is set. The other thread: queues; sets the flag; looks at the current vCPU, and asks it to come out. Publishing is a plain store, which x86 may
 * delay beyond later loads up to the next locked instruction: the exchange of the flag.
 *
 * Checked: when nothing moves any more the urgent vCPU runs.
 *
 * Seeded faults: NO_FENCE_CURRENT (the flag is read with a plain load), NO_FLAG, FLAG_CLEARED_LATE (after the look at the queue).
 */
mtype = { None, Lesser, Urgent };

mtype current = None;
bool queued = false, flag = false, asked = false;

active proctype HostThread() {
    mtype chosen;
    bool delayed, set;
again:
    chosen = Lesser;
    delayed = false;
#ifndef FLAG_CLEARED_LATE
    flag = false;
#endif
    if
    :: atomic { queued -> queued = false; chosen = Urgent }
    :: !queued
    fi;
#ifdef FLAG_CLEARED_LATE
    flag = false;
#endif
    if
    :: current = chosen
#ifdef NO_FENCE_CURRENT
    :: delayed = true
#endif
    fi;
#ifndef NO_FLAG
    atomic { set = flag; flag = false }
    if
    :: set && chosen == Lesser ->
        if
        :: atomic { queued -> queued = false; chosen = Urgent; current = Urgent; delayed = false }
        :: !queued
        fi
    :: else
    fi;
#endif
    if
    :: delayed -> current = chosen
    :: else
    fi;
    if
    :: chosen == Urgent -> goto done
    :: else
    fi;
    /* The lesser one runs until it is asked to come out; the end of its slice would only hide what is wrong. */
    asked;
    asked = false;
    current = None;
    goto again;
done:
    skip
}

active proctype Waker() {
    queued = true;
    flag = true;
    if
    :: current == Lesser -> asked = true
    :: else
    fi
}

init {
    timeout -> assert(current == Urgent && !queued)
}
