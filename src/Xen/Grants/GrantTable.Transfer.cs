using FastXen.Xen.Memory;

namespace FastXen.Xen.Grants;

// Giving frames away, and copying.
public sealed unsafe partial class GrantTable
{
    private const ushort SourceIsReference = 1, DestinationIsReference = 2;

    /// <summary>
    /// GNTTABOP_transfer: gives the content of a frame to a domain that has an entry for it. On ia64 the caller's frame number gets a new,
    /// empty frame at once. Its content is lost to the caller even if the transfer fails, unless the frame was bad.
    /// </summary>
    public GrantStatus Transfer(ulong gpfn, ushort receiver, uint reference)
    {
        DomainMemory memory = domain.Memory;
        // Frames that somebody else maps cannot be given away.
        if (memory.Lookup(gpfn).Kind != FrameKind.Ram || memory.IsPinned(gpfn) || !memory.TryPin(gpfn, out byte* content))
            return GrantStatus.BadPage;
        XenDomain? target = domain.Directory.Find(receiver);
        GrantStatus status = GrantStatus.BadDomain;
        if (target != null && target.Memory.TryEnter())
        {
            bool isReceived = target.Grants.Receive(reference, domain.Id, new ReadOnlySpan<byte>(content, Frame.Size));
            status = isReceived ? GrantStatus.Okay : GrantStatus.GeneralError;
            target.Memory.Leave();
        }
        new Span<byte>(content, Frame.Size).Clear();
        memory.NotifyWritten(gpfn);
        memory.Unpin(gpfn);
        return status;
    }

    // The content may be shorter than the frame.
    private bool Receive(uint reference, ushort giver, ReadOnlySpan<byte> content)
    {
        if (domain.IsDying || domain.Memory.Populated >= domain.Memory.Maximum || CheckReference(reference) != GrantStatus.Okay)
            return false;
        ref ActiveGrant grant = ref ActiveAt(reference);
        grant.Enter();
        try
        {
            if (grant.IsUsed)
                return false;
            Entry* entry = EntryAt(reference);
            uint gpfn = Volatile.Read(ref entry->Frame);
            // Everything that can fail comes before the guest is told that a frame is on its way: it waits for it then.
            bool isNew = domain.Memory.Populate(gpfn);
            if (!domain.Memory.TryPin(gpfn, out byte* host))
                return false;
            uint expected = (uint)TransferFlags.Accept | (uint)giver << 16;
            bool isAccepted = expected == Interlocked.CompareExchange(
                ref entry->FlagsAndDomain, expected | (uint)TransferFlags.Committed, expected);
            if (isAccepted)
            {
                var frame = new Span<byte>(host, Frame.Size);
                content.CopyTo(frame);
                frame[content.Length..].Clear();
                domain.Memory.NotifyWritten(gpfn);
                Volatile.Write(ref entry->Frame, (uint)domain.Memory.MachineFrameOf(gpfn));
                Interlocked.Or(ref entry->FlagsAndDomain, (uint)TransferFlags.Completed);
            }
            domain.Memory.Unpin(gpfn);
            if (isNew && !isAccepted)
                domain.Memory.Release(gpfn);
            return isAccepted;
        }
        finally
        {
            grant.Leave();
        }
    }

    /// <summary>One end of a copy: a frame of the caller's, or a grant reference of <paramref name="Domain"/>.</summary>
    public readonly record struct CopyEnd(ulong FrameOrReference, ushort Domain, ushort Offset);

    /// <summary>GNTTABOP_copy: copies inside of a frame each, between frames of the caller and frames granted to it.</summary>
    public GrantStatus Copy(in CopyEnd source, in CopyEnd destination, ushort length, ushort flags)
    {
        if (source.Offset + length > Frame.Size || destination.Offset + length > Frame.Size)
            return GrantStatus.BadCopyArgument;
        bool fromReference = (flags & SourceIsReference) != 0, toReference = (flags & DestinationIsReference) != 0;
        if (source.Domain != DomainIds.Self && !fromReference || destination.Domain != DomainIds.Self && !toReference)
            return GrantStatus.PermissionDenied;
        GrantStatus status = Open(source, fromReference, readOnly: true, out XenDomain? giver, out byte* from);
        if (status != GrantStatus.Okay)
            return status;
        status = Open(destination, toReference, readOnly: false, out XenDomain? taker, out byte* to);
        if (status == GrantStatus.Okay)
        {
            // The ends may be the same frame.
            Buffer.MemoryCopy(from + source.Offset, to + destination.Offset, length, length);
            Close(destination, toReference, readOnly: false, taker!);
        }
        Close(source, fromReference, readOnly: true, giver!);
        return status;
    }

    private GrantStatus Open(in CopyEnd end, bool isReference, bool readOnly, out XenDomain? owner, out byte* host)
    {
        host = null;
        owner = end.Domain == DomainIds.Self ? domain : domain.Directory.Find(end.Domain);
        if (owner == null)
            return GrantStatus.BadDomain;
        if (!isReference)
            return owner.Memory.TryPin(end.FrameOrReference, out host) ? GrantStatus.Okay : GrantStatus.GeneralError;
        if (!owner.Memory.TryEnter())
            return GrantStatus.BadDomain;
        GrantStatus status = owner.Grants.Acquire((uint)end.FrameOrReference, domain.Id, readOnly, toMap: false, out host);
        owner.Memory.Leave();
        return status;
    }

    private static void Close(in CopyEnd end, bool isReference, bool readOnly, XenDomain owner)
    {
        if (isReference)
        {
            owner.Grants.Release((uint)end.FrameOrReference, readOnly);
            return;
        }
        if (!readOnly)
            owner.Memory.NotifyWritten(end.FrameOrReference);
        owner.Memory.Unpin(end.FrameOrReference);
    }
}
