/*
 * Block, wake, queue, steal, idle, park, preempt and pause: one vCPU; -DHOSTS= 1 or 2 host threads, -DWAKERS=n, -DPAUSERS=n, and -DPREEMPTS=false
 * for a vCPU that comes out only when it blocks or is paused.
 *
 * Each step of a process is one access to shared memory, as the code of src/Smp makes it (ScheduledVcpu.Transitions, RunQueues, HostThread.Choice,
 * Scheduler.Placement, Parker). A compare-and-swap is one atomic step that may fail. Two plain stores matter: that the vCPU waits, and that a
 * queue is not empty any more (the threshold of SCQ). On x86 a plain store may be delayed beyond later loads, up to the next locked instruction
 * or fence: here it may stay in the process's buffer until Fence().
 *
 * Checked: no two host threads run the vCPU at once; a paused vCPU does not run; an entry is not made twice; and when nothing moves any more, all requests have
 * been served, the vCPU is blocked and the host threads sleep.
 *
 * Seeded faults, one at a time, for the test that they are found: HAND_LATE, NO_FENCE_WAITS, NO_FENCE_ENTER, NO_RESCAN, NO_TOKEN, NO_PENDING, CLEAR_LATE, PLAIN_CLAIM.
 */
#ifndef WAKERS
#define WAKERS 2
#endif
#ifndef PAUSERS
#define PAUSERS 0
#endif
#ifndef HOSTS
#define HOSTS 2
#endif
#ifndef PREEMPTS
#define PREEMPTS true
#endif
#define NONE 255

mtype = { Blocked, Held, Queued, Running };

/* The vCPU's word. */
mtype phase = Blocked;
byte at = 0;
bool pending = false;
byte pauses = 0;

/* The queues: a bit for the vCPU's entry, the entry, and whether consumers may see that there is one. */
bool entered[2];
byte ring[2];
bool visible[2];

bool idle[2];
byte park[2]; /* 0 nothing, 1 token, 2 sleeping */
bool handed[2]; /* to a host thread that was claimed while it was idle */

/* The vCPU itself. */
byte requests = 0, served = 0;
bool waits = true;

/* For the checks only. */
byte inside = 0;
bool frozen = false;

#define LOCALS mtype p; byte h; bool w; byte z; bool ok; bool was; byte target; bool claimed; byte buffered = NONE

/* What is not needed any more makes no difference between states. */
inline Clean() { d_step { p = Blocked; h = 0; w = false; z = 0; ok = false; was = false; target = 0; claimed = false } }

inline Read() { atomic { p = phase; h = at; w = pending; z = pauses } }

inline Cas(np, nh, nw, nz) {
    atomic {
        ok = (phase == p && at == h && pending == w && pauses == z);
        if
        :: ok -> phase = np; at = nh; pending = nw; pauses = nz
        :: else
        fi
    }
}

inline Flush() {
    atomic {
        if
        :: buffered != NONE -> visible[buffered] = true; buffered = NONE
        :: else
        fi
    }
}

/* Parker.Unpark */
inline Unpark(host) {
    Flush();
#ifdef NO_TOKEN
    atomic { if :: park[host] == 2 -> park[host] = 1 :: else fi }
#else
    park[host] = 1
#endif
}

/* Scheduler.TryPlaceIdle: claims an idle host thread, or not. The look at the mask and the failing attempts change nothing. */
inline ClaimIdle() {
    atomic {
        if
        :: idle[0] -> idle[0] = false; claimed = true; target = 0
        :: idle[1] -> idle[1] = false; claimed = true; target = 1
        :: !idle[0] && !idle[1] -> claimed = false
        fi
    }
}

/* RunQueues.Enter */
inline Enter(host) {
    atomic { was = entered[host]; entered[host] = true }
    if
    :: !was ->
        atomic { ring[host]++; assert(ring[host] == 1) }
        if
        :: visible[host]
        :: else ->
            if
            :: visible[host] = true
            :: buffered = host
            fi
        fi
    :: else
    fi
}

/* Scheduler.Complete */
inline Complete(ours) {
#ifdef HAND_LATE
    if :: claimed -> Unpark(target) :: else fi
#endif
    if
    :: ours && claimed ->
        atomic { was = handed[target]; handed[target] = true }
        if :: was -> Enter(target) :: else fi
    :: ours && !claimed -> Enter(target)
    :: else
    fi
    if
    :: claimed ->
#ifndef HAND_LATE
        Unpark(target);
#endif
        skip
    :: !claimed && ours ->
#ifndef NO_FENCE_ENTER
        Flush();
#endif
        ClaimIdle();
        if
        :: claimed -> Unpark(target)
        :: else
        fi
    :: else
    fi
    Flush()
}

/* ScheduledVcpu.Wake */
inline Wake() {
    do
    :: Read();
        if
        :: p == Running && w -> break
        :: p == Running && !w ->
#ifdef NO_PENDING
            break
#else
            Cas(Running, h, true, z);
            if :: ok -> break :: else fi
#endif
        :: p == Blocked && z > 0 -> Cas(Held, h, false, z); if :: ok -> break :: else fi
        :: p == Blocked && z == 0 ->
            ClaimIdle();
            if :: claimed :: else -> target = h fi
            Cas(Queued, target, false, 0);
            if
            :: ok -> Complete(true); break
            :: else -> Complete(false)
            fi
        :: p == Queued || p == Held -> break
        fi
    od
}

