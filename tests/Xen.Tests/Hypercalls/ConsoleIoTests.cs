using FastXen.Xen.Console;
using FastXen.Xen.Tests.Toolstack;

namespace FastXen.Xen.Tests.Hypercalls;

/// <summary>console_io as a guest calls it.</summary>
public sealed class ConsoleIoTests
{
    private sealed class Counter : IHypervisorConsole
    {
        public long Written { get; private set; }

        public void Write(ReadOnlySpan<byte> text) => Written += text.Length;

        public int Read(Span<byte> destination) => 0;
    }

    [Fact]
    public void A_long_text_is_written_in_slices_and_ends_where_memory_does()
    {
        using XenHost host = new();
        Counter console = new();
        using Hypercaller guest = new(host, 1, console: console);
        const ulong Length = 200_000, Size = 1 << 20;
        Assert.Equal(0, guest.Call(18, 0, Length, Hypercaller.At(0)));
        Assert.Equal((long)Length, console.Written);
        Assert.InRange(guest.Executions, 10, 20);
        Assert.Equal(-Errno.EFAULT, guest.Call(18, 0, 0x7fff_ffff, Hypercaller.At(0)));
        Assert.Equal((long)(Length + Size), console.Written);
    }
}
