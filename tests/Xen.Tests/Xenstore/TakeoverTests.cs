using System.Text;
using FastXen.Xen.Xenstore;
using static FastXen.Xen.Tests.Xenstore.GuestRing;

namespace FastXen.Xen.Tests.Xenstore;

/// <summary>A privileged domain with a store of its own takes the domains of the host over.</summary>
public sealed unsafe class TakeoverTests : IDisposable
{
    private readonly Machine machine = new();
    private readonly XenstoreService service;
    private readonly Guest zero, guest;
    private readonly uint port;

    public TakeoverTests()
    {
        service = new XenstoreService(machine.Directory, new XenstoreServer());
        zero = machine.Add(0, isPrivileged: true);
        guest = machine.Add(1);
        port = (uint)guest.Domain.EventChannels.AllocateUnbound(0);
        new DomainHome { Domain = 1, Name = "one", Memory = 1 << 20, Vcpus = 1, Store = (RingFrame, (int)port) }.Write(service.Server);
        Assert.Equal(0, service.Introduce(1, RingFrame, port));
    }

    public void Dispose()
    {
        service.Dispose();
        machine.Dispose();
    }

    private static byte[] Request(RequestType type, string payload) => new MessageHeader(type, 7, 0, 0).ToMessage(Encoding.Latin1.GetBytes(payload));

    // What the host's store would have done is done when this has its answer.
    private void AskOnAnotherRing(ushort id)
    {
        Guest other = machine.Add(id);
        uint way = (uint)other.Domain.EventChannels.AllocateUnbound(0);
        Assert.Equal(0, service.Introduce(id, RingFrame, way));
        Assert.StartsWith("Error", Ask(other, way, RequestType.Read, "/nothing\0"), StringComparison.Ordinal);
    }

    [Fact]
    public void WhoBindsThePortServesTheRing()
    {
        var tool = new StoreTester(service.Server, 0, isDomain: false);
        tool.Watch("@releaseDomain", "r");
        tool.TakeEvents();
        Assert.Equal("Watch:OK\0", Ask(guest, port, RequestType.Watch, "control/shutdown\0t\0"));
        Receive(guest, port, MessageHeader.Size + "control/shutdown\0t\0".Length);
        Assert.True(service.Server.IsWatched(1, "/local/domain/1/control/shutdown"));
        Assert.Null(service.TakenOverBy(guest.Domain));
        Assert.Equal(("1024", "62"), (service.Server.Get("/local/domain/1/memory/target"), service.Server.Get("/local/domain/1/store/ring-ref")));

        int bound = zero.Domain.EventChannels.BindInterdomain(1, port);
        Assert.True(bound > 0);
        Assert.Equal((ushort)0, service.TakenOverBy(guest.Domain));
        Assert.Equal("@releaseDomain r", tool.TakeEvents());
        Assert.False(guest.Memory.IsPinned(RingFrame));
        Assert.False(service.Server.IsWatched(1, "/local/domain/1/control/shutdown"));
        // Names and places stay, what would be wrong from now on is gone.
        Assert.Equal(["device", "domid", "name", "store", "vm"], service.Server.List("/local/domain/1").Order());
        Assert.Equal("0", service.Server.Get("/local/domain/1/store/served-by"));

        // The host neither reads nor writes the ring any more; the new server has it to itself.
        uint consumer = Index(guest, RequestConsumer), producer = Index(guest, ResponseProducer);
        zero.TakeEvents();
        Send(guest, port, Request(RequestType.Write, "data\0x"));
        Assert.Equal([bound], zero.TakeEvents());
        AskOnAnotherRing(2);
        Assert.Equal((consumer, producer), (Index(guest, RequestConsumer), Index(guest, ResponseProducer)));
        Assert.Null(service.Server.Get("/local/domain/1/data/x"));
        guest.TakeEvents();
        zero.Domain.EventChannels.Send((uint)bound);
        Assert.Equal([(int)port], guest.TakeEvents());
        Assert.Equal(Errno.ENOENT, service.Release(1));
        Assert.Equal(Errno.EINVAL, service.Introduce(1, RingFrame, port));
    }

    [Fact]
    public void OnlyThePrivilegedTakeOver()
    {
        Guest other = machine.Add(3);
        Assert.Equal(-Errno.EINVAL, other.Domain.EventChannels.BindInterdomain(1, port));
        // Privileged, but the port is not for this domain.
        Guest second = machine.Add(4, isPrivileged: true);
        Assert.Equal(-Errno.EINVAL, second.Domain.EventChannels.BindInterdomain(1, port));
        Assert.Equal("Write:OK\0", Ask(guest, port, RequestType.Write, "data/x\01"));
        Assert.Null(service.TakenOverBy(guest.Domain));
    }

