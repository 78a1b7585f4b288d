using System.IO.Pipes;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using FastXen.Xen.Xenstore;

namespace FastXen.Xen.Tests.Xenstore;

public sealed class XenstoreStreamTests
{
    private readonly XenstoreServer server = new();

    [Fact]
    public async Task ToolsUseASocket()
    {
        string path = Path.Combine(Path.GetTempPath(), $"fastxen-{Guid.NewGuid():n}.sock");
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        using var near = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        near.Connect(new UnixDomainSocketEndPoint(path));
        using Socket far = listener.Accept();
        File.Delete(path);
        using var session = new XenstoreStream(server, new NetworkStream(far));
        Task run = session.RunAsync();
        using (var client = new XenstoreClient(new NetworkStream(near, ownsSocket: true)))
        {
            client.Write("/tool/x", "1");
            Assert.Equal("1", client.Read("/tool/x"));
            Assert.Equal(["x"], client.List("/tool"));
            client.Watch("/tool", "t");
            Assert.Equal(("/tool", "t"), client.NextEvent());
            server.Set("/tool/y", "2");
            Assert.Equal(("/tool/y", "t"), client.NextEvent());
            client.Remove("/tool/x");
            Assert.Equal("ENOENT", Assert.Throws<XenstoreException>(() => client.Read("/tool/x")).Name);
            string big = new('b', 4000);
            client.Write("/tool/big", big);
            Assert.Equal(big, client.Read("/tool/big"));
        }
        await run.WaitAsync(TimeSpan.FromSeconds(60));
    }

    [Fact]
    public async Task ASocketThatSendsTooMuchIsClosed()
    {
        using var there = new AnonymousPipeServerStream(PipeDirection.Out);
        using var here = new AnonymousPipeClientStream(PipeDirection.In, there.ClientSafePipeHandle);
        using var session = new XenstoreStream(server, here);
        Task run = session.RunAsync();
        there.Write(MemoryMarshal.AsBytes<uint>(new uint[] { 2, 1, 0, 4097 }));
        await run.WaitAsync(TimeSpan.FromSeconds(60));
    }
}
