using FastXen.Platform.Uart;
using FastXen.Terminal;

namespace FastXen.EndToEnd.Tests;

/// <summary>The thread that reads what is typed.</summary>
public sealed class InputPumpTests
{
    private sealed class Line : ICharacterInput
    {
        public int Offer(ReadOnlySpan<byte> bytes) => throw new InvalidOperationException("injected");
    }

    [Fact]
    public void What_breaks_in_its_thread_is_told_to_the_owner()
    {
        using ManualResetEventSlim came = new();
        Exception? what = null;
        InputPump pump = new(e =>
        {
            what = e;
            came.Set();
        });
        pump.Connect(new Line(), () => pump.Send("x"u8));
        Assert.True(came.Wait(FastXenProcess.HangGuard));
        Assert.Equal("injected", what!.Message);
    }
}
