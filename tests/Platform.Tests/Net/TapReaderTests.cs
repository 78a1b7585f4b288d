using System.IO.Pipes;
using FastXen.Platform.Net;
using FastXen.Platform.Net.Tap;
using Microsoft.Win32.SafeHandles;

namespace FastXen.Platform.Tests.Net;

/// <summary>The thread that reads a TAP interface; a pipe stands for the interface.</summary>
public sealed class TapReaderTests
{
    private sealed class BrokenCard : IFrameSink
    {
        public bool Receive(ReadOnlySpan<byte> frame) => throw new InvalidOperationException($"injected at {frame.Length} bytes");
    }

    [Fact]
    public void What_breaks_in_its_thread_is_told_to_the_owner()
    {
        using AnonymousPipeServerStream pipe = new(PipeDirection.Out);
        using Failure told = new();
        using TapBackend tap = new(new SafeFileHandle(pipe.ClientSafePipeHandle.DangerousGetHandle(), ownsHandle: false), "tap0", told.Tell);
        tap.Connect(new BrokenCard());
        pipe.Write(new byte[60]);
        Assert.Equal("injected at 60 bytes", told.Wait().Message);
    }

    private sealed class Failure : IDisposable
    {
        private readonly ManualResetEventSlim came = new();
        private Exception? what;

        public void Tell(Exception e)
        {
            what = e;
            came.Set();
        }

        public Exception Wait()
        {
            Assert.True(came.Wait(TimeSpan.FromMinutes(5)));
            return what!;
        }

        public void Dispose() => came.Dispose();
    }
}
