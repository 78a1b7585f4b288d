using FastXen.Xen.Memory;

namespace FastXen.Xen.Grants;

// Uses of this domain's grants by the host's own backends: grants to DomainIds.Host. Any thread; nothing is allocated.
public sealed unsafe partial class GrantTable
{
    /// <summary>
    /// Pins a granted frame for the host. Its address is good until <see cref="UnmapFromHost(uint, bool)"/>, which must follow once for
    /// each map, even if the domain ends the grant, gives up the frame, or dies meanwhile.
    /// </summary>
    public GrantStatus MapToHost(uint reference, bool isReadOnly, out byte* frame) =>
        AcquireForHost(reference, isReadOnly, toMap: true, out frame);

    /// <summary>Undoes a map, with the same rights.</summary>
    public void UnmapFromHost(uint reference, bool isReadOnly) => Release(reference, isReadOnly);

    /// <summary>Maps all of the grants or, when one cannot be mapped, none.</summary>
    public GrantStatus MapToHost(Span<HostGrant> grants)
    {
        for (int i = 0; i < grants.Length; i++)
        {
            ref HostGrant grant = ref grants[i];
            GrantStatus status = MapToHost(grant.Reference, grant.IsReadOnly, out grant.Frame);
            if (status != GrantStatus.Okay)
            {
                UnmapFromHost(grants[..i]);
                return status;
            }
        }
        return GrantStatus.Okay;
    }

    /// <summary>Undoes the maps.</summary>
    public void UnmapFromHost(ReadOnlySpan<HostGrant> grants)
    {
        foreach (ref readonly HostGrant grant in grants)
            UnmapFromHost(grant.Reference, grant.IsReadOnly);
    }

    /// <summary>Copies from a granted frame, from a byte offset on.</summary>
    public GrantStatus CopyToHost(uint reference, int offset, Span<byte> destination)
    {
        if ((uint)offset > Frame.Size || destination.Length > Frame.Size - offset)
            return GrantStatus.BadCopyArgument;
        GrantStatus status = AcquireForHost(reference, readOnly: true, toMap: false, out byte* frame);
        if (status != GrantStatus.Okay)
            return status;
        new ReadOnlySpan<byte>(frame + offset, destination.Length).CopyTo(destination);
        Release(reference, readOnly: true);
        return GrantStatus.Okay;
    }

    /// <summary>Copies to a granted frame, from a byte offset on.</summary>
    public GrantStatus CopyFromHost(ReadOnlySpan<byte> source, uint reference, int offset)
    {
        if ((uint)offset > Frame.Size || source.Length > Frame.Size - offset)
            return GrantStatus.BadCopyArgument;
        GrantStatus status = AcquireForHost(reference, readOnly: false, toMap: false, out byte* frame);
        if (status != GrantStatus.Okay)
            return status;
        source.CopyTo(new Span<byte>(frame + offset, source.Length));
        Release(reference, readOnly: false);
        return GrantStatus.Okay;
    }

    /// <summary>
    /// Gives the domain a frame with this content (at most a frame; zeros behind it), through an entry that accepts one from the host.
    /// </summary>
    public GrantStatus TransferFromHost(ReadOnlySpan<byte> content, uint reference)
    {
        if (content.Length > Frame.Size)
            return GrantStatus.BadCopyArgument;
        if (!domain.Memory.TryEnter())
            return GrantStatus.BadDomain;
        bool isReceived = Receive(reference, DomainIds.Host, content);
        domain.Memory.Leave();
        return isReceived ? GrantStatus.Okay : GrantStatus.GeneralError;
    }

    private GrantStatus AcquireForHost(uint reference, bool readOnly, bool toMap, out byte* frame)
    {
        frame = null;
        if (!domain.Memory.TryEnter())
            return GrantStatus.BadDomain;
        GrantStatus status = Acquire(reference, DomainIds.Host, readOnly, toMap, out frame);
        domain.Memory.Leave();
        return status;
    }
}
