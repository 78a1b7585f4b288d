using System.Text;
using FastXen.Core;
using FastXen.Mmu;
using FastXen.Platform.Firmware;
using FastXen.Platform.Firmware.Pal;

namespace FastXen.Platform.Tests.Firmware;

public sealed unsafe class PalTests : IDisposable
{
    private const ulong Buffer = 0x200_0000;
    private readonly TestMachine machine = new(processors: 2);

    public void Dispose() => machine.Dispose();

    [Fact]
    public void Frequencies_agree_with_the_machine()
    {
        Assert.Equal(MachineMap.BaseFrequency, machine.Pal(PalProcedure.FreqBase).V0);
        var (status, processor, _, itc) = machine.Pal(PalProcedure.FreqRatios);
        Assert.Equal(0, status);
        Assert.Equal(MachineMap.ItcFrequency, MachineMap.BaseFrequency * (itc >> 32) / (uint)itc);
        Assert.Equal(MachineMap.ProcessorFrequency, MachineMap.BaseFrequency * (processor >> 32) / (uint)processor);
    }

    [Fact]
    public void Memory_management_is_described_as_it_is()
    {
        var (status, info1, info2, _) = machine.Pal(PalProcedure.VmSummary);
        Assert.Equal(0, status);
        Assert.Equal(1ul, info1 & 1); // VHPT walker
        Assert.Equal(50ul, info1 >> 1 & 0x7f);
        Assert.Equal((ulong)MmuState.RidBits, info1 >> 8 & 0xff);
        Assert.Equal((ulong)MmuState.PkrCount - 1, info1 >> 16 & 0xff);
        Assert.Equal((ulong)TranslationRegisters.Slots - 1, info1 >> 32 & 0xff);
        Assert.Equal((ulong)TranslationRegisters.Slots - 1, info1 >> 40 & 0xff);
        Assert.Equal(60ul, info2 & 0xff);
        Assert.Equal((ulong)MmuState.RidBits, info2 >> 8 & 0xff);
        Assert.Equal(0xfffful, info2 >> 16);
        Assert.Equal((0L, PageSizes.Implemented, PageSizes.Implemented, 0ul), machine.Pal(PalProcedure.VmPageSize));
        Assert.Equal((ulong)MmuState.DebugPairs, machine.Pal(PalProcedure.DebugInfo).V1);
        Assert.Equal(96ul, machine.Pal(PalProcedure.RseInfo).V0);
        Assert.Equal((0L, 0ul, 1ul << 32 | 1, 0ul), machine.Pal(PalProcedure.PtceInfo));
        for (ulong level = 0; level < 2; level++)
        {
            for (ulong type = 1; type <= 2; type++)
                Assert.Equal(0, machine.Pal(PalProcedure.VmInfo, level, type).Status);
        }
        Assert.Equal(PalStatus.InvalidArgument, machine.Pal(PalProcedure.VmInfo, 2, 1).Status);
    }

    [Fact]
    public void Caches_are_those_of_a_9000()
    {
        var (_, levels, unique, _) = machine.Pal(PalProcedure.CacheSummary);
        Assert.Equal((3ul, 5ul), (levels, unique));
        int found = 0;
        for (ulong level = 0; level < levels; level++)
        {
            for (ulong type = 1; type <= 2; type++)
            {
                var (status, info1, info2, _) = machine.Pal(PalProcedure.CacheInfo, level, type);
                if (status != 0)
                    continue;
                found++;
                ulong ways = info1 >> 8 & 0xff, line = 1ul << (int)(info1 >> 16 & 0xff), tag = info2 >> 40 & 0xff;
                Assert.Equal((uint)info2, ways << (int)tag);
                Assert.Equal(level == 0 ? 64ul : 128, line);
                Assert.Equal(0, machine.Pal(PalProcedure.CacheProtInfo, level, type).Status);
                Assert.Equal(1ul, machine.Pal(PalProcedure.CacheSharedInfo, level, type).V0);
            }
        }
        Assert.Equal((int)unique, found);
        Assert.Equal(12u << 20, (uint)machine.Pal(PalProcedure.CacheInfo, 2, 2).V1);
        Assert.Equal(PalStatus.InvalidArgument, machine.Pal(PalProcedure.CacheInfo, 2, 1).Status);
        Assert.Equal(0, machine.Pal(PalProcedure.CacheFlush, 4).Status);
        Assert.Equal(PalStatus.InvalidArgument, machine.Pal(PalProcedure.CacheFlush, 5).Status);
    }

