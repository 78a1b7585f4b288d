using System.Runtime.InteropServices;
using FastXen.Xen.Memory;

namespace FastXen.Xen.Grants;

/// <summary>
/// The grant table (version 1) of a domain, which it shares with the hypervisor, and the domain's mappings of other domains' grants.
/// </summary>
/// <remarks>
/// An entry in use is recorded apart (the guest may scribble over the entry), under a lock of that entry alone; the frame is pinned
/// from the first use to the last, so that neither ending the grant, nor ballooning, nor the death of the granting domain takes it
/// from under a mapping. A mapping goes from the frame table first, then from all TLBs of the mapping domain, and only then is the
/// use undone.
/// </remarks>
public sealed unsafe partial class GrantTable
{
    /// <summary>Entries of a frame.</summary>
    public const int EntriesPerFrame = Frame.Size / 8;

    /// <summary>Frame number of the table's first frame: behind shared_info and the mapped_regs of 64 vCPUs.</summary>
    public const ulong FirstFrame = Frame.WindowStart + 1 + XenDomain.MaximumVcpus;

    // A table has at least as many once it was set up.
    private const int InitialFrames = 4;

    // A guest can change an entry faster than we can update it: then it gets an error.
    private const int Attempts = 5;

    private readonly XenDomain domain;
    private readonly GrantLimits limits;
    private readonly Maptrack maptrack;
    private readonly Lock growth = new();
    private readonly nint[] shared;
    private readonly ActiveGrant[]?[] active;
    private volatile int frames;

    internal GrantTable(XenDomain domain, GrantLimits limits)
    {
        this.domain = domain;
        this.limits = limits;
        maptrack = new Maptrack(limits.Mappings);
        shared = new nint[limits.Frames];
        active = new ActiveGrant[]?[limits.Frames];
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Entry
    {
        public uint FlagsAndDomain;
        public uint Frame;
    }

    /// <summary>Frames of the table (query_size).</summary>
    public int Frames => Math.Max(frames, InitialFrames);

    /// <summary>How many it may have.</summary>
    public int MaximumFrames => limits.Frames;

    /// <summary>GNTTABOP_setup_table: gives the table at least <paramref name="count"/> frames, contiguous from <see cref="FirstFrame"/>.</summary>
    public GrantStatus SetUp(uint count)
    {
        if (count > (uint)limits.Frames)
            return GrantStatus.GeneralError;
        lock (growth)
        {
            int wanted = Math.Min(limits.Frames, Math.Max((int)count, InitialFrames));
            for (int i = frames; i < wanted; i++)
            {
                shared[i] = (nint)domain.Memory.AddFixed(FirstFrame + (uint)i);
                frames = i + 1;
            }
        }
        return GrantStatus.Okay;
    }

    private Entry* EntryAt(uint reference) => (Entry*)shared[reference / EntriesPerFrame] + reference % EntriesPerFrame;

    private ref ActiveGrant ActiveAt(uint reference)
    {
        ref ActiveGrant[]? frame = ref active[reference / EntriesPerFrame];
        if (Volatile.Read(ref frame) == null)
            Interlocked.CompareExchange(ref frame, new ActiveGrant[EntriesPerFrame], null);
        return ref frame![reference % EntriesPerFrame];
    }

    private GrantStatus CheckReference(uint reference)
    {
        int count = frames;
        return count == 0 ? GrantStatus.GeneralError
            : reference >= (uint)count * EntriesPerFrame ? GrantStatus.BadReference
            : GrantStatus.Okay;
    }

    /// <summary>
    /// Begins a use of an entry by another domain; on success the frame is pinned and its entry says so. The caller has entered the
    /// memory of this domain, or is its vCPU.
    /// </summary>
    internal GrantStatus Acquire(uint reference, ushort user, bool readOnly, bool toMap, out byte* host)
    {
        host = null;
        GrantStatus status = CheckReference(reference);
        if (status != GrantStatus.Okay)
            return status;
        if (domain.IsDying)
            return GrantStatus.GeneralError;
        ref ActiveGrant grant = ref ActiveAt(reference);
        grant.Enter();
        try
        {
            bool isUsed = grant.IsUsed;
            if (isUsed && grant.Domain != user || grant.Readers >= ActiveGrant.Limit || grant.Writers >= ActiveGrant.Limit)
                return GrantStatus.GeneralError;
            Entry* entry = EntryAt(reference);
            if ((!isUsed || !readOnly && grant.Writers == 0) && !TryMarkUsed(entry, user, readOnly, toMap, isUsed))
                return GrantStatus.GeneralError;
            if (!isUsed)
            {
                uint gpfn = Volatile.Read(ref entry->Frame);
                if (!domain.Memory.TryPin(gpfn, out host))
                {
                    ClearFlags(entry, GrantFlags.Reading | GrantFlags.Writing);
                    return GrantStatus.GeneralError;
                }
                grant.Domain = user;
                grant.Gpfn = gpfn;
            }
            host = domain.Memory.PinnedFrame(grant.Gpfn);
            if (readOnly)
                grant.Readers++;
            else
                grant.Writers++;
            return GrantStatus.Okay;
        }
        finally
        {
            grant.Leave();
        }
    }

    /// <summary>Ends a use. Nobody may touch the frame through it any more.</summary>
    internal void Release(uint reference, bool readOnly)
    {
        ref ActiveGrant grant = ref ActiveAt(reference);
        grant.Enter();
        // The user may have had a device write it, which on ia64 is coherent with instruction fetch.
        if (!readOnly)
            domain.Memory.NotifyWritten(grant.Gpfn);
        GrantFlags clear = GrantFlags.Invalid;
        if (readOnly)
            grant.Readers--;
        else if (--grant.Writers == 0)
            clear |= GrantFlags.Writing;
        bool isLast = !grant.IsUsed;
        if (isLast)
            clear |= GrantFlags.Reading;
        if (clear != GrantFlags.Invalid)
        {
            // The granting domain sees the flags go when it can have the frame back. The pin has kept the table's memory until now.
            domain.Memory.TryEnter();
            if (isLast)
                domain.Memory.Unpin(grant.Gpfn);
            ClearFlags(EntryAt(reference), clear);
            domain.Memory.Leave();
        }
        grant.Leave();
    }

    private static bool TryMarkUsed(Entry* entry, ushort user, bool readOnly, bool toMap, bool isUsed)
    {
        ref uint word = ref entry->FlagsAndDomain;
        GrantFlags mask = GrantFlags.TypeMask | (toMap ? GrantFlags.SubPage : 0);
        uint old = Volatile.Read(ref word);
        for (int attempt = 0; attempt < Attempts; attempt++)
        {
            var flags = (GrantFlags)old;
            bool fits = isUsed || (flags & mask) == GrantFlags.PermitAccess && old >> 16 == user;
            if (!fits || !readOnly && (flags & GrantFlags.ReadOnly) != 0)
                return false;
            uint next = old | (uint)GrantFlags.Reading | (readOnly ? 0 : (uint)GrantFlags.Writing);
            uint seen = Interlocked.CompareExchange(ref word, next, old);
            if (seen == old)
                return true;
            old = seen;
        }
        return false;
    }

    private static void ClearFlags(Entry* entry, GrantFlags flags) => Interlocked.And(ref entry->FlagsAndDomain, ~(uint)flags);
}