    [Fact]
    public void NotInTheMiddleOfARequest()
    {
        byte[] request = Request(RequestType.Write, "data/x\01");
        Send(guest, port, request.AsSpan(0, 20));
        Assert.Equal(-Errno.EAGAIN, zero.Domain.EventChannels.BindInterdomain(1, port));
        Send(guest, port, request.AsSpan(20));
        Receive(guest, port, MessageHeader.Size + 3);
        Assert.Equal("1", service.Server.Get("/local/domain/1/data/x"));
        Assert.True(zero.Domain.EventChannels.BindInterdomain(1, port) > 0);
    }

    [Fact]
    public void NotBeforeTheGuestHasItsReplies()
    {
        string big = new('x', 2000);
        Assert.Equal("Write:OK\0", Ask(guest, port, RequestType.Write, "data/x\0" + big));
        Send(guest, port, Request(RequestType.Read, "data/x\0"));
        Assert.Equal(-Errno.EAGAIN, zero.Domain.EventChannels.BindInterdomain(1, port));
        Receive(guest, port, MessageHeader.Size);
        Assert.Equal(big, Encoding.Latin1.GetString(Receive(guest, port, big.Length)));
        Assert.True(zero.Domain.EventChannels.BindInterdomain(1, port) > 0);
    }

    [Fact]
    public void ARequestThatIsInTheRingIsAnsweredBefore()
    {
        // Nobody has been told of it yet.
        byte[] request = Request(RequestType.Write, "data/x\01");
        request.CopyTo(new Span<byte>(guest.Host(RingFrame) + Index(guest, RequestProducer), request.Length));
        Index(guest, RequestProducer) += (uint)request.Length;
        Assert.True(zero.Domain.EventChannels.BindInterdomain(1, port) > 0);
        Assert.Equal(19u, Index(guest, ResponseProducer));
        Assert.True(guest.IsPending((int)port));
    }

    [Fact]
    public void ABrokenRingCanBeTaken()
    {
        Index(guest, RequestProducer) = 5000;
        Assert.True(zero.Domain.EventChannels.BindInterdomain(1, port) > 0);
    }

    [Fact]
    public void WhenTheNewServerDiesAnotherOneMayComeOrTheHostByIntroduction()
    {
        Assert.True(zero.Domain.EventChannels.BindInterdomain(1, port) > 0);
        zero.Domain.Destroy();
        // The host does not come back by itself.
        Send(guest, port, Request(RequestType.Write, "data/x\01"));
        AskOnAnotherRing(2);
        Assert.Null(service.Server.Get("/local/domain/1/data/x"));
        Guest next = machine.Add(0, isPrivileged: true);
        int bound = next.Domain.EventChannels.BindInterdomain(1, port);
        Assert.True(bound > 0);
        Assert.Equal(0, next.Domain.EventChannels.Close((uint)bound));
        Assert.Equal((ushort)0, service.TakenOverBy(guest.Domain));

        Assert.Equal(0, service.Introduce(1, RingFrame, port));
        Receive(guest, port, MessageHeader.Size + 3);
        Assert.Equal("1", service.Server.Get("/local/domain/1/data/x"));
        Assert.Null(service.TakenOverBy(guest.Domain));
        Assert.Null(service.Server.Get("/local/domain/1/store/served-by"));
    }

    [Fact]
    public void ADomainTakesItsOwnRing()
    {
        uint own = (uint)zero.Domain.EventChannels.AllocateUnbound(0);
        Assert.Equal(0, service.Introduce(0, RingFrame, own));
        int bound = zero.Domain.EventChannels.BindInterdomain(0, own);
        Assert.True(bound > 0);
        Assert.False(zero.Memory.IsPinned(RingFrame));
        zero.TakeEvents();
        zero.Domain.EventChannels.Send(own);
        Assert.Equal([bound], zero.TakeEvents());
    }

    [Fact]
    public void DomainsThatItMadeItselfAreNoBusinessOfTheHost()
    {
        Guest made = machine.Add(7);
        uint own = (uint)made.Domain.EventChannels.AllocateUnbound(0);
        new Span<byte>(made.Host(RingFrame), 4096).Fill(0x5a);
        int bound = zero.Domain.EventChannels.BindInterdomain(7, own);
        Assert.True(bound > 0);
        zero.TakeEvents();
        made.Domain.EventChannels.Send(own);
        service.Server.Set("/local/domain/7", "", new Permission(7, Access.None));
        service.Server.DomainStopped(7);
        AskOnAnotherRing(2);
        Assert.Equal(Errno.ENOENT, service.Release(7));
        Assert.Equal(-1, new Span<byte>(made.Host(RingFrame), 4096).IndexOfAnyExcept((byte)0x5a));
        Assert.Equal([bound], zero.TakeEvents());
        Assert.Null(service.TakenOverBy(made.Domain));
    }
}
