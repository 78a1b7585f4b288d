using FastXen.Events;
using FastXen.Xen.EventChannels;

namespace FastXen.Xen.Tests.EventChannels;

public sealed class EventChannelTests : IDisposable
{
    private readonly Machine machine = new();
    private readonly Guest a;
    private readonly Guest b;

    public EventChannelTests()
    {
        a = machine.Add(1, vcpus: 4);
        b = machine.Add(2, vcpus: 2);
    }

    public void Dispose() => machine.Dispose();

    private EventChannelTable A => a.Domain.EventChannels;

    private EventChannelTable B => b.Domain.EventChannels;

    private (uint A, uint B) Connect()
    {
        int mine = A.AllocateUnbound(2);
        int theirs = B.BindInterdomain(1, (uint)mine);
        Assert.True(mine > 0 && theirs > 0);
        b.TakeEvents();
        return ((uint)mine, (uint)theirs);
    }

    private static ChannelStatus StatusOf(EventChannelTable table, uint port)
    {
        Assert.Equal(0, table.Status(port, out ChannelStatus status));
        return status;
    }

    [Fact]
    public void NewDomainsHaveUpcallsMaskedAndNothingElseSet()
    {
        for (int vcpu = 0; vcpu < 4; vcpu++)
            Assert.Equal((0, 1, 0UL), (a.UpcallPending(vcpu), a.UpcallMask(vcpu), a.Selector(vcpu)));
        Assert.Equal(0UL, a.Mask(0));
        Assert.Equal(ChannelState.Free, StatusOf(A, 0).State);
        Assert.Equal(-Errno.EINVAL, A.Close(0));
        Assert.Equal(-Errno.EINVAL, A.Send(0));
    }

    [Fact]
    public void AnEventSetsPendingSelectorAndUpcall()
    {
        (uint mine, uint theirs) = Connect();
        int told = b.Notified();
        Assert.Equal(0, A.Send(mine));
        Assert.True(b.IsPending((int)theirs));
        Assert.Equal(1UL << (int)(theirs / 64), b.Selector());
        Assert.Equal(1, b.UpcallPending());
        Assert.Equal(told + 1, b.Notified());
        // A second one before the guest looks adds nothing.
        Assert.Equal(0, A.Send(mine));
        Assert.Equal(told + 1, b.Notified());
        Assert.Equal([(int)theirs], b.TakeEvents());
        Assert.Equal(0, A.Send(mine));
        Assert.Equal(told + 2, b.Notified());
        Assert.Equal(0, a.UpcallPending());
    }

    [Fact]
    public void TheUpcallByteIsSetOnlyWithANewSelectorBit()
    {
        (uint mine, _) = Connect();
        (uint second, uint theirSecond) = Connect();
        A.Send(mine);
        // The guest cleared the byte but has not taken the selector: it will see the second event there.
        b.UpcallPending() = 0;
        int told = b.Notified();
        A.Send(second);
        Assert.Equal(0, b.UpcallPending());
        Assert.Equal(told, b.Notified());
        Assert.True(b.IsPending((int)theirSecond));
    }

    [Fact]
    public void AMaskedEventWaitsForUnmask()
    {
        (uint mine, uint theirs) = Connect();
        b.Mask(0) = 1UL << (int)theirs;
        int told = b.Notified();
        A.Send(mine);
        Assert.Equal((0, 0UL), (b.UpcallPending(), b.Selector()));
        Assert.True(b.IsPending((int)theirs));
        Assert.Equal(0, B.Unmask(theirs));
        Assert.Equal((1, 1UL), (b.UpcallPending(), b.Selector()));
        Assert.Equal(0UL, b.Mask(0));
        Assert.Equal(told + 1, b.Notified());
        // Not masked, or not pending: nothing happens.
        b.TakeEvents();
        Assert.Equal(0, B.Unmask(theirs));
        b.Mask(0) = 1UL << (int)theirs;
        Assert.Equal(0, B.Unmask(theirs));
        Assert.Equal(told + 1, b.Notified());
        Assert.Equal(-Errno.EINVAL, B.Unmask(4096));
        Assert.Equal(0, B.Unmask(100));
    }

    [Fact]
    public void UnboundPortsDropEventsAndTheBinderBeginsWithOne()
    {
        int mine = A.AllocateUnbound(2);
        Assert.Equal(new ChannelStatus(ChannelState.Unbound, 0, 2, 0), StatusOf(A, (uint)mine));
        Assert.Equal(0, A.Send((uint)mine));
        int theirs = B.BindInterdomain(1, (uint)mine);
        Assert.Equal([theirs], b.TakeEvents());
        Assert.Empty(a.TakeEvents());
        Assert.Equal(new ChannelStatus(ChannelState.Interdomain, 0, 2, theirs), StatusOf(A, (uint)mine));
        Assert.Equal(new ChannelStatus(ChannelState.Interdomain, 0, 1, mine), StatusOf(B, (uint)theirs));
    }

