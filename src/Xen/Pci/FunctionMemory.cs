using FastXen.Platform.Dma;
using FastXen.Xen.Memory;

namespace FastXen.Xen.Pci;

/// <summary>
/// Memory as a device of a domain's reaches it: drivers give it machine addresses, and it may go where its domain may: to the domain's own RAM, and to frames of others
/// that the domain has mapped, with the rights of those mappings. Rings lie in the domain's own RAM. What it holds is pinned.
/// </summary>
internal sealed unsafe class FunctionMemory(DomainMemory domain) : DeviceMemory
{
    // Of one piece: what it takes to pin it is done while others wait for the device.
    private const int MostBytes = 4 << 20;

    /// <inheritdoc/>
    public override bool TryHold(ulong address, int length, DmaAccess access, out byte* host)
    {
        host = null;
        ulong last = address + (uint)length - 1;
        if (length is <= 0 or > MostBytes || last < address)
            return false;
        ulong first = address >> Frame.Shift;
        for (ulong mfn = first; mfn <= last >> Frame.Shift; mfn++)
        {
            bool found = domain.TryBeginDevice(mfn, access != DmaAccess.Read, access == DmaAccess.Ring, out byte* frame);
            // Machine frames are contiguous in the host as long as they are of one domain.
            if (found && (mfn == first || frame == host + ((mfn - first) << Frame.Shift)))
            {
                host = mfn == first ? frame : host;
                continue;
            }

            if (found)
                domain.EndDevice(mfn, frame, access != DmaAccess.Read);
            End(first, mfn, host, access);
            host = null;
            return false;
        }

        host += address & (Frame.Size - 1);
        return true;
    }

    /// <inheritdoc/>
    public override void Release(ulong address, int length, DmaAccess access)
    {
        ulong first = address >> Frame.Shift;
        End(first, (address + (uint)length - 1 >> Frame.Shift) + 1, domain.DeviceFrame(first), access);
    }

    /// <inheritdoc/>
    public override void NotifyWritten(ulong address, int length) => domain.NotifyDeviceWrote(address, length);

    private void End(ulong first, ulong end, byte* host, DmaAccess access)
    {
        for (ulong mfn = first; mfn < end; mfn++, host += Frame.Size)
            domain.EndDevice(mfn, host, access != DmaAccess.Read);
    }
}
