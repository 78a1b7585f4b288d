namespace FastXen.Platform.Virtio;

public sealed partial class VirtioPciFunction
{
    private const int Bar = 0;
    private const uint BarBytes = 0x8000;
    private const uint CommonStart = 0x0000;
    private const uint CommonBytes = 0x38;
    private const uint IsrStart = 0x1000;
    private const uint DeviceStart = 0x2000;
    private const uint NotifyStart = 0x3000;
    private const uint NotifyBytes = 0x1000;
    private const uint NotifyMultiplier = 4;
    private const uint TableStart = 0x4000;
    private const uint PendingStart = 0x5000;
    private const uint RegionMask = 0xfff;
    private const ushort NoVector = 0xffff;

    private const byte MsixCapability = 0x11;
    private const byte VendorCapability = 0x09;

    private int msixControl;
    private int windowCapability;

    private uint deviceFeatureSelect;
    private uint driverFeatureSelect;
    private ulong accepted;
    private ushort configVector;
    private ushort queueSelect;
    private byte status;

    private static class DeviceStatus
    {
        public const byte DriverOk = 4;
        public const byte FeaturesOk = 8;
        public const byte NeedsReset = 64;
    }

    private void DefineCapabilities()
    {
        AddMemoryBar(Bar, BarBytes);
        if (msix is not null)
        {
            int at = AddCapability(MsixCapability, 12);
            msixControl = at + 2;
            DefineRegister(at + 2, 2, (uint)(msix.Count - 1), 0xc000);
            DefineRegister(at + 4, 4, TableStart | Bar);
            DefineRegister(at + 8, 4, PendingStart | Bar);
        }

        AddStructure(1, CommonStart, CommonBytes, 16);
        AddStructure(3, IsrStart, 1, 16);
        if (device.Config.Length > 0)
            AddStructure(4, DeviceStart, (uint)device.Config.Length, 16);
        DefineRegister(AddStructure(2, NotifyStart, NotifyBytes, 20) + 16, 4, NotifyMultiplier);
        windowCapability = AddStructure(5, 0, 0, 20);
        DefineRegister(windowCapability + 4, 1, 0, 0xff);
        DefineRegister(windowCapability + 8, 4, 0, uint.MaxValue);
        DefineRegister(windowCapability + 12, 4, 0, uint.MaxValue);
    }

    private int AddStructure(byte type, uint offset, uint length, byte capabilityLength)
    {
        int at = AddCapability(VendorCapability, capabilityLength);
        DefineRegister(at + 2, 2, (uint)(capabilityLength | type << 8));
        DefineRegister(at + 4, 1, Bar);
        DefineRegister(at + 8, 4, offset);
        DefineRegister(at + 12, 4, length);
        return at;
    }

    /// <inheritdoc/>
    public override uint ReadConfig(int register, int size) =>
        TryWindow(register, out ulong offset, out int length) ? (uint)ReadBar(Bar, offset, length) : base.ReadConfig(register, size);

    /// <inheritdoc/>
    public override void WriteConfig(int register, int size, uint value)
    {
        if (TryWindow(register, out ulong offset, out int length))
        {
            WriteBar(Bar, offset, length, value);
            return;
        }
        base.WriteConfig(register, size, value);
        if (msix is not null && register <= msixControl + 1 && register + size > msixControl)
            msix.SetControl(base.ReadConfig(msixControl, 2));
    }

    // The data register of the configuration access capability stands for BAR registers (virtio 1.2, 4.1.4.9).
    private bool TryWindow(int register, out ulong offset, out int length)
    {
        offset = 0;
        length = 0;
        if (windowCapability == 0 || register != windowCapability + 16)
            return false;
        offset = base.ReadConfig(windowCapability + 8, 4);
        uint wanted = base.ReadConfig(windowCapability + 12, 4);
        length = (int)wanted;
        return base.ReadConfig(windowCapability + 4, 1) == Bar && wanted is 1 or 2 or 4 && offset % wanted == 0 && offset + wanted <= BarBytes;
    }

    /// <inheritdoc/>
    protected internal override ulong ReadBar(int bar, ulong offset, int size)
    {
        ulong inside = offset & RegionMask;
        return (offset & ~(ulong)RegionMask) switch
        {
            CommonStart => ReadCommon(inside, size),
            IsrStart => inside == 0 ? TakeIsr() : 0UL,
            DeviceStart => ReadDevice(inside, size),
            TableStart => msix?.ReadTable(inside, size) ?? 0,
            PendingStart => msix?.ReadPending(inside, size) ?? 0,
            _ => 0,
        };
    }

    /// <inheritdoc/>
    protected internal override void WriteBar(int bar, ulong offset, int size, ulong value)
    {
        ulong inside = offset & RegionMask;
        switch (offset & ~(ulong)RegionMask)
        {
            case CommonStart:
                lock (gate)
                {
                    if (!stopping)
                        WriteCommon(inside, size, value);
                }

                break;
            case NotifyStart:
                ulong queue = inside / NotifyMultiplier;
                if (queue < (ulong)queues.Length)
                    Signal((int)queue);
                break;
            case TableStart:
                msix?.WriteTable(inside, size, value);
                break;
        }
    }