    [Fact]
    public void OnlyTheInvitedDomainBinds()
    {
        machine.Add(3);
        int port = A.AllocateUnbound(3);
        Assert.Equal(-Errno.EINVAL, B.BindInterdomain(1, (uint)port));
        Assert.Equal(-Errno.EINVAL, B.BindInterdomain(1, 50));
        Assert.Equal(-Errno.EINVAL, B.BindInterdomain(1, 0));
        Assert.Equal(-Errno.EINVAL, B.BindInterdomain(1, 4096));
        Assert.Equal(-Errno.EINVAL, B.BindInterdomain(1, uint.MaxValue));
        Assert.Equal(-Errno.ESRCH, B.BindInterdomain(9, 1));
        (uint mine, _) = Connect();
        Assert.Equal(-Errno.EINVAL, B.BindInterdomain(1, mine));
    }

    [Fact]
    public void ADomainTalksToItself()
    {
        int one = A.AllocateUnbound(1);
        int two = A.BindInterdomain(DomainIds.Self, (uint)one);
        Assert.Equal([two], a.TakeEvents());
        A.Send((uint)two);
        Assert.Equal([one], a.TakeEvents());
        Assert.Equal(0, A.Close((uint)one));
        Assert.Equal(ChannelState.Unbound, StatusOf(A, (uint)two).State);
    }

    [Fact]
    public void ClosingUnbindsTheOtherEnd()
    {
        (uint mine, uint theirs) = Connect();
        A.Send(mine);
        B.Send(theirs);
        Assert.Equal(0, A.Close(mine));
        Assert.False(a.IsPending((int)mine));
        Assert.True(b.IsPending((int)theirs));
        Assert.Equal(ChannelState.Free, StatusOf(A, mine).State);
        Assert.Equal(new ChannelStatus(ChannelState.Unbound, 0, 1, 0), StatusOf(B, theirs));
        Assert.Equal(-Errno.EINVAL, A.Send(mine));
        Assert.Equal(-Errno.EINVAL, A.Close(mine));
        Assert.Equal(0, B.Send(theirs));
        // It can be bound again.
        int again = A.BindInterdomain(2, theirs);
        Assert.Equal((int)mine, again);
        b.TakeEvents();
        A.Send(mine);
        Assert.Equal([(int)theirs], b.TakeEvents());
    }

    [Fact]
    public void VirqsOfAVcpuAreBoundThereAndStay()
    {
        int first = A.BindVirq(Virq.Itc, 0), second = A.BindVirq(Virq.Itc, 3);
        Assert.True(first > 0 && second > 0);
        Assert.Equal(-Errno.EEXIST, A.BindVirq(Virq.Itc, 3));
        Assert.Equal(-Errno.EINVAL, A.BindVcpu((uint)second, 1));
        // A timer that expired earlier waits for its event to be bound.
        Assert.Equal(1, a.Notified(3));
        Assert.True(A.SendVirq(Virq.Itc, 3));
        Assert.Equal(2, a.Notified(3));
        Assert.Equal([second], a.TakeEvents(3));
        Assert.False(A.SendVirq(Virq.Itc, 1));
        Assert.False(A.IsVirqBound(Virq.Itc, 1));
        Assert.Equal(new ChannelStatus(ChannelState.Virq, 3, 0, Virq.Itc), StatusOf(A, (uint)second));
        Assert.Equal(-Errno.EINVAL, A.Send((uint)second));
        A.Close((uint)second);
        Assert.False(A.SendVirq(Virq.Itc, 3));
        Assert.Equal(second, A.BindVirq(Virq.MachineCheckCmc, 2));
    }

    [Fact]
    public void GlobalVirqsBeginOnVcpu0AndMove()
    {
        Assert.Equal(-Errno.EINVAL, A.BindVirq(Virq.Console, 1));
        Assert.Equal(-Errno.EINVAL, A.BindVirq(Virq.MachineCheckCpe, 9));
        int port = A.BindVirq(Virq.Console, 0);
        Assert.Equal(0, A.BindVcpu((uint)port, 2));
        Assert.True(A.SendVirq(Virq.Console));
        Assert.Equal((0, 1), (a.Notified(0), a.Notified(2)));
        Assert.Equal(-Errno.EINVAL, A.BindVirq(-1, 0));
        Assert.Equal(-Errno.EINVAL, A.BindVirq(24, 0));
        Assert.Equal(-Errno.ENOENT, A.BindVirq(Virq.Itc, 4));
        Assert.Equal(-Errno.ENOENT, A.BindVirq(Virq.Itc, -1));
    }