proctype Waker() {
    LOCALS;
    requests++;
    if
    :: waits -> Wake()
    :: else
    fi
    Clean()
}

proctype Pauser() {
    LOCALS;
    do
    :: Read();
        if
        :: p == Queued -> Cas(Held, h, w, z + 1)
        :: else -> Cas(p, h, w, z + 1)
        fi
        if :: ok -> break :: else fi
    od
    Clean();
    /* AwaitOut */
    phase != Running;
    frozen = true;
    assert(inside == 0);
    frozen = false;
    do
    :: Read();
        if
        :: p == Held && z == 1 ->
            ClaimIdle();
            if :: claimed :: else -> target = h fi
            Cas(Queued, target, w, 0);
            if
            :: ok -> Complete(true); break
            :: else -> Complete(false)
            fi
        :: else -> Cas(p, h, w, z - 1); if :: ok -> break :: else fi
        fi
    od
    Clean()
}

/* HostThread.Claim of the own queue, then Steal from the other's. */
inline Choose() {
    got = false;
    if
    :: handed[me] ->
        Read();
        if
        :: p == Queued && h == me -> Cas(Running, me, w, z); got = ok; if :: ok -> handed[me] = false :: else fi
        :: else -> handed[me] = false
        fi
    :: else
    fi
    if
    :: got
    :: else -> ChooseQueued()
    fi
    Clean()
}

inline ChooseQueued() {
    if
    :: atomic { visible[me] && ring[me] > 0 -> ring[me]-- }
#ifdef CLEAR_LATE
        Read();
        entered[me] = false;
#else
        entered[me] = false;
        Read();
#endif
        if
        :: p == Queued && h == me ->
#ifdef PLAIN_CLAIM
            phase = Running; got = true
#else
            Cas(Running, me, w, z); got = ok
#endif
        :: else
        fi
        /* An empty queue becomes seen as such after some tries. */
    :: atomic { visible[me] && ring[me] == 0 -> visible[me] = false }
    :: !visible[me]
    fi
    if
    :: !got && (ring[1 - me] > 0 || handed[1 - me]) ->
        Read();
        if
        :: p == Queued && h == 1 - me -> Cas(Running, me, w, z); got = ok
        :: else
        fi
    :: else
    fi
}

proctype Host(byte me) {
    LOCALS;
    bool got;
    bool waitsBuffered = false;
again:
    Choose();
    if
    :: !got ->
        idle[me] = true;
#ifndef NO_RESCAN
        Choose();
#endif
        if
        :: got -> idle[me] = false
        :: else ->
            atomic { if :: park[me] == 0 -> park[me] = 2 :: else fi }
            park[me] != 2;
            park[me] = 0;
            idle[me] = false;
            goto again
        fi
    :: else
    fi
slice:
    atomic { inside++; assert(inside == 1 && !frozen) }
    /* The vCPU: serves requests; then says that it waits, and looks again. */
    do
    :: requests != served -> waitsBuffered = false; waits = false; served++
    :: requests == served && !waits && !waitsBuffered ->
#ifdef NO_FENCE_WAITS
        if
        :: waits = true
        :: waitsBuffered = true
        fi
#else
        waits = true
#endif
    :: requests == served && (waits || waitsBuffered) -> goto blocks
    :: pauses > 0 || PREEMPTS -> goto preempted
    od
preempted:
    atomic { waits = waits || waitsBuffered; waitsBuffered = false; inside-- }
    do
    :: Read();
        if
        :: z > 0 -> Cas(Held, h, false, z); if :: ok -> break :: else fi
        :: else ->
            ClaimIdle();
            if :: claimed :: else -> target = me fi
            Cas(Queued, target, false, 0);
            if
            :: ok -> Complete(true); break
            :: else -> Complete(false)
            fi
        fi
    od
    Clean();
    goto again;
blocks:
    inside--;
    do
    :: Read();
        if
        :: w -> Cas(Running, me, false, z); if :: ok -> atomic { waits = waits || waitsBuffered; waitsBuffered = false }; goto slice :: else fi
        :: else -> Cas(Blocked, me, false, z); if :: ok -> break :: else fi
        fi
    od
    atomic { waits = waits || waitsBuffered; waitsBuffered = false }
    Clean();
    goto again
}

init {
    byte t;
    atomic {
        run Host(0);
        if
        :: HOSTS == 2 -> run Host(1)
        :: else
        fi;
        t = 0;
        do
        :: t < WAKERS -> run Waker(); t++
        :: t == WAKERS -> break
        od;
        t = 0;
        do
        :: t < PAUSERS -> run Pauser(); t++
        :: t == PAUSERS -> break
        od
    }
    timeout -> assert(requests == WAKERS && served == WAKERS && phase == Blocked && pauses == 0 && park[0] == 2 && (HOSTS == 1 || park[1] == 2))
}
