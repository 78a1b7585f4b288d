namespace FastXen.Platform.Uart;

public sealed partial class Uart16550
{
    private static class InterruptEnable
    {
        public const byte Received = 1;
        public const byte TransmitEmpty = 2;
        public const byte LineStatus = 4;
        public const byte ModemStatus = 8;
        public const byte All = 0x0f;
    }

    private static class InterruptId
    {
        public const byte ModemStatus = 0x00;
        public const byte None = 0x01;
        public const byte TransmitEmpty = 0x02;
        public const byte Received = 0x04;
        public const byte LineStatus = 0x06;
        public const byte Timeout = 0x0c;
        public const byte FifoEnabled = 0xc0;
    }

    private static class ModemControl
    {
        public const byte Dtr = 0x01;
        public const byte Rts = 0x02;
        public const byte Out1 = 0x04;
        public const byte Out2 = 0x08;
        public const byte Loop = 0x10;
        public const byte All = 0x1f;
    }

    private static class ModemStatus
    {
        public const byte TrailingRing = 0x04;
        public const byte Cts = 0x10;
        public const byte Dsr = 0x20;
        public const byte Ring = 0x40;
        public const byte Dcd = 0x80;
    }

    private static class LineStatus
    {
        public const byte DataReady = 0x01;
        public const byte Overrun = 0x02;
        public const byte HoldingEmpty = 0x20;
        public const byte TransmitterEmpty = 0x40;
    }

    private static ReadOnlySpan<byte> TriggerLevels => [1, 4, 8, 14];

    /// <inheritdoc/>
    public uint Read(ushort port, int size)
    {
        lock (gate)
        {
            uint value = 0;
            for (int i = 0; i < size; i++)
                value |= (uint)ReadRegister(port - basePort + i) << (8 * i);
            Update();
            return value;
        }
    }

    /// <inheritdoc/>
    public string Name => "uart";

    /// <inheritdoc/>
    public void Write(ushort port, int size, uint value)
    {
        lock (gate)
        {
            for (int i = 0; i < size; i++)
                WriteRegister(port - basePort + i, (byte)(value >> (8 * i)));
            Update();
        }
    }

    private byte ReadRegister(int register) => register switch
    {
        0 => DivisorAccess ? divisorLow : ReadReceived(),
        1 => DivisorAccess ? divisorHigh : interruptEnable,
        2 => ReadInterruptId(),
        3 => lineControl,
        4 => modemControl,
        5 => ReadLineStatus(),
        6 => ReadModemStatus(),
        7 => scratch,
        _ => 0xff,
    };

    private void WriteRegister(int register, byte value)
    {
        switch (register)
        {
            case 0 when DivisorAccess:
                divisorLow = value;
                break;
            case 0:
                Transmit(value);
                break;
            case 1 when DivisorAccess:
                divisorHigh = value;
                break;
            case 1:
                // Enabling the interrupt while the holding register is empty raises it (8250 drivers start transmission so).
                bool enabled = (value & ~interruptEnable & InterruptEnable.TransmitEmpty) != 0;
                interruptEnable = (byte)(value & InterruptEnable.All);
                if (enabled && transmitter.HasRoom)
                    transmitEmptyPending = true;
                break;
            case 2:
                WriteFifoControl(value);
                break;
            case 3:
                lineControl = value;
                break;
            case 4:
                WriteModemControl((byte)(value & ModemControl.All));
                break;
            case 7:
                scratch = value;
                break;
        }
    }

    private byte ReadReceived() => Received > 0 && (Loopback ? loop : input).TryDequeue(out byte value) ? value : (byte)0;

    private byte ReadInterruptId()
    {
        byte pending = PendingInterrupt();
        if (pending == InterruptId.TransmitEmpty)
            transmitEmptyPending = false;
        return (byte)(pending | (fifoEnabled ? InterruptId.FifoEnabled : 0));
    }

    private byte ReadLineStatus()
    {
        byte status = 0;
        if (Received > 0)
            status |= LineStatus.DataReady;
        if (overrun)
            status |= LineStatus.Overrun;
        if (transmitter.HasRoom)
            status |= LineStatus.HoldingEmpty | LineStatus.TransmitterEmpty;
        overrun = false;
        return status;
    }

    private byte ReadModemStatus()
    {
        byte status = (byte)(ModemLines(modemControl) | modemDeltas);
        modemDeltas = 0;
        return status;
    }

    private void Transmit(byte value)
    {
        transmitEmptyPending = false;
        if (Loopback)
        {
            if (loop.Count < Depth)
                loop.Enqueue([value]);
            else
                overrun = true;
            transmitEmptyPending = true;
        }
        else
        {
            transmitEmptyPending = transmitter.Send(value);
        }
    }

    private void WriteFifoControl(byte value)
    {
        bool enable = (value & 1) != 0;
        if (enable != fifoEnabled || (value & 2) != 0)
        {
            loop.Clear();
            overrun = false;
        }
        fifoEnabled = enable;
        trigger = enable ? TriggerLevels[value >> 6] : 1;
    }

    private void WriteModemControl(byte value)
    {
        if (((modemControl ^ value) & ModemControl.Loop) != 0)
            loop.Clear();
        byte before = ModemLines(modemControl);
        modemControl = value;
        byte after = ModemLines(value);
        byte changed = (byte)(before ^ after);
        modemDeltas |= (byte)((changed & (ModemStatus.Cts | ModemStatus.Dsr | ModemStatus.Dcd)) >> 4);
        if ((before & ~after & ModemStatus.Ring) != 0)
            modemDeltas |= ModemStatus.TrailingRing;
    }

    // In loopback the modem inputs follow the modem outputs; else a terminal is there and ready.
    private static byte ModemLines(byte control)
    {
        if ((control & ModemControl.Loop) == 0)
            return ModemStatus.Cts | ModemStatus.Dsr | ModemStatus.Dcd;
        byte lines = 0;
        if ((control & ModemControl.Rts) != 0)
            lines |= ModemStatus.Cts;
        if ((control & ModemControl.Dtr) != 0)
            lines |= ModemStatus.Dsr;
        if ((control & ModemControl.Out1) != 0)
            lines |= ModemStatus.Ring;
        if ((control & ModemControl.Out2) != 0)
            lines |= ModemStatus.Dcd;
        return lines;
    }
}
