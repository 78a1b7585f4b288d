using FastXen.Mmu;
using FastXen.Platform.Block;
using FastXen.Platform.Pci;
using FastXen.Platform.Virtio;

namespace FastXen.Platform.Tests.Devices;

/// <summary>A hostile driver: random ring contents, register writes and notifications. Nothing may escape but a broken device.</summary>
public class VirtioFuzzTests
{
    private const ulong RamBytes = 1 << 18;
    private const int Operations = 100_000;

    private sealed class MemoryDisk : IBlockBackend
    {
        private readonly byte[] content = new byte[1 << 16];

        public long Length => content.Length;

        public bool IsReadOnly => false;

        public int Transfers { get; private set; }

        public void Read(long position, Span<byte> buffer)
        {
            content.AsSpan((int)position, buffer.Length).CopyTo(buffer);
            Transfers++;
        }

        public void Write(long position, ReadOnlySpan<byte> buffer)
        {
            buffer.CopyTo(content.AsSpan((int)position, buffer.Length));
            Transfers++;
        }

        public void Flush() => Transfers++;

        public void Dispose()
        {
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Hostile_rings_and_registers_never_reach_the_host(int seed)
    {
        Random random = new(seed);
        using PhysicalMemory memory = new(1 << 20);
        // RAM with a hole, so that a write outside of RAM faults the process.
        memory.AddRam(0, RamBytes);
        memory.AddRam(RamBytes + 0x1_0000, 0x1_0000);
        memory.Written += (address, length) => Assert.True(memory.IsRam(address, length));
        PciRoot root = new(new RecordingLines());
        MemoryDisk disk = new();
        using VirtioPciFunction function = new(new VirtioBlock(disk, "fuzz"), memory, new RecordingSink(), static e => Assert.Fail(e.ToString()), synchronous: true);
        int slot = root.Add(function);
        root.Reset();
        VirtioDriver driver = new(root, slot, memory);
        int broken = 0;
        int completed = 0;
        for (int i = 0; i < Operations; i++)
        {
            if ((driver.Status & 0x44) != 4)
            {
                broken += driver.Status >> 6;
                driver.Negotiate(1UL << 32 | (ulong)random.Next(4) << 28);
                driver.SetUpQueue(0, 1 << random.Next(1, 6), 0x1_0000);
                driver.Start();
            }
            Mutate(random, memory, driver, root);
            int before = driver.UsedIndex(0);
            driver.Notify(0);
            completed += (ushort)(driver.UsedIndex(0) - before);
        }
        Assert.InRange(broken, Operations / 100, Operations);
        Assert.InRange(completed, Operations / 100, int.MaxValue);
        Assert.InRange(disk.Transfers, Operations / 1000, int.MaxValue);
    }

    private static void Mutate(Random random, PhysicalMemory memory, VirtioDriver driver, PciRoot root)
    {
        VirtioDriver.Ring ring = driver[0];
        switch (random.Next(40))
        {
            case 0:
                memory.Write(ring.Available + 2, (ushort)random.Next(1 << 16));
                break;
            case 1:
                driver.Offer(0, random.Next(1 << 16));
                break;
            case 2:
                driver.CommonWrite((uint)random.Next(64), 1 << random.Next(4), (ulong)random.NextInt64());
                break;
            case 3:
                root.Write((ulong)random.Next(0x1_0000), 1 << random.Next(4), (ulong)random.NextInt64());
                break;
            case 4:
                root.Read((ulong)random.Next(0x1_0000), 1 << random.Next(4));
                break;
            case 5:
                driver.Descriptor(ring.Descriptors, random.Next(32), Address(random), (uint)random.NextInt64(), random.Next(8), random.Next(40));
                break;
            default:
                // Mostly plausible chains, so that the device's own code is reached.
                int length = random.Next(1, 5);
                memory.Write(0x2_0000UL, random.Next(3) switch { 0 => 0u, 1 => 1u, _ => (uint)random.Next(16) });
                memory.Write(0x2_0008UL, (ulong)random.Next(140));
                for (int i = 0; i < length; i++)
                {
                    bool last = i == length - 1;
                    int flags = (last ? 2 : 1) | (i > 0 && random.Next(4) > 0 ? 2 : 0) | (random.Next(60) == 0 ? 4 : 0);
                    ulong address = i == 0 ? 0x2_0000UL : random.Next(30) == 0 ? Address(random) : 0x2_1000UL + (ulong)random.Next(0x1_0000);
                    uint bytes = i == 0 ? 16u : last ? (uint)random.Next(1, 3) : 512u * (uint)random.Next(5);
                    driver.Descriptor(ring.Descriptors, i, address, bytes, flags, random.Next(200) == 0 ? random.Next(70) : i + 1);
                }
                driver.Offer(0, 0);
                break;
        }
    }

    private static ulong Address(Random random) => random.Next(3) switch
    {
        0 => RamBytes + 0x1_0000 - (ulong)random.Next(0x400),
        1 => (ulong)random.NextInt64(),
        _ => ulong.MaxValue - (ulong)random.Next(0x1000),
    };
}
