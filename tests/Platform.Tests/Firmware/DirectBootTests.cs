using System.Text;
using FastXen.Core;
using FastXen.Core.State;
using FastXen.Platform.Boot;
using FastXen.Platform.Firmware;
using FastXen.Platform.Firmware.Efi;

namespace FastXen.Platform.Tests.Firmware;

public sealed unsafe class DirectBootTests : IDisposable
{
    private const ulong MiB = TestMachine.MiB;
    private readonly TestMachine machine = new(processors: 2);

    private static DirectBootImage Image => new()
    {
        Entry = 0x4fc_b600,
        Kernel = (64 * MiB, 0x1c0_81a0),
        Initrd = (100 * MiB, 12_345),
        CommandLine = "console=ttyS0 root=/dev/vda",
    };

    public void Dispose() => machine.Dispose();

    [Fact]
    public void The_kernel_finds_its_parameters_in_r28()
    {
        DirectBoot.Prepare(machine.Memory, machine.Firmware, Image);
        VcpuState* s = machine.Processor.State;
        ulong parameters = s->Gr[28];
        ulong U64(ulong offset) => machine.Memory.Read<ulong>(parameters + offset);
        Assert.Equal("console=ttyS0 root=/dev/vda\0", Encoding.ASCII.GetString(machine.Bytes(U64(0), 28)));
        Assert.Equal(0x5453_5953_2049_4249ul, machine.Memory.Read<ulong>(U64(8))); // "IBI SYST"
        Assert.Equal(48ul, U64(32));
        Assert.Equal(1u, machine.Memory.Read<uint>(parameters + 40));
        Assert.Equal(80, machine.Memory.Read<ushort>(parameters + 44));
        Assert.Equal(FirmwareLayout.Entry(FirmwareService.Fpswa), machine.Memory.Read<ulong>(machine.Memory.Read<ulong>(U64(56) + 8)));
        Assert.Equal((100 * MiB, 12_345ul), (U64(64), U64(72)));
        byte[] map = machine.Bytes(U64(16), (int)U64(24));
        List<uint> types = [];
        for (int at = 0; at < map.Length; at += 48)
            types.Add(BitConverter.ToUInt32(map, at));
        Assert.Contains((uint)EfiMemoryType.LoaderCode, types);
        Assert.Equal(2, types.Count(type => type == (uint)EfiMemoryType.LoaderData));
    }

    [Fact]
    public void The_processor_is_in_physical_mode_with_a_frame_and_stacks()
    {
        DirectBoot.Prepare(machine.Memory, machine.Firmware, Image);
        VcpuState* s = machine.Processor.State;
        Assert.Equal((0x4fc_b600ul, Psr.Bn, 0ul), (s->Ip, s->PsrValue, s->Ar[Ar.Rsc]));
        Assert.Equal(FirmwareLayout.VectorTable, s->Cr[Cr.Iva]);
        Assert.InRange(s->BspStore, FirmwareLayout.Stacks, s->Gr[12]);
        Assert.InRange(s->Gr[12], FirmwareLayout.Stacks, FirmwareLayout.End - 16);
    }

    [Fact]
    public void What_cannot_be_booted_is_refused_with_a_sentence()
    {
        Assert.Contains("0x7f00000", Assert.Throws<ArgumentException>(() => DirectBoot.Prepare(machine.Memory, machine.Firmware, Image with { Initrd = (127 * MiB, 2 * MiB) })).Message);
        Assert.Throws<ArgumentException>(() => DirectBoot.Prepare(machine.Memory, machine.Firmware, Image with { Initrd = (64 * MiB, 1) }));
        Assert.Throws<ArgumentException>(() => DirectBoot.Prepare(machine.Memory, machine.Firmware, Image with { Kernel = (MiB, MiB) }));
        Assert.Throws<ArgumentException>(() => DirectBoot.Prepare(machine.Memory, machine.Firmware, Image with { Kernel = (ulong.MaxValue - 100, 101) }));
        Assert.Throws<ArgumentException>(() => DirectBoot.Prepare(machine.Memory, machine.Firmware, Image with { CommandLine = new string('x', 2048) }));
    }

    [Fact]
    public void An_early_interruption_is_reported_and_stops_the_machine()
    {
        string? report = null;
        using TestMachine loud = new(configuration: new FirmwareConfiguration { RamSize = 0, Report = text => report = text });
        loud.Processor.State->Ip = FirmwareLayout.VectorTable + 0x1000;
        Assert.Equal(FirmwareReturn.Jump, loud.Firmware.Call(loud.Processor, (uint)FirmwareService.UnexpectedInterruption));
        Assert.Equal(VcpuStop.Crashed, loud.Processor.StopReason);
        Assert.Contains("0x1000", report);
    }
}
