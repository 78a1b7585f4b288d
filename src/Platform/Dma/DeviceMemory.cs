namespace FastXen.Platform.Dma;

/// <summary>What a device wants of memory.</summary>
public enum DmaAccess
{
    /// <summary>To read it, for one request.</summary>
    Read,
    /// <summary>To write it, for one request.</summary>
    Write,
    /// <summary>To read and write it for as long as the driver leaves it there: a ring.</summary>
    Ring,
}

/// <summary>
/// Memory as a device that masters the bus reaches it, by the addresses that its driver gives it. What such an address means, and whether the device may go there, is
/// the machine's business: it is asked for each piece, and the piece stays where it is until it is given back. Any thread.
/// </summary>
public abstract unsafe class DeviceMemory
{
    /// <summary>
    /// Takes hold of [address, address + length), all of which is then at <paramref name="host"/>. False, and nothing is held, where the device may not reach all of it
    /// or it is not in one piece. <paramref name="length"/> is positive.
    /// </summary>
    public abstract bool TryHold(ulong address, int length, DmaAccess access, out byte* host);

    /// <summary>Undoes one <see cref="TryHold"/> with the same arguments.</summary>
    public abstract void Release(ulong address, int length, DmaAccess access);

    /// <summary>The device wrote this, which it holds: code there is to be forgotten.</summary>
    public abstract void NotifyWritten(ulong address, int length);
}