    [Fact]
    public void Buffers_are_written_where_the_caller_says()
    {
        Assert.Equal(0, machine.Pal(PalProcedure.BrandInfo, 0, Buffer).Status);
        Assert.StartsWith("Intel(R) Itanium(R) 2", Encoding.ASCII.GetString(machine.Bytes(Buffer, 128)));
        Assert.Equal(0, machine.Pal(PalProcedure.HaltInfo, Buffer).Status);
        Assert.Equal(3ul, machine.Memory.Read<ulong>(Buffer) >> 60); // the light halt: implemented, coherent
        Assert.Equal(0, machine.Pal(PalProcedure.PerfMonInfo, Buffer).Status);
        Assert.Equal(0xfff0ul, machine.Memory.Read<ulong>(Buffer + 32));
        foreach (PalProcedure procedure in (PalProcedure[])[PalProcedure.HaltInfo, PalProcedure.PerfMonInfo])
            Assert.Equal(PalStatus.InvalidArgument, machine.Pal(procedure, MachineMap.LowRamLimit).Status);
    }

    [Fact]
    public void Translation_registers_are_read_back()
    {
        MmuState* mmu = machine.Processor.State->Mmu;
        const ulong pte = 0x400_0000 | 0x661, va = 0xa000_0001_0000_0000;
        MmuRegisters.SetRr(mmu, va, 0x1234 << 8 | 14 << 2);
        Assert.Equal(TlbResult.Ok, Tlb.InsertDataRegister(mmu, 5, va, 26 << 2, pte));
        Assert.Equal((0L, 0xful), (machine.Pal(PalProcedure.VmTrRead, 5, 1, Buffer).Status, machine.Pal(PalProcedure.VmTrRead, 5, 1, Buffer).V0));
        Assert.Equal(pte, machine.Memory.Read<ulong>(Buffer));
        Assert.Equal(26ul << 2, machine.Memory.Read<ulong>(Buffer + 8));
        Assert.Equal(1ul, machine.Memory.Read<ulong>(Buffer + 16) & 1);
        Assert.Equal(0x1234ul << 8, machine.Memory.Read<ulong>(Buffer + 24));
        Assert.Equal(0, machine.Pal(PalProcedure.VmTrRead, 5, 0, Buffer).Status);
        Assert.Equal(0ul, machine.Memory.Read<ulong>(Buffer + 16) & 1);
        Assert.Equal(PalStatus.InvalidArgument, machine.Pal(PalProcedure.VmTrRead, 64, 1, Buffer).Status);
    }

    [Fact]
    public void A_copy_of_pal_is_firmware()
    {
        Assert.False(machine.Firmware.IsFirmware(Buffer));
        Assert.Equal(0, machine.Pal(PalProcedure.CopyPal, Buffer, 0x1000).Status);
        Assert.True(machine.Firmware.IsFirmware(Buffer));
        Assert.Equal(EntryBundle.Encode(FirmwareService.Pal), machine.Bytes(Buffer, 16));
        Assert.Equal(PalStatus.InvalidArgument, machine.Pal(PalProcedure.CopyPal, Buffer + 16, 0x1000).Status);
    }

    [Fact]
    public void Processors_know_which_they_are()
    {
        ulong* r = machine.Firmware.Processors[1].State->Gr;
        r[28] = (ulong)PalProcedure.LogicalToPhysical;
        r[29] = ulong.MaxValue;
        machine.Firmware.Call(machine.Firmware.Processors[1], (uint)FirmwareService.Pal);
        Assert.Equal((0ul, 1ul, 0x100ul), (r[8], r[9] >> 48, r[11]));
    }

    [Fact]
    public void Machine_check_expectation_is_kept()
    {
        Assert.Equal(0ul, machine.Pal(PalProcedure.McExpected, 1).V0);
        Assert.Equal(1ul, machine.Pal(PalProcedure.McExpected, 0).V0);
        Assert.Equal(PalStatus.NoInformation, machine.Pal(PalProcedure.McErrorInfo, 0).Status);
        Assert.Equal(0, machine.Pal(PalProcedure.McDrain).Status);
        Assert.Equal(0x1000ul, machine.Pal(PalProcedure.McRegisterMem, Buffer, 0x1000).V0);
    }

    [Fact]
    public void Unknown_procedures_are_unimplemented_in_both_conventions()
    {
        Assert.Equal(PalStatus.Unimplemented, machine.Pal((PalProcedure)33).Status);
        Assert.Equal(PalStatus.Unimplemented, machine.Pal((PalProcedure)277).Status);
        Assert.Equal(PalStatus.Unimplemented, machine.Pal(0).Status);
    }

    [Fact]
    public void The_light_halt_returns_for_an_interrupt_and_the_halt_stops_the_processor()
    {
        machine.Processor.PostInterrupt(0x40);
        Assert.Equal(0, machine.Pal(PalProcedure.HaltLight).Status);
        Assert.Equal(VcpuStop.None, machine.Processor.StopReason);
        machine.Pal(PalProcedure.Halt, 1);
        Assert.Equal(VcpuStop.Halted, machine.Processor.StopReason);
    }
}
