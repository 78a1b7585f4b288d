using FastXen.Events;
using FastXen.Platform.Ports;

namespace FastXen.Platform.AcpiPm;

/// <summary>
/// The fixed hardware of ACPI (ACPI specification, 4.8): PM1a event and control registers, the power button, the power
/// management timer and the reset register. Always in ACPI mode. Ports from <see cref="MachineMap.PmEventPort"/>.
/// </summary>
public sealed class PowerManagement : IPortDevice
{
    /// <summary>What has to be written to the reset register.</summary>
    public const byte ResetValue = 1;

    private const long TimerFrequency = 3_579_545;
    private const uint TimerStatus = 1 << 0, GlobalLockStatus = 1 << 5, PowerButtonStatus = 1 << 8, SleepButtonStatus = 1 << 9, WakeStatus = 1 << 15;
    private const uint StatusBits = TimerStatus | GlobalLockStatus | PowerButtonStatus | SleepButtonStatus | WakeStatus;
    private const uint EnableBits = TimerStatus | GlobalLockStatus | PowerButtonStatus | SleepButtonStatus;
    private const uint SciEnabled = 1 << 0, SleepEnable = 1 << 13;
    private const int SleepTypeShift = 10;

    private readonly TimeProvider time;
    private readonly InterruptLine? interrupt;
    private readonly Action powerOff;
    private readonly Action reset;
    private readonly long start;
    private readonly Lock gate = new();
    // Bytes of the registers that hold state, by offset from the first port: status 0-1, enable 2-3, control 4-5.
    private uint status, enable, control;

    /// <summary>Makes the device. The actions run on the thread of the vCPU that wrote the register.</summary>
    /// <param name="time">Source of the timer.</param>
    /// <param name="interrupt">The system control interrupt, <see cref="MachineMap.SciGsi"/>; driven high when asserted.</param>
    /// <param name="powerOff">Called when the guest enters S5.</param>
    /// <param name="reset">Called when the guest resets the machine.</param>
    public PowerManagement(TimeProvider time, InterruptLine? interrupt, Action powerOff, Action reset)
    {
        (this.time, this.interrupt, this.powerOff, this.reset) = (time, interrupt, powerOff, reset);
        start = time.GetTimestamp();
    }

    /// <summary>Whether the guest listens to the power button: its driver has enabled the event.</summary>
    public bool HasPowerButtonListener
    {
        get
        {
            lock (gate)
                return (enable & PowerButtonStatus) != 0;
        }
    }

    /// <summary>Presses the power button: a guest that listens shuts itself down.</summary>
    public void PressPowerButton()
    {
        lock (gate)
        {
            status |= PowerButtonStatus;
            UpdateInterrupt();
        }
    }

    /// <inheritdoc/>
    public uint Read(ushort port, int size)
    {
        lock (gate)
        {
            uint value = 0;
            ulong timer = Timer();
            for (int i = 0; i < size; i++)
                value |= (uint)ReadByte(port + i - MachineMap.PmEventPort, timer) << (8 * i);
            return value;
        }
    }

    /// <inheritdoc/>
    public string Name => "acpi pm";

    /// <inheritdoc/>
    public void Write(ushort port, int size, uint value)
    {
        Action? then = null;
        lock (gate)
        {
            for (int i = 0; i < size; i++)
                then = WriteByte(port + i - MachineMap.PmEventPort, (byte)(value >> (8 * i))) ?? then;
            UpdateInterrupt();
        }
        then?.Invoke();
    }

    private byte ReadByte(int offset, ulong timer) => offset switch
    {
        0 or 1 => (byte)(status >> (8 * offset)),
        2 or 3 => (byte)(enable >> (8 * (offset - 2))),
        4 or 5 => (byte)((control | SciEnabled) >> (8 * (offset - 4))),
        >= 8 and <= 11 => (byte)(timer >> (8 * (offset - 8))),
        _ => 0,
    };

    private Action? WriteByte(int offset, byte value)
    {
        switch (offset)
        {
            case 0 or 1:
                status &= ~((uint)value << (8 * offset)) | ~StatusBits; // ones clear
                break;
            case 2 or 3:
                enable = Insert(enable, offset - 2, value) & EnableBits;
                break;
            case 4 or 5:
                uint written = Insert(control, offset - 4, value);
                control = written & ~(SleepEnable | SciEnabled);
                if ((written & SleepEnable) != 0 && (written >> SleepTypeShift & 7) == Firmware.Acpi.Dsdt.SleepTypeOff)
                    return powerOff;
                break;
            case MachineMap.ResetPort - MachineMap.PmEventPort when value == ResetValue:
                return reset;
        }
        return null;
    }

    private static uint Insert(uint register, int index, byte value) => register & ~(0xffu << (8 * index)) | (uint)value << (8 * index);

    private ulong Timer() => (ulong)((Int128)(time.GetTimestamp() - start) * TimerFrequency / time.TimestampFrequency);

    private void UpdateInterrupt() => interrupt?.Set((status & enable) != 0);
}
