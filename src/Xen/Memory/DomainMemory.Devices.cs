namespace FastXen.Xen.Memory;

// The domain's memory as devices that were given to it reach it: by machine addresses.
public sealed unsafe partial class DomainMemory
{
    private volatile DeviceReach? deviceReach;

    /// <summary>The domain has devices from now on. Frames of others that it mapped before are out of their reach.</summary>
    internal void AllowDevices()
    {
        if (deviceReach == null)
            Interlocked.CompareExchange(ref deviceReach, new DeviceReach(), null);
    }

    /// <summary>
    /// A device begins to use a machine frame: one of the domain's own RAM, which is pinned, or (unless <paramref name="onlyOwn"/>) one that the domain has mapped with
    /// these rights. False for any other.
    /// </summary>
    internal bool TryBeginDevice(ulong mfn, bool write, bool onlyOwn, out byte* host)
    {
        host = null;
        ulong index = mfn - arenaMachine;
        if (index < arenaFrames)
            return TryPin(index, out host);
        if (onlyOwn || deviceReach is not { } reach || machine.HostOf(mfn) is not (not 0 and var at) || !reach.TryBegin(at, write))
            return false;
        // Now it is pinned by the mapping.
        host = (byte*)at;
        return true;
    }

    /// <summary>Undoes one <see cref="TryBeginDevice"/>; <paramref name="host"/> is what it gave.</summary>
    internal void EndDevice(ulong mfn, byte* host, bool write)
    {
        ulong index = mfn - arenaMachine;
        if (index < arenaFrames)
            Unpin(index);
        else
            deviceReach!.End((nint)host, write);
    }

    /// <summary>Where a machine frame is that a device of the domain's uses.</summary>
    internal byte* DeviceFrame(ulong mfn) => mfn - arenaMachine < arenaFrames ? OwnFrame(mfn - arenaMachine) : (byte*)machine.HostOf(mfn);

    /// <summary>A device wrote to memory at a machine address.</summary>
    internal void NotifyDeviceWrote(ulong machineAddress, int length)
    {
        ulong offset = machineAddress - (arenaMachine << Frame.Shift);
        // Of others' frames their domain hears when the mapping ends.
        if (offset >> Frame.Shift < arenaFrames)
            arena.NotifyWritten(offset, (ulong)length);
    }
}
