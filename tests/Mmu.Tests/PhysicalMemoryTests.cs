namespace FastXen.Mmu.Tests;

public sealed unsafe class PhysicalMemoryTests
{
    private const ulong Mega = 1 << 20, Giga = 1 << 30, Tera = 1UL << 40;

    private sealed class Window : IMmioRegion
    {
        public ulong Read(ulong offset, int size) => offset;
        public void Write(ulong offset, int size, ulong value) { }
    }

    [Fact]
    public void RamIsZeroAndKeepsWhatWasWritten()
    {
        using var memory = new PhysicalMemory(4 * Giga);
        memory.AddRam(0, Mega);
        memory.AddRam(3 * Giga, Mega);
        Assert.Equal(0UL, memory.Read<ulong>(Mega - 8));
        memory.Write(3 * Giga + Mega - 8, 0x1122334455667788UL);
        Assert.Equal(0x1122334455667788UL, *(ulong*)(memory.Base + 3 * Giga + Mega - 8));
        Assert.Equal(0UL, (ulong)memory.Base & (2 * Mega - 1));
    }

    [Fact]
    public void TerabytesOfSpanCostNothing()
    {
        using var memory = new PhysicalMemory(8 * Tera);
        memory.AddRam(8 * Tera - 0x10000, 0x10000);
        memory.Write(8 * Tera - 1, (byte)7);
        Assert.Equal(7, memory.Read<byte>(8 * Tera - 1));
        Assert.False(memory.IsRam(8 * Tera - 1, 2));
    }

    [Theory]
    [InlineData(0x10000UL, 1UL, true)]
    [InlineData(0xffffUL, 1UL, false)]
    [InlineData(0xffffUL, 2UL, false)]
    [InlineData(0x10000UL, 0x20000UL, true)]
    [InlineData(0x10000UL, 0x20001UL, false)]
    [InlineData(0x1fff8UL, 16UL, true)]
    [InlineData(0x2ffffUL, 1UL, true)]
    [InlineData(0x30000UL, 1UL, false)]
    [InlineData(0x10001UL, ulong.MaxValue, false)]
    [InlineData(ulong.MaxValue, 1UL, false)]
    [InlineData(ulong.MaxValue, ulong.MaxValue, false)]
    [InlineData(0x8000_0000_0001_0000UL, 8UL, false)]
    public void IsRamIsExactAndDoesNotOverflow(ulong address, ulong length, bool expected)
    {
        using var memory = new PhysicalMemory(16 * Mega);
        memory.AddRam(0x20000, 0x10000);
        memory.AddRam(0x10000, 0x10000);
        Assert.Equal(expected, memory.IsRam(address, length));
        if (length <= int.MaxValue)
        {
            Assert.Equal(expected, memory.TryGetSpan(address, (int)length, out Span<byte> span));
            Assert.Equal(expected ? (int)length : 0, span.Length);
        }
    }

    [Fact]
    public void NegativeLengthIsNoSpan()
    {
        using var memory = new PhysicalMemory(Mega);
        memory.AddRam(0, Mega);
        Assert.False(memory.TryGetSpan(0, -1, out _));
    }

    [Fact]
    public void AccessesOutsideOfRamThrow()
    {
        using var memory = new PhysicalMemory(Mega);
        memory.AddRam(0, 0x10000);
        Assert.Throws<ArgumentOutOfRangeException>(() => memory.Read<ulong>(0xfffc));
        Assert.Throws<ArgumentOutOfRangeException>(() => memory.Write(0x10000, (byte)1));
    }

    [Theory]
    [InlineData(0UL)]
    [InlineData(0x1234UL)]
    [InlineData(1UL << 50)]
    public void BadSpansAreRefused(ulong span) => Assert.Throws<ArgumentOutOfRangeException>(() => new PhysicalMemory(span));

    [Theory]
    [InlineData(0x1000UL, 0x10000UL)]
    [InlineData(0x10000UL, 0x1000UL)]
    [InlineData(0x10000UL, 0UL)]
    [InlineData(0x100000UL, 0x10000UL)]
    [InlineData(0x10000UL, 0xffff_ffff_ffff_0000UL)]
    [InlineData(0xffff_ffff_ffff_0000UL, 0x20000UL)]
    public void BadRamIsRefused(ulong start, ulong size)
    {
        using var memory = new PhysicalMemory(Mega);
        Assert.Throws<ArgumentOutOfRangeException>(() => memory.AddRam(start, size));
        Assert.False(memory.IsRam(0x10000, 1));
    }

    [Fact]
    public void OverlapsAreRefused()
    {
        using var memory = new PhysicalMemory(16 * Mega);
        memory.AddRam(Mega, Mega);
        memory.AddMmio(4 * Mega, 0x1000, new Window());
        Assert.Throws<ArgumentException>(() => memory.AddRam(0, 2 * Mega));
        Assert.Throws<ArgumentException>(() => memory.AddRam(4 * Mega, Mega));
        Assert.Throws<ArgumentException>(() => memory.AddMmio(2 * Mega - 1, 2, new Window()));
        Assert.Throws<ArgumentException>(() => memory.AddMmio(4 * Mega + 0xfff, 1, new Window()));
        memory.AddMmio(2 * Mega, 1, new Window());
        Assert.Throws<ArgumentOutOfRangeException>(() => memory.AddMmio((1UL << 50) - 1, 2, new Window()));
        Assert.Throws<ArgumentOutOfRangeException>(() => memory.AddMmio(ulong.MaxValue, 2, new Window()));
    }

    [Fact]
    public void WindowsAreFoundWithTheirOffsets()
    {
        using var memory = new PhysicalMemory(Mega);
        Window[] windows = [.. Enumerable.Range(0, 17).Select(_ => new Window())];
        foreach (int i in (int[])[8, 3, 16, 0, 1, 2, 15, 7, 6, 5, 4, 9, 14, 13, 12, 11, 10])
            memory.AddMmio(0xfe00_0000 + (ulong)i * 0x1000, 0x800, windows[i]);
        for (int i = 0; i < windows.Length; i++)
        {
            ulong start = 0xfe00_0000 + (ulong)i * 0x1000;
            Assert.Same(windows[i], memory.FindMmio(start, out ulong offset));
            Assert.Equal(0UL, offset);
            Assert.Same(windows[i], memory.FindMmio(start + 0x7ff, out offset));
            Assert.Equal(0x7ffUL, offset);
            Assert.Null(memory.FindMmio(start + 0x800, out offset));
            Assert.Equal(0UL, offset);
        }
        Assert.Null(memory.FindMmio(0, out _));
        Assert.Null(memory.FindMmio(ulong.MaxValue, out _));
    }

    [Fact]
    public void NothingIsReachableAfterDispose()
    {
        var memory = new PhysicalMemory(Mega);
        memory.AddRam(0, Mega);
        memory.Dispose();
        memory.Dispose();
        Assert.False(memory.IsRam(0, 1));
        Assert.Throws<ObjectDisposedException>(() => memory.AddRam(0, Mega));
    }
}