    [Fact]
    public void IpisGoToTheirVcpu()
    {
        Assert.Equal(-Errno.ENOENT, A.BindIpi(4));
        int port = A.BindIpi(2);
        Assert.Equal(0, A.Send((uint)port));
        Assert.Equal([port], a.TakeEvents(2));
        Assert.Equal(-Errno.EINVAL, A.BindVcpu((uint)port, 1));
        Assert.Equal(new ChannelStatus(ChannelState.Ipi, 2, 0, 0), StatusOf(A, (uint)port));
    }

    [Fact]
    public void BindVcpuSaysWhoIsNotified()
    {
        (uint mine, uint theirs) = Connect();
        Assert.Equal(0, A.BindVcpu(mine, 3));
        B.Send(theirs);
        Assert.Equal((0, 1), (a.Notified(0), a.Notified(3)));
        Assert.Equal([(int)mine], a.TakeEvents(3));
        Assert.Equal(-Errno.ENOENT, A.BindVcpu(mine, 4));
        Assert.Equal(-Errno.EINVAL, A.BindVcpu(4096, 0));
        Assert.Equal(-Errno.EINVAL, A.BindVcpu(100, 0));
        // It survives the peer, not the port.
        B.Close(theirs);
        Assert.Equal(3, StatusOf(A, mine).Vcpu);
        A.Close(mine);
        Assert.Equal(0, StatusOf(A, mine).Vcpu);
    }

    private sealed class Pirqs : IPirqController
    {
        public List<string> Calls { get; } = [];

        public bool IsPermitted(int pirq) => pirq != 7;

        public int Bind(int pirq, bool willShare)
        {
            Calls.Add($"bind {pirq} {willShare}");
            return pirq == 8 ? -Errno.EBUSY : 0;
        }

        public void Bound(int pirq) => Calls.Add($"bound {pirq}");

        public void Unbind(int pirq) => Calls.Add($"unbind {pirq}");

        public void SetAffinity(int pirq, int vcpu) => Calls.Add($"affinity {pirq} {vcpu}");
    }

    [Fact]
    public void PirqsAreBoundByPermission()
    {
        Assert.Equal(-Errno.EPERM, A.BindPirq(5, false));
        var pirqs = new Pirqs();
        A.PirqController = pirqs;
        Assert.Equal(-Errno.EINVAL, A.BindPirq(-1, false));
        Assert.Equal(-Errno.EINVAL, A.BindPirq(256, false));
        Assert.Equal(-Errno.EPERM, A.BindPirq(7, false));
        Assert.Equal(-Errno.EBUSY, A.BindPirq(8, false));
        int port = A.BindPirq(5, true);
        Assert.True(port > 0);
        Assert.Equal(-Errno.EEXIST, A.BindPirq(5, true));
        Assert.Equal(new ChannelStatus(ChannelState.Pirq, 0, 0, 5), StatusOf(A, (uint)port));
        Assert.Equal(0, A.BindVcpu((uint)port, 1));
        Assert.Equal(0, A.BindVcpu((uint)port, 1));
        Assert.True(A.SendPirq(5));
        Assert.Equal([port], a.TakeEvents(1));
        Assert.Equal(0, A.Close((uint)port));
        Assert.False(A.SendPirq(5));
        Assert.Equal(["bind 8 False", "bind 5 True", "bound 5", "affinity 5 1", "unbind 5"], pirqs.Calls);
    }

    [Fact]
    public void ThereAre4095PortsAndTheLowestFreeOneIsTaken()
    {
        for (int port = 1; port < 4096; port++)
            Assert.Equal(port, A.AllocateUnbound(2));
        Assert.Equal(-Errno.ENOSPC, A.AllocateUnbound(2));
        Assert.Equal(-Errno.ENOSPC, A.BindIpi(0));
        Assert.Equal(-Errno.ENOSPC, A.BindVirq(Virq.Itc, 0));
        A.Close(77);
        A.Close(3000);
        Assert.Equal(77, A.BindIpi(0));
        Assert.Equal(3000, A.BindIpi(1));
        A.Send(3000);
        Assert.Equal([3000], a.TakeEvents(1));
        A.Reset();
        Assert.Equal(1, A.AllocateUnbound(2));
    }

