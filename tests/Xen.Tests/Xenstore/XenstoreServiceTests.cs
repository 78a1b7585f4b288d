using System.Runtime.InteropServices;
using System.Text;
using FastXen.Xen.Xenstore;
using static FastXen.Xen.Tests.Xenstore.GuestRing;

namespace FastXen.Xen.Tests.Xenstore;

/// <summary>The rings of domains, as their kernels use them.</summary>
public sealed unsafe class XenstoreServiceTests : IDisposable
{
    private readonly Machine machine = new();
    private readonly XenstoreService service;

    public XenstoreServiceTests()
    {
        service = new XenstoreService(machine.Directory, new XenstoreServer());
        for (ushort id = 1; id <= 2; id++)
            service.Server.Set($"/local/domain/{id}", "", new Permission(id, Access.None));
    }

    public void Dispose()
    {
        service.Dispose();
        machine.Dispose();
    }

    private Guest Introduce(ushort id, out uint port)
    {
        Guest guest = machine.Add(id);
        port = (uint)guest.Domain.EventChannels.AllocateUnbound(0);
        Assert.Equal(0, service.Introduce(id, RingFrame, port));
        return guest;
    }

    [Fact]
    public void RequestsGoThroughTheRing()
    {
        Guest guest = Introduce(1, out uint port);
        int told = guest.Notified();
        Assert.Equal("Write:OK\0", Ask(guest, port, RequestType.Write, "data\0hello"));
        Assert.Equal("Read:hello", Ask(guest, port, RequestType.Read, "/local/domain/1/data\0"));
        Assert.Equal("Error:EACCES\0", Ask(guest, port, RequestType.Read, "/local/domain/2/data\0"));
        Assert.True(guest.IsPending((int)port) && guest.Notified() == told + 1);
        Assert.Equal("hello", service.Server.Get("/local/domain/1/data"));
        // Bigger than the ring, both ways.
        string big = new('x', 2000);
        Assert.Equal("Write:OK\0", Ask(guest, port, RequestType.Write, "data\0" + big));
        Assert.Equal("Read:" + big, Ask(guest, port, RequestType.Read, "data\0"));
    }

    [Fact]
    public void DomainsWatchOneAnother()
    {
        Guest one = Introduce(1, out uint portOne), two = Introduce(2, out uint portTwo);
        Assert.Equal("Watch:OK\0", Ask(one, portOne, RequestType.Watch, "/local/domain/2/state\0t\0"));
        Assert.Equal(RequestType.WatchEvent, MemoryMarshal.Read<MessageHeader>(Receive(one, portOne, 16)).Type);
        Receive(one, portOne, "/local/domain/2/state\0t\0".Length);
        Ask(two, portTwo, RequestType.Write, "state\01");
        Ask(two, portTwo, RequestType.SetPermissions, "state\0n2\0r1\0");
        MessageHeader header = MemoryMarshal.Read<MessageHeader>(Receive(one, portOne, 16));
        Assert.Equal(RequestType.WatchEvent, header.Type);
        Assert.Equal("/local/domain/2/state\0t\0", Encoding.Latin1.GetString(Receive(one, portOne, (int)header.Length)));
        Assert.Equal("Read:1", Ask(one, portOne, RequestType.Read, "/local/domain/2/state\0"));
    }

    [Fact]
    public void IntroducingAndReleasing()
    {
        var tool = new StoreTester(service.Server, 0, isDomain: false);
        tool.Watch("@introduceDomain", "i");
        tool.Watch("@releaseDomain", "r");
        tool.TakeEvents();
        Guest guest = machine.Add(1);
        uint port = (uint)guest.Domain.EventChannels.AllocateUnbound(0);
        Assert.Equal("!ENOENT", tool.Ask(RequestType.Introduce, $"9\0{RingFrame}\0{port}\0"));
        Assert.Equal("!EINVAL", tool.Ask(RequestType.Introduce, $"1\0999\0{port}\0"));
        Assert.Equal("!EINVAL", tool.Ask(RequestType.Introduce, $"1\0{RingFrame}\0{port + 1}\0"));
        Assert.Equal("!EINVAL", tool.Ask(RequestType.Introduce, $"1\0{RingFrame}\00\0"));
        Assert.False(guest.Memory.IsPinned(RingFrame));
        Assert.Equal("F\0", tool.Ask(RequestType.IsDomainIntroduced, "1\0"));
        Assert.Equal("OK\0", tool.Ask(RequestType.Introduce, $"1\0{RingFrame}\0{port}\0"));
        Assert.Equal("@introduceDomain i", tool.TakeEvents());
        Assert.Equal("T\0", tool.Ask(RequestType.IsDomainIntroduced, "1\0"));
        Assert.Equal("Write:OK\0", Ask(guest, port, RequestType.Write, "x\01"));

        // Again, with another channel: a new beginning of the same ring.
        uint second = (uint)guest.Domain.EventChannels.AllocateUnbound(0);
        Assert.Equal("!EINVAL", tool.Ask(RequestType.Introduce, $"1\0{RingFrame + 1}\0{second}\0"));
        Assert.Equal("OK\0", tool.Ask(RequestType.Introduce, $"1\0{RingFrame}\0{second}\0"));
        Assert.Equal(0u, Index(guest, RequestProducer));
        Assert.Equal("Read:1", Ask(guest, second, RequestType.Read, "x\0"));

        Assert.Equal("!EINVAL", tool.Ask(RequestType.Release, "x\0"));
        Assert.Equal("!ENOENT", tool.Ask(RequestType.Release, "9\0"));
        Assert.Equal("OK\0", tool.Ask(RequestType.Release, "1\0"));
        Assert.Equal("@releaseDomain r", tool.TakeEvents());
        Assert.False(guest.Memory.IsPinned(RingFrame));
        Assert.Equal("F\0", tool.Ask(RequestType.IsDomainIntroduced, "1\0"));
    }

