using FastXen.Xen.Memory;

namespace FastXen.Xen.Tests.Memory;

public sealed class XencommHandleTests : IDisposable
{
    private const uint Magic = 0x58434F4D;
    private const ulong Skip = ~0UL;

    private readonly Machine machine = new();
    private readonly DomainMemory memory;

    public XencommHandleTests() => memory = machine.Add(1).Memory;

    public void Dispose() => machine.Dispose();

    private XencommHandle Describe(ulong at, params ulong[] addresses)
    {
        Assert.True(memory.TryWrite(at, Magic | (ulong)addresses.Length << 32));
        for (int i = 0; i < addresses.Length; i++)
            Assert.True(memory.TryWrite(at + 8 + 8 * (ulong)i, addresses[i]));
        return new XencommHandle(at);
    }

    private static byte[] Pattern(int length) => [.. Enumerable.Range(1, length).Select(i => (byte)(i * 7))];

    [Theory]
    [InlineData(0x4000UL, 100)]
    [InlineData(0x7ff0UL, 100)]
    [InlineData(0x7fffUL, 40000)]
    public void InlineHandlesAreContiguous(ulong gpa, int length)
    {
        byte[] data = Pattern(length);
        XencommHandle handle = XencommHandle.Inline(gpa);
        Assert.True(handle.Write(memory, 3, data));
        var back = new byte[length];
        Assert.True(handle.Read(memory, 3, back));
        Assert.Equal(data, back);
        Assert.Equal(length, memory.Read(gpa + 3, back));
        Assert.Equal(data, back);
    }

    [Fact]
    public void DescriptorsListPiecesOfFrames()
    {
        // The first piece begins in mid-frame; a page is skipped; frames are out of order.
        XencommHandle handle = Describe(0x8000, 0x14000 - 16, Skip, 0x30000, 0x20000);
        byte[] data = Pattern(16 + Frame.Size + 10);
        Assert.True(handle.Write(memory, 0, data));
        var part = new byte[16];
        memory.Read(0x14000 - 16, part);
        Assert.Equal(data[..16], part);
        memory.Read(0x30000, part);
        Assert.Equal(data[16..32], part);
        memory.Read(0x20000, part.AsSpan(0, 10));
        Assert.Equal(data[^10..], part[..10]);

        foreach (int offset in new[] { 0, 15, 16, 17, 16 + Frame.Size, 16 + Frame.Size + 1 })
        {
            var rest = new byte[data.Length - offset];
            Assert.True(handle.Read(memory, (ulong)offset, rest));
            Assert.Equal(data[offset..], rest);
        }
        // No more than two frames and 16 bytes are described.
        Assert.False(handle.Read(memory, 16 + 2 * Frame.Size, new byte[1]));
        Assert.True(handle.Read(memory, 16 + 2 * Frame.Size - 1, new byte[1]));
    }

    [Fact]
    public void AnAddressListMayCrossFrames()
    {
        XencommHandle handle = Describe(0x8000 - 16, 0x10000, 0x14000);
        Assert.True(handle.Write(memory, Frame.Size, Pattern(8)));
        Assert.True(memory.TryRead(0x14000, out byte first));
        Assert.Equal(7, first);
    }

    [Theory]
    [InlineData(0UL)]
    [InlineData(0x8004UL)]
    [InlineData(0x9000UL)]
    [InlineData(64UL << 14)]
    [InlineData(0x7fff_ffff_ffff_fff8UL)]
    [InlineData(0x8000_0000_0010_0000UL)]
    [InlineData(0x87ff_ffff_ffff_ffffUL)]
    [InlineData(0x8800_0000_0000_4000UL)]
    [InlineData(0xf000_0000_0000_0000UL)]
    public void BadHandlesFail(ulong value)
    {
        Describe(0x8000, 0x10000);
        var handle = new XencommHandle(value);
        Assert.False(handle.Read(memory, 0, new byte[1]));
        Assert.False(handle.Write(memory, 0, new byte[1]));
        Assert.Null(handle.Resolve(memory, 1));
        Assert.Equal(value == 0, handle.IsNull);
    }