    [Fact]
    public void PortsThatNeverWereAreInvalid()
    {
        Assert.Equal(0, A.Status(127, out _));
        Assert.Equal(-Errno.EINVAL, A.Status(128, out _));
        Assert.Equal(-Errno.EINVAL, A.Status(uint.MaxValue, out _));
        Assert.Equal(-Errno.EINVAL, A.Close(128));
        Assert.Equal(-Errno.EINVAL, A.Send(128));
    }

    [Fact]
    public void PollsEndWithAnEvent()
    {
        (uint mine, uint theirs) = Connect();
        Assert.Equal(1, B.BeginPoll(1, [theirs]));
        Assert.True(B.IsPolling(1));
        b.Mask(0) = ulong.MaxValue;
        A.Send(mine);
        Assert.False(B.IsPolling(1));
        Assert.Equal(1, b.Notified(1));
        // Pending already.
        Assert.Equal(0, B.BeginPoll(1, [5, theirs]));
        Assert.False(B.IsPolling(1));
        // Of one port only.
        int ipi = B.BindIpi(0);
        b.Pending(0) = 0;
        Assert.Equal(1, B.BeginPoll(1, [theirs]));
        B.Send((uint)ipi);
        Assert.True(B.IsPolling(1));
        B.EndPoll(1);
        // A poll of several ends with any event: it looks again.
        b.Pending(0) = 0;
        Assert.Equal(1, B.BeginPoll(1, [theirs, 77]));
        B.Send((uint)ipi);
        Assert.False(B.IsPolling(1));
        Assert.Equal(-Errno.EINVAL, B.BeginPoll(1, [4096]));
        Assert.Equal(-Errno.EINVAL, B.BeginPoll(1, new uint[129]));
        Assert.False(B.IsPolling(1));
    }

    [Fact]
    public void AnUpcallThatIsDueEndsAPollAtOnce()
    {
        (uint mine, _) = Connect();
        Assert.Equal(1, B.BeginPoll(0, []));
        B.EndPoll(0);
        A.Send(mine);
        Assert.Equal(1, B.BeginPoll(0, [77]));
        B.EndPoll(0);
        B.SetUpcallMask(0, masked: false);
        Assert.True(B.NeedsDelivery(0));
        Assert.Equal(0, B.BeginPoll(0, [77]));
    }

    private sealed class Sink : IEventSink
    {
        public int Count;

        public void Signal() => Interlocked.Increment(ref Count);
    }

    [Fact]
    public void ServicesOfTheHostAreAtTheOtherEnd()
    {
        var sink = new Sink();
        int port = A.AllocateUnbound(0);
        Assert.Null(A.BindHost(2, (uint)port, sink));
        Assert.Null(A.BindHost(0, 99, sink));
        Assert.Null(A.BindHost(0, 4096, sink));
        HostChannel? channel = A.BindHost(0, (uint)port, sink);
        Assert.NotNull(channel);
        Assert.Equal((ChannelState.Interdomain, 0), (StatusOf(A, (uint)port).State, StatusOf(A, (uint)port).Domain));
        Assert.Equal(1, sink.Count);
        A.BindVcpu((uint)port, 2);
        A.Send((uint)port);
        Assert.Equal(2, sink.Count);
        channel.Notify();
        Assert.Equal([port], a.TakeEvents(2));

        // The host closes: unbound again, and a new service binds.
        channel.Close();
        channel.Close();
        Assert.False(channel.IsConnected);
        channel.Notify();
        Assert.Empty(a.TakeEvents(2));
        Assert.Equal(new ChannelStatus(ChannelState.Unbound, 2, 0, 0), StatusOf(A, (uint)port));
        HostChannel? second = A.BindHost(0, (uint)port, sink);
        Assert.NotNull(second);
        channel.Notify();
        Assert.Empty(a.TakeEvents(2));

        // The guest closes: the service is told, and its sends go nowhere even when the port lives again.
        int before = sink.Count;
        A.Close((uint)port);
        Assert.False(second.IsConnected);
        Assert.Equal(before + 1, sink.Count);
        Assert.Equal(port, A.AllocateUnbound(0));
        HostChannel? third = A.BindHost(0, (uint)port, sink);
        second.Notify();
        second.Close();
        Assert.Empty(a.TakeEvents(0));
        third!.Notify();
        Assert.Equal([port], a.TakeEvents(0));
    }

    [Fact]
    public void ADyingDomainLeavesUnboundEnds()
    {
        (uint mine, uint theirs) = Connect();
        b.Domain.Destroy();
        Assert.Equal(ChannelState.Unbound, StatusOf(A, mine).State);
        Assert.Equal(0, A.Send(mine));
        Assert.Equal(-Errno.EINVAL, B.AllocateUnbound(1));
        Assert.Equal(-Errno.ESRCH, A.BindInterdomain(2, theirs));
    }
}
