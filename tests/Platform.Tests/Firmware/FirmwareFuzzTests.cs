using FastXen.Core;
using FastXen.Platform.Firmware;

namespace FastXen.Platform.Tests.Firmware;

public unsafe class FirmwareFuzzTests
{
    private const int Calls = 40_000;

    [Fact]
    public void Hostile_arguments_neither_throw_nor_hang()
    {
        using TestMachine machine = new(64 * TestMachine.MiB, configuration: new FirmwareConfiguration { RamSize = 0, Pci = new OneFunction() });
        Random random = new(20_261_122);
        Vcpu vcpu = machine.Processor;
        FirmwareService[] services = Enum.GetValues<FirmwareService>();
        HashSet<long> statuses = [];
        for (int n = 0; n < Calls; n++)
        {
            ulong* r = vcpu.State->Gr;
            for (int i = 1; i < 32; i++)
                r[i] = Value(random);
            for (int i = 0; i < 8; i++)
                vcpu.State->FrameBase[32 + i] = Value(random);
            uint service = random.Next(8) == 0 ? (uint)random.Next(4096) : (uint)services[random.Next(services.Length)];
            if (service == (uint)FirmwareService.Pal)
                vcpu.State->FrameBase[32] = r[28] = (ulong)(random.Next(3) == 0 ? random.Next(256, 300) : random.Next(60));
            if (service == (uint)FirmwareService.Sal)
                vcpu.State->FrameBase[32] = 0x0100_0000ul + (ulong)random.Next(0x24);
            vcpu.PostInterrupt(0x40); // so that a halt returns
            machine.Firmware.Call(vcpu, service);
            statuses.Add((long)r[8]);
            if (n % 1000 == 0)
                vcpu.Reset();
        }
        Assert.True(statuses.Count > 8); // successes and several kinds of failure
    }

    // Numbers that make sense somewhere: small ones, addresses of and around RAM, all ones, anything.
    private static ulong Value(Random random) => random.Next(6) switch
    {
        0 => (ulong)random.Next(16),
        1 => (ulong)random.Next(64 << 20),
        2 => (ulong)(64 << 20) - (ulong)random.Next(32),
        3 => ulong.MaxValue - (ulong)random.Next(32),
        4 => 1ul << random.Next(64),
        _ => (ulong)random.NextInt64(long.MinValue, long.MaxValue),
    };
}