    private ulong ReadDevice(ulong offset, int size)
    {
        ReadOnlySpan<byte> config = device.Config;
        ulong value = 0;
        for (int i = 0; i < size && offset + (ulong)i < (ulong)config.Length; i++)
            value |= (ulong)config[(int)offset + i] << (8 * i);
        return value;
    }

    private ulong ReadCommon(ulong offset, int size)
    {
        // Status is polled while the device may be at work: no lock.
        if (offset == 20)
            return Volatile.Read(ref status);
        lock (gate)
        {
            VirtQueue? queue = queueSelect < queues.Length ? queues[queueSelect] : null;
            return offset switch
            {
                0 => deviceFeatureSelect,
                4 => deviceFeatureSelect < 2 ? (uint)(offered >> (int)(32 * deviceFeatureSelect)) : 0,
                8 => driverFeatureSelect,
                12 => driverFeatureSelect < 2 ? (uint)(accepted >> (int)(32 * driverFeatureSelect)) : 0,
                16 => configVector,
                18 => (uint)queues.Length,
                22 => queueSelect,
                24 => (uint)(queue?.Size ?? 0),
                26 => queue?.Vector ?? NoVector,
                28 => queue is { Enabled: true } ? 1u : 0,
                30 => queueSelect,
                32 => Part(queue?.DescriptorArea ?? 0, size),
                36 => (queue?.DescriptorArea ?? 0) >> 32,
                40 => Part(queue?.DriverArea ?? 0, size),
                44 => (queue?.DriverArea ?? 0) >> 32,
                48 => Part(queue?.DeviceArea ?? 0, size),
                52 => (queue?.DeviceArea ?? 0) >> 32,
                _ => 0,
            };
        }
    }

    private void WriteCommon(ulong offset, int size, ulong value)
    {
        switch (offset)
        {
            case 0:
                deviceFeatureSelect = (uint)value;
                return;
            case 8:
                driverFeatureSelect = (uint)value;
                return;
            case 12:
                WriteDriverFeatures((uint)value);
                return;
            case 16:
                configVector = Vector(value);
                return;
            case 20:
                WriteStatus((byte)value);
                return;
            case 22:
                queueSelect = (ushort)value;
                return;
        }
        if (queueSelect >= queues.Length)
            return;
        VirtQueue queue = queues[queueSelect];
        if (offset == 26)
        {
            queue.Vector = Vector(value);
            return;
        }
        if (queue.Enabled)
            return;
        switch (offset)
        {
            case 24:
                queue.Size = (ushort)value;
                break;
            case 28 when (ushort)value == 1:
                queue.Enable((accepted & IndirectDescriptors) != 0, (accepted & EventIndex) != 0);
                if (queue.Broken)
                    Break();
                break;
            case 32 or 36:
                queue.DescriptorArea = Merge(queue.DescriptorArea, offset, size, value);
                break;
            case 40 or 44:
                queue.DriverArea = Merge(queue.DriverArea, offset, size, value);
                break;
            case 48 or 52:
                queue.DeviceArea = Merge(queue.DeviceArea, offset, size, value);
                break;
        }
    }

    private void WriteDriverFeatures(uint value)
    {
        if (driverFeatureSelect > 1 || (status & DeviceStatus.FeaturesOk) != 0)
            return;
        int shift = (int)(32 * driverFeatureSelect);
        Volatile.Write(ref accepted, (accepted & ~((ulong)uint.MaxValue << shift)) | (ulong)value << shift);
    }

    private void WriteStatus(byte value)
    {
        if (value == 0)
        {
            ResetDevice();
            return;
        }
        bool agreeable = (accepted & ~offered) == 0 && (accepted & Version1) != 0;
        if ((value & ~status & DeviceStatus.FeaturesOk) != 0 && !agreeable)
            value &= unchecked((byte)~DeviceStatus.FeaturesOk);
        bool starts = (value & ~status & DeviceStatus.DriverOk) != 0;
        Volatile.Write(ref status, (byte)(value | status & DeviceStatus.NeedsReset));
        // Requests may have been queued before the device was live.
        for (int i = 0; starts && i < queues.Length; i++)
            Signal(i);
    }

    private ushort Vector(ulong value) => (ushort)value < (msix?.Count ?? 0) ? (ushort)value : NoVector;

    private static ulong Part(ulong value, int size) => size == 8 ? value : (uint)value;

    // Addresses are written whole, or as two halves.
    private static ulong Merge(ulong old, ulong offset, int size, ulong value) => (offset & 4, size) switch
    {
        (0, 8) => value,
        (0, _) => (old & ~(ulong)uint.MaxValue) | (uint)value,
        _ => (uint)old | value << 32,
    };
}
