using System.Diagnostics.CodeAnalysis;
using FastXen.Mmu;

namespace FastXen.Xen.Memory;

/// <summary>
/// The memory of a domain as its guest physical addresses show it: own frames in an arena (frame n at arena base + n * 16 KiB),
/// the hypervisor's window at 1 &lt;&lt; 40, frames of other domains, device windows, holes. All members may be called from any thread
/// unless they say otherwise; none takes a lock on the way to an existing entry.
/// </summary>
/// <remarks>
/// Frames of other domains that are mapped here are for this domain's vCPUs only: the hypervisor itself reads and writes a guest's
/// arguments in the guest's own frames alone, because those cannot go away under it. The arena lives until the domain was destroyed
/// and the last pin of another party is gone.
/// </remarks>
[SuppressMessage("Design", "CA1001", Justification = "Freed when the last reference goes: Destroy and Unpin.")]
public sealed unsafe partial class DomainMemory
{
    // Outside of RAM a guest may spread mappings over this many leaves of 64 MiB each (64 KiB of host memory).
    private const int SpareLeaves = 256;

    private readonly PhysicalMemory arena;
    private readonly MachineFrames machine;
    private readonly P2mTable table;
    private readonly ulong arenaFrames;
    private readonly ulong arenaMachine, windowMachine;
    private readonly byte* windowAllocation;
    private long references = 1;
    private long populated;
    private long maximum;

    /// <summary>
    /// Memory over an arena, which it owns from now on. All of the arena's span must have been made RAM there; nothing of it is in the
    /// domain until it is populated.
    /// </summary>
    public DomainMemory(PhysicalMemory arena, MachineFrames machine)
    {
        ArgumentNullException.ThrowIfNull(arena);
        ArgumentNullException.ThrowIfNull(machine);
        if (!arena.IsRam(0, arena.Span))
            throw new ArgumentException($"the arena of 0x{arena.Span:x} bytes is not RAM throughout", nameof(arena));
        this.arena = arena;
        this.machine = machine;
        arenaFrames = arena.Span >> Frame.Shift;
        maximum = (long)arenaFrames;
        table = new P2mTable((int)(arenaFrames >> 12) + 1 + SpareLeaves);
        windowAllocation = HostPages.Allocate(Frame.WindowFrames);
        arenaMachine = machine.Add(this, arenaFrames, 0, arena.Base);
        windowMachine = machine.Add(this, Frame.WindowFrames, Frame.WindowStart, HostPages.Align(windowAllocation));
    }

    /// <summary>Who must forget translations that are gone. Set before the domain runs.</summary>
    public IP2mObserver? Observer { get; set; }

    /// <summary>What each own frame is taken from, and given back to when nobody uses it any more; null: its memory was set aside for it. Set before it has any.</summary>
    public MemoryBudget? Budget { get; init; }

    /// <summary>Own frames in the domain (tot_pages).</summary>
    public long Populated => Volatile.Read(ref populated);

    /// <summary>One past the highest own frame's number.</summary>
    public ulong EndOfRam
    {
        get
        {
            ulong end = arenaFrames;
            while (end > 0 && Lookup(end - 1).Kind != FrameKind.Ram)
                end--;
            return end;
        }
    }

    /// <summary>How many own frames it may have (max_pages); at most the arena's.</summary>
    public long Maximum
    {
        get => Volatile.Read(ref maximum);
        set => Volatile.Write(ref maximum, value);
    }

    /// <summary>Own frames that could be populated: one past the highest number.</summary>
    public ulong ArenaFrames => arenaFrames;

    /// <summary>The domain was destroyed; others may still hold pins.</summary>
    public bool IsDestroyed { get; private set; }

    /// <summary>What is at a frame number.</summary>
    public P2mEntry Lookup(ulong gpfn)
    {
        P2mSlot* slot = table.Find(gpfn);
        return slot == null ? default : new P2mEntry(Volatile.Read(ref slot->Mapping));
    }

    /// <summary>
    /// What is at a frame number, for a TLB slot that will hold it. <paramref name="cacher"/> names the slot in the domain: not 0 and
    /// not <see cref="P2mChange.Many"/>. A change that follows is told to the <see cref="Observer"/> with that name.
    /// </summary>
    /// <remarks>The vCPU must not serve purges between this call and the filling of the slot: a purge of the entry comes after.</remarks>
    public P2mEntry LookupToCache(ulong gpfn, uint cacher)
    {
        P2mSlot* slot = table.Find(gpfn);
        if (slot == null)
            return default;
        while (true)
        {
            ulong word = Volatile.Read(ref slot->Mapping);
            var entry = new P2mEntry(word);
            if (entry.Host == null)
                return entry;
            uint cached = Volatile.Read(ref slot->CachedBy);
            while (cached != cacher && cached != P2mSlot.CachedByMany)
            {
                uint next = cached == P2mSlot.NotCached ? cacher : P2mSlot.CachedByMany;
                uint seen = Interlocked.CompareExchange(ref slot->CachedBy, next, cached);
                cached = seen == cached ? next : seen;
            }
            // Whoever replaces the word does it before it takes the name; so either it finds the name or the word is seen to differ.
            Interlocked.MemoryBarrier();
            if (Volatile.Read(ref slot->Mapping) == word)
                return entry;
        }
    }

    /// <summary>The machine frame behind a frame number, or <see cref="Frame.Invalid"/>.</summary>
    public ulong MachineFrameOf(ulong gpfn)
    {
        P2mEntry entry = Lookup(gpfn);
        return entry.Kind switch
        {
            FrameKind.Ram => arenaMachine + gpfn,
            FrameKind.Fixed => windowMachine + (gpfn - Frame.WindowStart),
            FrameKind.Granted or FrameKind.Foreign => machine.FrameAt(entry.Host),
            _ => Frame.Invalid,
        };
    }

    /// <summary>
    /// Ends the domain's own hold on its memory, when its vCPUs are gone and its mappings of other domains' frames were undone.
    /// Pins of others keep the frames until they are undone.
    /// </summary>
    public void Destroy()
    {
        if (IsDestroyed)
            return;
        IsDestroyed = true;
        Leave();
    }

    /// <summary>Keeps the memory from going away, for a short use by another domain's vCPU. False when it is gone.</summary>
    internal bool TryEnter()
    {
        long count = Volatile.Read(ref references);
        while (count > 0)
        {
            long seen = Interlocked.CompareExchange(ref references, count + 1, count);
            if (seen == count)
                return true;
            count = seen;
        }
        return false;
    }

    /// <summary>Undoes <see cref="TryEnter"/>.</summary>
    internal void Leave()
    {
        if (Interlocked.Decrement(ref references) != 0)
            return;
        machine.Remove(this);
        Budget?.Return((ulong)Populated << Frame.Shift);
        table.Free();
        HostPages.Free(windowAllocation, Frame.WindowFrames);
        FreeExposed();
        arena.Dispose();
    }
}
