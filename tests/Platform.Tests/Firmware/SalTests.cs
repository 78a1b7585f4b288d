using FastXen.Platform.Firmware;
using FastXen.Platform.Firmware.Sal;

namespace FastXen.Platform.Tests.Firmware;

public sealed class SalTests : IDisposable
{
    private readonly TestMachine machine = new(configuration: new FirmwareConfiguration { RamSize = 0, Pci = new OneFunction() });

    public void Dispose() => machine.Dispose();

    private (long Status, ulong V0, ulong V1, ulong V2) Sal(SalProcedure procedure, params ulong[] arguments) =>
        machine.Call(FirmwareService.Sal, [(ulong)procedure, .. arguments]);

    [Theory]
    [InlineData(0ul, 3ul << 11 | 0x10)]
    [InlineData(1ul, 3ul << 15 | 0x10)]
    public void Configuration_space_is_read_and_written_in_both_address_forms(ulong type, ulong address)
    {
        Assert.Equal(0, Sal(SalProcedure.PciConfigWrite, address, 4, 0xffff_ffff_1234_5678, type).Status);
        Assert.Equal((0L, 0x1234_5678ul), (Sal(SalProcedure.PciConfigRead, address, 4, type).Status, Sal(SalProcedure.PciConfigRead, address, 4, type).V0));
        Assert.Equal(0x34ul, Sal(SalProcedure.PciConfigRead, address + 2, 1, type).V0);
        Assert.Equal(0xfffful, Sal(SalProcedure.PciConfigRead, address + (1ul << (type == 0 ? 16 : 20)), 2, type).V0);
        Assert.Equal(SalStatus.InvalidArgument, Sal(SalProcedure.PciConfigRead, address + 1, 2, type).Status);
        Assert.Equal(SalStatus.InvalidArgument, Sal(SalProcedure.PciConfigRead, address, 8, type).Status);
        Assert.Equal(SalStatus.InvalidArgument, Sal(SalProcedure.PciConfigRead, address, 4, 2).Status);
        Assert.Equal(SalStatus.InvalidArgument, Sal(SalProcedure.PciConfigRead, address | 1ul << 44, 4, type).Status);
    }

    [Fact]
    public void The_rendezvous_vector_is_kept()
    {
        Assert.Null(machine.Firmware.Rendezvous);
        Assert.Equal(0, Sal(SalProcedure.SetVectors, 0, 1, 2, 3).Status);
        Assert.Null(machine.Firmware.Rendezvous);
        Assert.Equal(0, Sal(SalProcedure.SetVectors, 2, 0x400_0000, 0x500_0000).Status);
        Assert.Equal(new BootRendezvous(0x400_0000, 0x500_0000), machine.Firmware.Rendezvous);
        Assert.Equal(SalStatus.InvalidArgument, Sal(SalProcedure.SetVectors, 3).Status);
    }

    [Fact]
    public void There_are_no_error_records()
    {
        for (ulong type = 0; type < 4; type++)
        {
            Assert.Equal(SalStatus.NoInformation, Sal(SalProcedure.GetStateInfo, type, 0, 0x200_0000).Status);
            Assert.NotEqual(0ul, Sal(SalProcedure.GetStateInfoSize, type).V0);
            Assert.Equal(0, Sal(SalProcedure.ClearStateInfo, type).Status);
        }
        Assert.Equal(SalStatus.InvalidArgument, Sal(SalProcedure.GetStateInfoSize, 4).Status);
    }

    [Fact]
    public void The_rest_of_the_procedures()
    {
        Assert.Equal(MachineMap.BaseFrequency, Sal(SalProcedure.FreqBase, 0).V0);
        Assert.Equal(0, Sal(SalProcedure.CacheFlush, 3).Status);
        Assert.Equal(0, Sal(SalProcedure.McSetParams, 1, 1, 0xe8, 1000, 0).Status);
        Assert.Equal(SalStatus.InvalidArgument, Sal(SalProcedure.McSetParams, 0, 1).Status);
        Assert.Equal(0, Sal(SalProcedure.PhysicalIdInfo).Status);
        Assert.Equal(SalStatus.Unimplemented, Sal(SalProcedure.UpdatePal).Status);
        Assert.Equal(SalStatus.Unimplemented, Sal((SalProcedure)0x0200_0000).Status);
    }
}
