using FastXen.Xen.Memory;

namespace FastXen.Xen.Grants;

// Mapping and unmapping by this domain's vCPUs.
public sealed unsafe partial class GrantTable
{
    private const uint DeviceMap = 1, HostMap = 2, MapReadOnly = 4, ApplicationMap = 8, ContainsPte = 16;

    /// <summary>
    /// GNTTABOP_map_grant_ref: shows another domain's frame at an address of this domain; what was there is freed.
    /// </summary>
    public GrantStatus Map(ulong hostAddress, uint flags, uint reference, ushort owner, out uint handle, out ulong busAddress)
    {
        handle = 0;
        busAddress = 0;
        if ((flags & (DeviceMap | HostMap)) == 0)
            return GrantStatus.BadReference;
        // ia64 knows only mappings into the guest physical space.
        if ((flags & (DeviceMap | ApplicationMap | ContainsPte)) != 0)
            return GrantStatus.GeneralError;
        XenDomain? granter = domain.Directory.Find(owner);
        if (granter == null || !granter.Memory.TryEnter())
            return GrantStatus.BadDomain;
        int place = maptrack.Take();
        try
        {
            if (place < 0)
                return GrantStatus.NoDeviceSpace;
            bool readOnly = (flags & MapReadOnly) != 0;
            GrantStatus status = granter.Grants.Acquire(reference, domain.Id, readOnly, toMap: true, out byte* host);
            if (status != GrantStatus.Okay)
                return status;
            ulong gpfn = hostAddress >> Frame.Shift;
            ref Maptrack.Mapping mapping = ref maptrack.At(place);
            mapping.Owner = granter;
            mapping.Reference = reference;
            mapping.IsReadOnly = readOnly;
            mapping.Gpfn = gpfn;
            mapping.Host = (nint)host;
            if (!domain.Memory.Map(gpfn, FrameKind.Granted, host, !readOnly))
            {
                granter.Grants.Release(reference, readOnly);
                return GrantStatus.GeneralError;
            }
            busAddress = domain.Memory.MachineFrameOf(gpfn) << Frame.Shift;
            handle = (uint)place;
            Volatile.Write(ref mapping.State, Maptrack.Mapped);
            place = -1;
            return GrantStatus.Okay;
        }
        finally
        {
            if (place >= 0)
                maptrack.Return(place);
            granter.Memory.Leave();
        }
    }

    /// <summary>
    /// The first half of GNTTABOP_unmap_grant_ref: takes the mapping out of the domain's memory. If <paramref name="change"/> has a
    /// value, the second half follows: tell the domain's memory of it, then <see cref="EndUnmap"/>. An address of 0 is left alone.
    /// </summary>
    public GrantStatus BeginUnmap(ulong hostAddress, ulong busAddress, uint handle, out P2mChange? change)
    {
        change = null;
        if (!maptrack.TryClaim(handle))
            return GrantStatus.BadHandle;
        ref Maptrack.Mapping mapping = ref maptrack.At((int)handle);
        GrantStatus status = GrantStatus.Okay;
        if (busAddress >> Frame.Shift is not 0 and var bus && bus != domain.Memory.MachineFrameOf(mapping.Gpfn))
        {
            status = GrantStatus.GeneralError;
        }
        else if (hostAddress != 0)
        {
            if (hostAddress >> Frame.Shift == mapping.Gpfn
                && domain.Memory.Unmap(mapping.Gpfn, FrameKind.Granted, (byte*)mapping.Host, out P2mChange gone))
            {
                change = gone;
                return GrantStatus.Okay;
            }
            status = GrantStatus.GeneralError;
        }
        Volatile.Write(ref mapping.State, Maptrack.Mapped);
        return status;
    }

    /// <summary>The second half of an unmap, when no vCPU can use the mapping any more.</summary>
    public void EndUnmap(uint handle)
    {
        ref Maptrack.Mapping mapping = ref maptrack.At((int)handle);
        mapping.Owner!.Grants.Release(mapping.Reference, mapping.IsReadOnly);
        maptrack.Return((int)handle);
    }

    /// <summary>Undoes all mappings of a domain whose vCPUs have stopped.</summary>
    internal void UnmapAll()
    {
        for (uint handle = 0; handle < (uint)maptrack.Count; handle++)
        {
            if (!maptrack.TryClaim(handle))
                continue;
            ref Maptrack.Mapping mapping = ref maptrack.At((int)handle);
            if (domain.Memory.Unmap(mapping.Gpfn, FrameKind.Granted, (byte*)mapping.Host, out P2mChange change))
                domain.Memory.Tell(new ReadOnlySpan<P2mChange>(in change));
            EndUnmap(handle);
        }
    }
}