    [Fact]
    public void ADomainCannotReleaseTheRingItAsksThrough()
    {
        Guest zero = machine.Add(0, isPrivileged: true);
        uint port = (uint)zero.Domain.EventChannels.AllocateUnbound(0);
        Assert.Equal(0, service.Introduce(0, RingFrame, port));
        Assert.Equal("Error:EINVAL\0", Ask(zero, port, RequestType.Release, "0\0"));
        Assert.Equal("Error:EINVAL\0", Ask(zero, port, RequestType.Introduce, $"0\0{RingFrame}\0{port}\0"));
        Guest guest = machine.Add(1);
        uint theirs = (uint)guest.Domain.EventChannels.AllocateUnbound(0);
        Assert.Equal("Introduce:OK\0", Ask(zero, port, RequestType.Introduce, $"1\0{RingFrame}\0{theirs}\0"));
        Assert.Equal("Write:OK\0", Ask(guest, theirs, RequestType.Write, "x\01"));
        Assert.Equal("Release:OK\0", Ask(zero, port, RequestType.Release, "1\0"));
    }

    [Theory]
    [InlineData(RequestProducer, 2000u)]
    [InlineData(RequestProducer, 0x8000_0000u)]
    [InlineData(ResponseConsumer, 1u)]
    [InlineData(ResponseConsumer, 0xffff_0000u)]
    public void ImpossibleIndicesEndTheServiceOfThatDomain(int offset, uint value)
    {
        Guest bad = Introduce(1, out uint badPort), good = Introduce(2, out uint goodPort);
        Assert.Equal("Write:OK\0", Ask(good, goodPort, RequestType.Write, "x\01"));
        if (offset == ResponseConsumer)
        {
            byte[] request = new MessageHeader(RequestType.Read, 1, 0, 0).ToMessage("x\0"u8);
            request.CopyTo(new Span<byte>(bad.Host(RingFrame), 1024));
            Index(bad, RequestProducer) = (uint)request.Length;
        }
        Volatile.Write(ref Index(bad, offset), value);
        bad.Domain.EventChannels.Send(badPort);
        Assert.Equal("Read:1", Ask(good, goodPort, RequestType.Read, "x\0"));
        uint consumer = Index(bad, RequestConsumer);
        bad.Domain.EventChannels.Send(badPort);
        Assert.Equal("Read:1", Ask(good, goodPort, RequestType.Read, "x\0"));
        Assert.Equal((consumer, 0u), (Index(bad, RequestConsumer), Index(bad, ResponseProducer)));
    }

    [Fact]
    public void AMessageThatIsTooLongEndsTheService()
    {
        Guest guest = Introduce(1, out uint port);
        Send(guest, port, [.. MemoryMarshal.AsBytes<uint>(new uint[] { 2, 1, 0, 4097 })]);
        Await(() => Index(guest, RequestConsumer) == 16);
        Send(guest, port, new byte[100]);
        Assert.Equal(0u, Index(guest, ResponseProducer));
        uint second = (uint)guest.Domain.EventChannels.AllocateUnbound(0);
        Assert.Equal(0, service.Introduce(1, RingFrame, second));
        Assert.Equal("Write:OK\0", Ask(guest, second, RequestType.Write, "x\01"));
    }

    [Fact]
    public void RandomBytesHarmNobody()
    {
        Guest good = Introduce(2, out uint goodPort);
        Ask(good, goodPort, RequestType.Write, "x\01");
        Guest bad = Introduce(1, out uint port);
        var random = new Random(3);
        var junk = new byte[200];
        for (int round = 0; round < 300; round++)
        {
            random.NextBytes(junk);
            // Half of the time a header that could be one, with paths that could be some.
            if (random.Next(2) == 0)
            {
                Span<uint> header = MemoryMarshal.Cast<byte, uint>(junk.AsSpan(0, 16));
                header[0] = (uint)random.Next(25);
                header[2] = (uint)random.Next(3);
                header[3] = (uint)random.Next(184);
                for (int i = 16; i < junk.Length; i++)
                    junk[i] = (byte)"/abx\0\0@15"[random.Next(9)];
            }
            new Span<byte>(junk).CopyTo(new Span<byte>(bad.Host(RingFrame) + random.Next(824), 200));
            Index(bad, RequestProducer) = random.Next(3) == 0 ? (uint)random.Next() : Index(bad, RequestConsumer) + (uint)random.Next(1025);
            Index(bad, ResponseConsumer) = random.Next(3) == 0 ? (uint)random.Next() : Index(bad, ResponseProducer);
            bad.Domain.EventChannels.Send(port);
            if (round % 10 != 0)
                continue;
            Assert.Equal("Read:1", Ask(good, goodPort, RequestType.Read, "x\0"));
            bad.Domain.EventChannels.Close(port);
            port = (uint)bad.Domain.EventChannels.AllocateUnbound(0);
            Assert.Equal(0, service.Introduce(1, RingFrame, port));
        }
        Assert.Equal(["1", "2"], service.Server.List("/local/domain"));
        Assert.Equal(["x"], service.Server.List("/local/domain/2"));
    }
}
