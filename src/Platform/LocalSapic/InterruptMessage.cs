using FastXen.Events;

namespace FastXen.Platform.LocalSapic;

/// <summary>An interrupt message to a processor, from an IOSAPIC, another processor or a device's MSI (manual volume 2, 5.8.4).</summary>
public readonly record struct InterruptMessage(int Id, int Eid, int DeliveryMode, byte Vector)
{
    private const ulong BlockMask = 0xFFFF_FFFF_FFF0_0000;

    /// <summary>
    /// The message that a store of <paramref name="data"/> at <paramref name="address"/> sends: address bits 19:12 are the id and
    /// 11:4 the eid of the target, data bits 7:0 the vector and 10:8 the delivery mode. False for an address outside of the block
    /// at <paramref name="block"/>.
    /// </summary>
    public static bool TryDecode(ulong block, ulong address, uint data, out InterruptMessage message)
    {
        message = new InterruptMessage((byte)(address >> 12), (byte)(address >> 4), (int)(data >> 8) & 7, (byte)data);
        return (address & BlockMask) == block;
    }

    /// <summary>
    /// Posts the message. Lowest-priority delivery goes to the processor that is named; reserved delivery modes send nothing.
    /// </summary>
    public void PostTo(IInterruptSink sink)
    {
        switch (DeliveryMode)
        {
            case 0 or 1:
                sink.Post(Id, Eid, 0, Vector);
                break;
            case 2 or 4 or 5 or 7:
                sink.Post(Id, Eid, DeliveryMode, Vector);
                break;
        }
    }
}
