using FastXen.Events;
using FastXen.Platform.AcpiPm;

namespace FastXen.Platform.Tests.Firmware;

public class PowerManagementTests
{
    private const ushort Event = MachineMap.PmEventPort, Control = MachineMap.PmControlPort;

    private sealed class Wire : ILineSink
    {
        public bool Level { get; private set; }
        public void SetLine(int line, bool level) => Level = level;
    }

    private sealed class ManualTime : TimeProvider
    {
        public long Ticks { get; set; } = 12_345;
        public override long TimestampFrequency => 1_000_000;
        public override long GetTimestamp() => Ticks;
    }

    private readonly Wire wire = new();
    private readonly ManualTime time = new();
    private readonly List<string> actions = [];
    private readonly PowerManagement device;

    public PowerManagementTests() =>
        device = new PowerManagement(time, new InterruptLine(wire, MachineMap.SciGsi), () => actions.Add("off"), () => actions.Add("reset"));

    [Fact]
    public void Sleep_state_5_powers_off_and_others_do_nothing()
    {
        device.Write(Control, 2, 5 << 10);
        device.Write(Control, 2, 3 << 10 | 1 << 13);
        Assert.Empty(actions);
        device.Write(Control, 2, 5 << 10 | 1 << 13);
        Assert.Equal(["off"], actions);
        Assert.Equal(5u << 10 | 1, device.Read(Control, 2)); // SCI_EN reads 1, SLP_EN 0
    }

    [Fact]
    public void The_reset_register_resets()
    {
        device.Write(MachineMap.ResetPort, 1, 0);
        Assert.Empty(actions);
        device.Write(MachineMap.ResetPort, 1, PowerManagement.ResetValue);
        Assert.Equal(["reset"], actions);
    }

    [Fact]
    public void The_power_button_interrupts_until_its_status_is_cleared()
    {
        device.PressPowerButton();
        Assert.False(wire.Level);
        device.Write(Event + 2, 2, 0x100);
        Assert.True(wire.Level);
        Assert.Equal(0x0100_0100u, device.Read(Event, 4));
        device.Write(Event, 2, 0x001);
        Assert.True(wire.Level);
        device.Write(Event, 2, 0x100);
        Assert.False(wire.Level);
        Assert.Equal(0u, device.Read(Event, 2));
    }

    [Fact]
    public void The_timer_counts_at_its_frequency()
    {
        Assert.Equal(0u, device.Read(MachineMap.PmTimerPort, 4));
        time.Ticks += 2_000_000;
        Assert.Equal(2 * 3_579_545u, device.Read(MachineMap.PmTimerPort, 4));
        time.Ticks += 3_000_000_000;
        Assert.Equal(unchecked((uint)(3002L * 3_579_545)), device.Read(MachineMap.PmTimerPort, 4));
    }
}
