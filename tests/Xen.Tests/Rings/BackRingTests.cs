using System.Runtime.InteropServices;
using FastXen.Xen.Memory;
using FastXen.Xen.Rings;

namespace FastXen.Xen.Tests.Rings;

public sealed unsafe class BackRingTests : IDisposable
{
    private const int RequestProducer = 0, RequestEvent = 4, ResponseProducer = 8, ResponseEvent = 12;
    private const int BlockSlot = 112;

    private readonly Machine machine = new();
    private readonly byte* page;

    public BackRingTests()
    {
        page = machine.Add(1).Host(60);
        // As a frontend leaves it.
        this[RequestEvent] = this[ResponseEvent] = 1;
    }

    public void Dispose() => machine.Dispose();

    private uint this[int offset]
    {
        get => Volatile.Read(ref *(uint*)(page + offset));
        set => Volatile.Write(ref *(uint*)(page + offset), value);
    }

    private void Put(uint index, uint value, uint count = 128) => *(uint*)(page + 64 + index % count * BlockSlot) = value;

    [Theory]
    [InlineData(112, 128u)]
    [InlineData(12, 1024u)]
    [InlineData(8, 1024u)]
    [InlineData(64, 128u)]
    [InlineData(127, 128u)]
    [InlineData(128, 64u)]
    public void RingsAreAsLargeAsTheGuestComputes(int slotSize, uint count) => Assert.Equal(count, new BackRing(page, slotSize).Count);

    [Fact]
    public void RequestsAreAnsweredInTheirSlots()
    {
        var ring = new BackRing(page, BlockSlot);
        var request = new byte[BlockSlot];
        Assert.False(ring.TryTake(request));
        uint sent = 0, answered = 0;
        var random = new Random(1);
        for (int round = 0; round < 2000; round++)
        {
            for (int n = random.Next(129 - (int)(sent - answered)); n > 0; n--)
                Put(sent, sent++);
            this[RequestProducer] = sent;
            uint taken = 0, first = answered + ring.Pending;
            while (ring.TryTake(request))
            {
                Assert.Equal(first + taken, MemoryMarshal.Read<uint>(request));
                taken++;
            }
            Assert.Equal(sent, first + taken);
            for (int n = random.Next((int)ring.Pending + 1); n > 0; n--)
                ring.Respond(BitConverter.GetBytes(~answered++));
            ring.Push();
            Assert.Equal(answered, this[ResponseProducer]);
            if (answered > 0)
                Assert.Equal(~(answered - 1), *(uint*)(page + 64 + (answered - 1) % 128 * BlockSlot));
        }
        Assert.True(answered > 10_000);
        Assert.False(ring.IsBroken);
    }

    [Fact]
    public void TheGuestIsNotifiedWhereItAsked()
    {
        var ring = new BackRing(page, BlockSlot);
        var request = new byte[BlockSlot];
        this[RequestProducer] = 5;
        while (ring.TryTake(request))
        {
        }
        ring.Respond([1]);
        Assert.True(ring.Push());
        Assert.False(ring.Push());
        this[ResponseEvent] = 4;
        ring.Respond([1]);
        Assert.False(ring.Push());
        ring.Respond([1]);
        ring.Respond([1]);
        Assert.True(ring.Push());
        ring.Respond([1]);
        Assert.False(ring.Push());
        Assert.Throws<InvalidOperationException>(() => ring.Respond([1]));
    }

    [Fact]
    public void WaitingLooksOnceMore()
    {
        var ring = new BackRing(page, BlockSlot);
        var request = new byte[BlockSlot];
        Assert.False(ring.AskForEvent());
        this[RequestProducer] = 1;
        Assert.True(ring.AskForEvent());
        ring.TryTake(request);
        Assert.False(ring.AskForEvent());
        Assert.Equal(2u, this[RequestEvent]);
    }

    [Fact]
    public void ARingThatWasInUseGoesOn()
    {
        this[RequestProducer] = this[ResponseProducer] = uint.MaxValue;
        var ring = new BackRing(page, BlockSlot);
        Put(uint.MaxValue, 77);
        this[RequestProducer]++;
        var request = new byte[4];
        Assert.True(ring.TryTake(request));
        Assert.Equal(77u, MemoryMarshal.Read<uint>(request));
        ring.Respond([1]);
        ring.Push();
        Assert.Equal(0u, this[ResponseProducer]);
    }

    [Theory]
    [InlineData(129u)]
    [InlineData(0x8000_0000u)]
    [InlineData(uint.MaxValue)]
    public void ImpossibleIndicesEndTheRing(uint producer)
    {
        var ring = new BackRing(page, BlockSlot);
        this[RequestProducer] = producer;
        Assert.False(ring.TryTake(new byte[BlockSlot]));
        Assert.True(ring.IsBroken);
        this[RequestProducer] = 1;
        Assert.False(ring.TryTake(new byte[BlockSlot]));
        Assert.False(ring.AskForEvent());
    }

    [Fact]
    public void SlotsOfOpenRequestsAreNotUsedTwice()
    {
        var ring = new BackRing(page, BlockSlot);
        this[RequestProducer] = 128;
        var request = new byte[BlockSlot];
        for (int i = 0; i < 128; i++)
            Assert.True(ring.TryTake(request));
        this[RequestProducer] = 129;
        Assert.False(ring.TryTake(request));
        Assert.True(ring.IsBroken);
    }

    [Fact]
    public void RandomIndicesStayInThePage()
    {
        var random = new Random(4);
        new Span<byte>(page - Frame.Size, Frame.Size).Fill(0xa5);
        new Span<byte>(page + Frame.Size, Frame.Size).Fill(0xa5);
        for (int i = 0; i < 5000; i++)
        {
            random.NextBytes(new Span<byte>(page, 64));
            var ring = new BackRing(page, 12);
            if (random.Next(2) == 0)
                this[RequestProducer] = this[ResponseProducer] + (uint)random.Next(1025);
            var request = new byte[12];
            while (ring.TryTake(request))
                ring.Respond(request.AsSpan(0, 4));
            ring.Push();
        }
        Assert.Equal(-1, new Span<byte>(page - Frame.Size, Frame.Size).IndexOfAnyExcept((byte)0xa5));
        Assert.Equal(-1, new Span<byte>(page + Frame.Size, Frame.Size).IndexOfAnyExcept((byte)0xa5));
    }
}