    [Fact]
    public void BadPiecesFail()
    {
        Assert.False(Describe(0x8000, 64UL << 14).Read(memory, 0, new byte[1]));
        Assert.False(Describe(0x8000, 1UL << 60).Write(memory, 0, new byte[1]));
        // The list runs out of memory before the data is there.
        ulong end = 64UL << 14;
        Assert.True(memory.TryWrite(end - 16, Magic | (ulong)uint.MaxValue << 32));
        memory.TryWrite(end - 8, Skip);
        Assert.False(new XencommHandle(end - 16).Read(memory, 0, new byte[1]));
        Assert.False(XencommHandle.Inline(end - 4).Read<ulong>(memory, out _));
        Assert.False(XencommHandle.Inline(0x4000).Read(memory, ulong.MaxValue - 5, new byte[8]));
        Assert.False(XencommHandle.Inline(0x4000).Read(memory, 1UL << 62, new byte[8]));
    }

    [Fact]
    public void EndlessDescriptorsEnd()
    {
        // A whole memory of "skip", and a count of four thousand million.
        for (ulong gpfn = 2; gpfn < 64; gpfn++)
            memory.Write(gpfn << Frame.Shift, Enumerable.Repeat((byte)0xff, Frame.Size).ToArray());
        memory.TryWrite(0x8000, Magic | (ulong)uint.MaxValue << 32);
        memory.TryWrite(0x8008 + 8UL * XencommHandle.MaximumPieces, 0x4000UL);
        Assert.False(new XencommHandle(0x8000).Read(memory, 0, new byte[1]));
        memory.TryWrite(0x8008 + 8UL * (XencommHandle.MaximumPieces - 1), 0x4000UL);
        Assert.True(new XencommHandle(0x8000).Read(memory, 0, new byte[1]));
    }

    [Fact]
    public void WhatIsKeptIsResolvedAtOnce()
    {
        XencommHandle handle = Describe(0x8000, 0x14000 - 20, 0x18000);
        GuestBuffer? buffer = handle.Resolve(memory, 48);
        Assert.NotNull(buffer);
        Assert.Equal(48, buffer.Length);
        Describe(0x8000, 0, 0);
        byte[] data = Pattern(48);
        Assert.True(buffer.Write(data));
        var back = new byte[48];
        Assert.Equal(20, memory.Read(0x14000 - 20, back.AsSpan(0, 20)));
        Assert.Equal(28, memory.Read(0x18000, back.AsSpan(20)));
        Assert.Equal(data, back);
        Array.Clear(back);
        Assert.True(buffer.Read(back));
        Assert.Equal(data, back);
        Assert.False(buffer.Write(new byte[49]));
        memory.Release(0x18000 >> Frame.Shift);
        Assert.False(buffer.Write(data));
        Assert.Null(handle.Resolve(memory, 1 << 20));
    }

    [Fact]
    public void RandomHandlesNeverLeaveTheDomain()
    {
        var random = new Random(5);
        var data = new byte[600];
        int worked = 0;
        for (int round = 0; round < 20_000; round++)
        {
            ulong at = (ulong)random.Next(64 << Frame.Shift) & ~7UL;
            int count = random.Next(1, 5);
            memory.TryWrite(at, Magic | (ulong)count << 32);
            for (int i = 0; i < count; i++)
            {
                ulong address = random.Next(4) switch
                {
                    0 => Skip,
                    1 => (ulong)random.NextInt64(),
                    _ => (ulong)random.Next(66 << Frame.Shift),
                };
                memory.TryWrite(at + 8 + 8 * (ulong)i, address);
            }
            ulong value = random.Next(3) == 0 ? (ulong)random.NextInt64() | (ulong)random.Next(2) << 63 : at;
            Span<byte> part = data.AsSpan(0, random.Next(data.Length));
            var handle = new XencommHandle(value);
            ulong offset = (ulong)random.Next(random.Next(2) == 0 ? 100 : 1 << 20);
            if (random.Next(2) == 0 ? handle.Read(memory, offset, part) : handle.Write(memory, offset, part))
                worked++;
        }
        Assert.InRange(worked, 100, 19_000);
    }
}
