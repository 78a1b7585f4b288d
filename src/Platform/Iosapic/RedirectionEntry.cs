namespace FastXen.Platform.Iosapic;

/// <summary>
/// A redirection table entry of an IOSAPIC: vector 7:0, delivery mode 10:8, delivery status 12, polarity 13, remote IRR 14,
/// trigger mode 15 (1 = level), mask 16, destination eid 55:48 and id 63:56.
/// </summary>
public readonly record struct RedirectionEntry(ulong Value)
{
    private const ulong RemoteIrrBit = 1UL << 14;
    private const ulong Writable = 0xFFFF_0000_0001_A7FF;

    /// <summary>The entry after reset: masked.</summary>
    public static RedirectionEntry Reset => new(1UL << 16);

    /// <summary>Vector that is posted.</summary>
    public byte Vector => (byte)Value;

    /// <summary>Delivery mode: 0 fixed, 1 lowest priority, 2 PMI, 4 NMI, 5 INIT, 7 ExtINT.</summary>
    public int DeliveryMode => (int)(Value >> 8) & 7;

    /// <summary>A level-triggered message is waiting for its EOI.</summary>
    public bool RemoteIrr => (Value & RemoteIrrBit) != 0;

    /// <summary>The input is level-triggered.</summary>
    public bool IsLevel => (Value >> 15 & 1) != 0;

    /// <summary>The input is masked.</summary>
    public bool IsMasked => (Value >> 16 & 1) != 0;

    /// <summary>Extended id of the destination processor.</summary>
    public int DestinationEid => (byte)(Value >> 48);

    /// <summary>Id of the destination processor.</summary>
    public int DestinationId => (byte)(Value >> 56);

    /// <summary>The entry with remote IRR as given.</summary>
    public RedirectionEntry WithRemoteIrr(bool set) => new(set ? Value | RemoteIrrBit : Value & ~RemoteIrrBit);

    /// <summary>
    /// The entry after a write of one of its halves. Remote IRR is read-only, but for an edge-triggered entry it has no meaning and is 0.
    /// </summary>
    public RedirectionEntry WithHalf(bool high, uint half)
    {
        ulong merged = high ? (Value & uint.MaxValue) | (ulong)half << 32 : (Value & ~(ulong)uint.MaxValue) | half;
        RedirectionEntry entry = new(merged & Writable);
        return entry.WithRemoteIrr(RemoteIrr && entry.IsLevel);
    }
}
