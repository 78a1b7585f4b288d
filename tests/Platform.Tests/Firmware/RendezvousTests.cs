using FastXen.Core;
using FastXen.Core.State;
using FastXen.Platform.Firmware;
using FastXen.Platform.Firmware.Sal;

namespace FastXen.Platform.Tests.Firmware;

/// <summary>Application processors: they wait in SAL, are woken by the operating system, and come back to SAL.</summary>
public sealed unsafe class RendezvousTests : IDisposable
{
    private const ulong Entry = 0x400_0000, Gp = 0x500_0000;

    private readonly TestMachine machine = new(processors: 2);

    public void Dispose() => machine.Dispose();

    private Vcpu Second => machine.Firmware.Processors[1];

    private VcpuPause Step()
    {
        Second.RunLimit = Second.State->Retired + 1;
        return Second.RunSlice();
    }

    private void WaitsInFirmware()
    {
        while (Step() == VcpuPause.Limit)
            Assert.Equal(FirmwareLayout.Entry(FirmwareService.RendezvousWait), Second.State->Ip);
        Assert.False(Second.HasWork);
        Assert.Null(Second.WakeAt);
    }

    private void IsHandedOver()
    {
        Assert.True(Second.HasWork);
        Assert.Equal(VcpuPause.Limit, Step());
        VcpuState* s = Second.State;
        Assert.Equal((Entry, Gp, MachineMap.Lid(1)), (s->Ip, s->Gr[1], s->Cr[Cr.Lid]));
        Assert.Equal((Psr.Bn, 0ul, 0ul, 0ul), (s->PsrValue, s->Ar[Ar.Rsc], s->Cfm, (ulong)s->Dirty));
        Assert.Equal(FirmwareLayout.VectorTable, s->Cr[Cr.Iva]);
        Assert.InRange(s->Gr[12], FirmwareLayout.Stack(1), FirmwareLayout.Stack(2));
        Assert.Equal(FirmwareLayout.Stack(1), s->BspStore);
        Assert.Equal(0ul, s->Irr[3] | s->InService[3]);
    }

    private void SetVector() => Assert.Equal(SalStatus.Success, machine.Call(FirmwareService.Sal, (ulong)SalProcedure.SetVectors, 2, Entry, Gp).Status);

    [Fact]
    public void It_starts_where_the_operating_system_said_when_it_is_woken()
    {
        WaitsInFirmware();
        SetVector();
        WaitsInFirmware();
        Second.PostInterrupt(MachineMap.ApWakeupVector);
        IsHandedOver();
    }

    [Fact]
    public void Other_interrupts_and_a_wakeup_that_comes_too_early_do_not_start_it()
    {
        Second.PostInterrupt(MachineMap.ApWakeupVector);
        WaitsInFirmware();
        SetVector();
        Second.PostInterrupt(0x31);
        Second.PostInterrupt(0xff);
        WaitsInFirmware();
        Second.PostInterrupt(0x31);
        Second.PostInterrupt(MachineMap.ApWakeupVector);
        IsHandedOver();
    }

    [Fact]
    public void An_operating_system_gives_it_back_and_wakes_it_again()
    {
        SetVector();
        Second.PostInterrupt(MachineMap.ApWakeupVector);
        WaitsToBeHandedOver();
        for (int round = 0; round < 3; round++)
        {
            // As a kernel does it: physical mode again, but with a frame, dirty registers and an interrupt in service.
            VcpuState* s = Second.State;
            Assert.Equal(FirmwareLayout.Entry(FirmwareService.RendezvousWait), s->Br[0]);
            Core.Interpret.Rse.SetFrameSize(s, 8 | 8 << 7);
            s->Dirty = 5;
            s->InService[3] = 1UL << 47;
            s->Cr[Cr.Tpr] = 0x1_0000;
            s->Ip = s->Br[0];
            WaitsInFirmware();
            Second.PostInterrupt(MachineMap.ApWakeupVector);
            IsHandedOver();
        }
    }

    private void WaitsToBeHandedOver()
    {
        Assert.Equal(VcpuPause.Limit, Step());
        Assert.Equal(Entry, Second.State->Ip);
    }

    [Fact]
    public void A_stop_reaches_one_that_waits()
    {
        WaitsInFirmware();
        Second.RequestStop(VcpuStop.PowerOff);
        Assert.True(Second.HasWork);
        Assert.Equal(VcpuPause.Stopped, Second.RunSlice());
    }
}
