using FastXen.Xen.Console;
using FastXen.Xen.Memory;

namespace FastXen.Xen.Tests.Console;

public sealed unsafe class ConsoleRingTests : IDisposable
{
    private const int InConsumer = 3072, InProducer = 3076, OutConsumer = 3080, OutProducer = 3084;

    private readonly Machine machine = new();
    private readonly byte* page;

    public ConsoleRingTests() => page = machine.Add(1).Host(63);

    public void Dispose() => machine.Dispose();

    private uint this[int offset]
    {
        get => *(uint*)(page + offset);
        set => *(uint*)(page + offset) = value;
    }

    [Fact]
    public void OutputComesOutInOrder()
    {
        var ring = new ConsoleRing(page);
        var random = new Random(1);
        byte next = 0, expected = 0;
        var buffer = new byte[700];
        for (int round = 0; round < 500; round++)
        {
            uint room = 2048 - (this[OutProducer] - this[OutConsumer]);
            for (int count = random.Next((int)room + 1); count > 0; count--)
            {
                page[1024 + this[OutProducer] % 2048] = next++;
                this[OutProducer]++;
            }
            int read = ring.Read(buffer.AsSpan(0, random.Next(700)));
            for (int i = 0; i < read; i++)
                Assert.Equal(expected++, buffer[i]);
        }
        Assert.True(this[OutProducer] > 100_000);
    }

    [Fact]
    public void InputGoesInUpToWhatFits()
    {
        var ring = new ConsoleRing(page);
        byte[] data = [.. Enumerable.Range(0, 1500).Select(i => (byte)i)];
        Assert.Equal(1024, ring.Write(data));
        Assert.Equal(0, ring.Write(data));
        Assert.Equal(1024u, this[InProducer]);
        this[InConsumer] = 1000;
        Assert.Equal(476, ring.Write(data.AsSpan(1024)));
        for (uint i = 1000; i < 1500; i++)
            Assert.Equal(data[i], page[i % 1024]);
    }

    [Fact]
    public void ARingThatWasInUseGoesOn()
    {
        this[OutConsumer] = this[OutProducer] = this[InConsumer] = this[InProducer] = uint.MaxValue - 2;
        var ring = new ConsoleRing(page);
        page[1024 + (uint.MaxValue - 2) % 2048] = 65;
        this[OutProducer]++;
        var buffer = new byte[10];
        Assert.Equal(1, ring.Read(buffer));
        Assert.Equal(65, buffer[0]);
        Assert.Equal(10, ring.Write(buffer));
        Assert.Equal(7u, this[InProducer]);
    }

    [Fact]
    public void ImpossibleIndicesAreNotFollowed()
    {
        var ring = new ConsoleRing(page);
        var buffer = new byte[4096];
        this[OutProducer] = 5000;
        Assert.Equal(0, ring.Read(buffer));
        Assert.Equal(5000u, this[OutConsumer]);
        this[OutProducer] += 10;
        Assert.Equal(10, ring.Read(buffer));
        this[InConsumer] = 77;
        Assert.Equal(0, ring.Write(buffer));
        // The guest's idea of our index does not matter.
        this[InConsumer] = 0;
        this[InProducer] = 99;
        this[OutConsumer] = 12345;
        Assert.Equal(1024, ring.Write(buffer));
        Assert.Equal(1024u, this[InProducer]);
        Assert.Equal(0, ring.Read(buffer));
    }

    [Fact]
    public void RandomIndicesStayInThePage()
    {
        var ring = new ConsoleRing(page);
        byte* after = page - Frame.Size;
        new Span<byte>(after, Frame.Size).Fill(0xa5);
        var random = new Random(2);
        var buffer = new byte[3000];
        for (int i = 0; i < 20_000; i++)
        {
            this[new[] { InConsumer, InProducer, OutConsumer, OutProducer }[random.Next(4)]] = (uint)random.NextInt64();
            Assert.InRange(ring.Read(buffer), 0, 2048);
            Assert.InRange(ring.Write(buffer), 0, 1024);
        }
        Assert.Equal(-1, new Span<byte>(after, Frame.Size).IndexOfAnyExcept((byte)0xa5));
        Assert.Equal(-1, new Span<byte>(page + 3088, Frame.Size - 3088).IndexOfAnyExcept((byte)0));
    }
}
