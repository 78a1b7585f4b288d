using FastXen.Mmu;

namespace FastXen.Core;

/// <summary>
/// The global purges that a vCPU has to do for others: a bounded queue of many writers and one reader (D. Vyukov's: each slot has a sequence number that says
/// whose turn it is). Where it is full, everything is purged instead, which is always allowed. Nobody waits here and nothing is allocated.
/// </summary>
internal sealed unsafe class PurgeMailbox
{
    private const int Slots = 64;

    private struct Slot
    {
        public long Sequence;
        public ulong Address, Size;
        public uint Rid;
        public bool Alat;
        // What a purge of frames takes away, instead of a range; 0: it is a range.
        public FrameCacher Frames;
    }

    private readonly Slot[] slots = new Slot[Slots];
    private long tail, head;
    private int everything;
    private long asked, served;

    public PurgeMailbox()
    {
        for (int n = 0; n < Slots; n++)
            slots[n].Sequence = n;
    }

    /// <summary>True when there is something to do. The reader's; behind a full fence that follows what tells others that it runs.</summary>
    public bool IsAsked => Volatile.Read(ref asked) != served;

    /// <summary>Any thread: posts a purge. Returns its ticket for <see cref="IsServed"/>.</summary>
    public long Post(ulong address, ulong size, uint rid, bool alat) => Post(new Slot { Address = address, Size = size, Rid = rid, Alat = alat });

    /// <summary>Any thread: a frame that this vCPU may keep a translation of is another now.</summary>
    public long Post(FrameCacher frame) => Post(new Slot { Frames = frame });

    private long Post(Slot purge)
    {
        for (; ; )
        {
            long at = Volatile.Read(ref tail);
            ref Slot slot = ref slots[at & (Slots - 1)];
            long turn = Volatile.Read(ref slot.Sequence) - at;
            if (turn < 0)
            {
                Volatile.Write(ref everything, 1);
                return Ask();
            }

            if (turn > 0 || Interlocked.CompareExchange(ref tail, at + 1, at) != at)
                continue;
            purge.Sequence = at;
            slot = purge;
            Volatile.Write(ref slot.Sequence, at + 1);
            return Ask();
        }
    }

    /// <summary>Any thread: a ticket that is served when the reader has come by.</summary>
    public long Ask() => Interlocked.Increment(ref asked);

    /// <summary>True when what was posted with this ticket has been done.</summary>
    public bool IsServed(long ticket) => Volatile.Read(ref served) >= ticket;

    /// <summary>The reader: does what was posted. True when ALAT entries are to go as well.</summary>
    public bool Serve(MmuState* mmu)
    {
        // A ticket is given when its purge can be seen: those up to this one are done below.
        long seen = Volatile.Read(ref asked);
        bool alat = Volatile.Read(ref everything) != 0 && Interlocked.Exchange(ref everything, 0) != 0;
        if (alat)
            PurgeAll(mmu);
        for (; ; head++)
        {
            ref Slot slot = ref slots[head & (Slots - 1)];
            if (Volatile.Read(ref slot.Sequence) != head + 1)
                break;
            if (slot.Frames != default)
                FastTlb.Forget(mmu, slot.Frames);
            else
                Tlb.PurgeRemote(mmu, slot.Address, slot.Size, slot.Rid);
            alat |= slot.Alat;
            Volatile.Write(ref slot.Sequence, head + Slots);
        }

        // One is being written, and others behind it may be complete.
        if (head != Volatile.Read(ref tail))
        {
            PurgeAll(mmu);
            alat = true;
        }

        Volatile.Write(ref served, seen);
        return alat;
    }

    // Of what is not known: ranges, and frames in whatever mode.
    private static void PurgeAll(MmuState* mmu)
    {
        Tlb.PurgeAll(mmu);
        FastTlb.Clear(mmu);
    }
}
