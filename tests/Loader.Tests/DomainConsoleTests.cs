using System.Text;
using FastXen.Loader.Hosting;
using FastXen.Platform.Uart;

namespace FastXen.Loader.Tests;

public class DomainConsoleTests
{
    private static async Task<string> ReadAll(ConsoleReader reader)
    {
        StringBuilder text = new();
        byte[] bytes = new byte[1000];
        while (await reader.ReadAsync(bytes) is > 0 and int count) text.Append(Encoding.Latin1.GetString(bytes, 0, count));
        return text.ToString();
    }

    [Fact]
    public async Task Readers_go_at_their_own_pace()
    {
        DomainConsole console = new();
        console.Write("before "u8);
        ConsoleReader late = console.OpenReader(fromOldest: false), early = console.OpenReader();
        Task<string> waiting = ReadAll(late);
        console.Write("after"u8);
        console.End();
        Assert.Equal("after", await waiting);
        Assert.Equal("before after", await ReadAll(early));
        Assert.Equal("before after", await ReadAll(console.OpenReader()));
        Assert.Equal(0, early.Lost);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(4096)]
    [InlineData(100_000)]
    public async Task The_latest_output_is_kept_however_it_comes(int piece)
    {
        byte[] all = new byte[300_000];
        new Random(piece).NextBytes(all);
        DomainConsole console = new();
        ConsoleReader slow = console.OpenReader();
        for (int at = 0; at < all.Length; at += piece)
        {
            int count = Math.Min(piece, all.Length - at);
            console.Write(all.AsSpan(at, count));
        }
        console.End();
        string expected = Encoding.Latin1.GetString(all, all.Length - DomainConsole.Capacity, DomainConsole.Capacity);
        Assert.Equal(expected, await ReadAll(console.OpenReader()));
        Assert.Equal(expected, await ReadAll(slow));
        Assert.Equal(all.Length - DomainConsole.Capacity, slow.Lost);
    }

    [Fact]
    public void Input_goes_to_the_serial_line_of_the_machine_that_runs()
    {
        DomainConsole console = new();
        Assert.Equal(0, console.Offer("lost"u8));
        Line first = new(), second = new();
        console.Connect(first);
        Assert.Equal(2, console.Offer("ab"u8));
        console.Connect(second);
        Assert.Equal(1, console.Offer("c"u8));
        console.End();
        Assert.Equal(0, console.Offer("d"u8));
        Assert.Equal(("ab", "c"), (first.Text, second.Text));
    }

    [Fact]
    public async Task A_reader_can_give_up()
    {
        using CancellationTokenSource stop = new();
        ValueTask<int> reading = new DomainConsole().OpenReader().ReadAsync(new byte[1], stop.Token);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await reading);
    }

    private sealed class Line : ICharacterInput
    {
        public string Text { get; private set; } = "";

        public int Offer(ReadOnlySpan<byte> bytes)
        {
            Text += Encoding.Latin1.GetString(bytes);
            return bytes.Length;
        }
    }
}
