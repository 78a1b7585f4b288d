using FastXen.Xen.EventChannels;

namespace FastXen.Xen.Tests.EventChannels;

public sealed class EventChannelRaceTests : IDisposable
{
    private readonly Machine machine = new();

    public void Dispose() => machine.Dispose();

    private static void Run(params Action[] bodies)
    {
        Exception? failure = null;
        Thread[] threads = [.. bodies.Select(body => new Thread(() =>
        {
            try
            {
                body();
            }
            catch (Exception e)
            {
                Interlocked.CompareExchange(ref failure, e, null);
            }
        }))];
        foreach (Thread thread in threads)
            thread.Start();
        foreach (Thread thread in threads)
            thread.Join();
        Assert.Null(failure);
    }

    /// <summary>Every domain notifies every other one at once; each writes a number before it sends. The last number is always seen.</summary>
    [Fact]
    public void NoEventIsLostInAStorm()
    {
        const int Domains = 4, Sends = 4000;
        Guest[] guests = [.. Enumerable.Range(1, Domains).Select(id => machine.Add((ushort)id))];
        var ports = new int[Domains, Domains];
        for (int i = 0; i < Domains; i++)
        {
            for (int j = i + 1; j < Domains; j++)
            {
                ports[i, j] = guests[i].Domain.EventChannels.AllocateUnbound(guests[j].Domain.Id);
                ports[j, i] = guests[j].Domain.EventChannels.BindInterdomain(guests[i].Domain.Id, (uint)ports[i, j]);
            }
        }
        var sent = new int[Domains, Domains];
        var seen = new int[Domains, Domains];
        var taken = new int[Domains];
        Run([.. Enumerable.Range(0, Domains).SelectMany(me => new Action[]
        {
            () =>
            {
                for (int n = 1; n <= Sends; n++)
                {
                    for (int to = 0; to < Domains; to++)
                    {
                        if (to == me)
                            continue;
                        Volatile.Write(ref sent[me, to], n);
                        guests[me].Domain.EventChannels.Send((uint)ports[me, to]);
                    }
                }
            },
            () =>
            {
                // The guest sleeps until it is notified: a lost notification is a hang, which the bound ends.
                int told = 0;
                for (long idle = 0; idle < 2_000_000_000;)
                {
                    bool all = true;
                    for (int from = 0; from < Domains; from++)
                        all &= from == me || seen[from, me] == Sends;
                    if (all)
                        return;
                    int now = guests[me].Notified();
                    if (now == told)
                    {
                        idle++;
                        Thread.Yield();
                        continue;
                    }
                    told = now;
                    foreach (int port in guests[me].TakeEvents())
                    {
                        taken[me]++;
                        for (int from = 0; from < Domains; from++)
                        {
                            if (from != me && ports[me, from] == port)
                                seen[from, me] = Volatile.Read(ref sent[from, me]);
                        }
                    }
                }
                Assert.Fail("an event was lost");
            },
        })]);
        foreach (int count in taken)
            Assert.InRange(count, 1, (Domains - 1) * (Sends + 1));
    }

    /// <summary>While one side sends, the other closes its port and binds the number to something else: that never gets an event.</summary>
    [Fact]
    public void NothingArrivesAtWhatAPortIsBoundToNext()
    {
        const int Rounds = 3000;
        Guest a = machine.Add(1), b = machine.Add(2);
        EventChannelTable sender = a.Domain.EventChannels, receiver = b.Domain.EventChannels;
        uint mine = (uint)sender.AllocateUnbound(2);
        bool stop = false;
        int strays = 0;
        Run(
            () =>
            {
                while (!Volatile.Read(ref stop))
                    sender.Send(mine);
            },
            () =>
            {
                for (int round = 0; round < Rounds; round++)
                {
                    int port = receiver.BindInterdomain(1, mine);
                    Assert.Equal(1, port);
                    if ((round & 7) == 0)
                        Thread.Yield();
                    Assert.Equal(0, receiver.Close((uint)port));
                    // Whatever was sent before is gone, and what is sent from now on is for nobody.
                    Assert.Equal(port, receiver.BindIpi(0));
                    for (int i = 0; i < 5; i++)
                    {
                        if (b.IsPending(port))
                            strays++;
                    }
                    Assert.Equal(0, receiver.Close((uint)port));
                }
                Volatile.Write(ref stop, true);
            });
        Assert.Equal(0, strays);
    }

    [Fact]
    public void ClosingWaitsForASenderThatIsInside()
    {
        Guest a = machine.Add(1);
        EventChannelTable table = a.Domain.EventChannels;
        int port = table.BindIpi(0);
        ChannelWord binding = ChannelWord.Of(ChannelState.Ipi);
        Assert.True(table.TryEnter(port, binding, out _));
        Assert.True(table.TryEnter(port, binding, out _));
        int result = 1;
        var closer = new Thread(() => Volatile.Write(ref result, table.Close((uint)port)));
        closer.Start();
        // From now on nobody else gets in.
        while (table.TryEnter(port, binding, out _))
        {
            table.Leave(port);
            Thread.Yield();
        }
        Assert.False(closer.Join(20));
        table.Leave(port);
        Assert.False(closer.Join(20));
        // What the sender sets before it leaves goes with the port.
        a.Pending(0) = 1UL << port;
        table.Leave(port);
        closer.Join();
        Assert.Equal(0, result);
        Assert.False(a.IsPending(port));
        Assert.Equal(port, table.BindIpi(0));
    }

    /// <summary>Both ends close and bind at random on several threads, in both orders of locks; the two ends always agree afterwards.</summary>
    [Fact]
    public void BothEndsBindAndClose()
    {
        Guest a = machine.Add(1), b = machine.Add(2);
        EventChannelTable[] tables = [a.Domain.EventChannels, b.Domain.EventChannels];
        Run([.. Enumerable.Range(0, 4).Select(thread => new Action(() =>
        {
            var random = new Random(thread);
            EventChannelTable me = tables[thread & 1], you = tables[~thread & 1];
            ushort yours = (ushort)(2 - (thread & 1));
            for (int round = 0; round < 4000; round++)
            {
                uint port = (uint)random.Next(1, 12);
                switch (random.Next(6))
                {
                    case 0:
                        me.AllocateUnbound(yours);
                        break;
                    case 1:
                        me.BindInterdomain(yours, port);
                        break;
                    case 2 or 3:
                        me.Close(port);
                        break;
                    default:
                        me.Send(port);
                        break;
                }
            }
        }))]);
        for (int side = 0; side < 2; side++)
        {
            for (uint port = 0; port < 128; port++)
            {
                if (tables[side].Status(port, out ChannelStatus status) != 0 || status.State != ChannelState.Interdomain)
                    continue;
                Assert.Equal(0, tables[1 - side].Status((uint)status.Target, out ChannelStatus other));
                Assert.Equal((ChannelState.Interdomain, side + 1, (int)port), (other.State, other.Domain, other.Target));
            }
        }
    }

    [Fact]
    public void PollersAreAlwaysWoken()
    {
        const int Rounds = 5000;
        Guest guest = machine.Add(1, vcpus: 2);
        EventChannelTable table = guest.Domain.EventChannels;
        uint port = (uint)table.BindIpi(0);
        guest.Mask(0) = ulong.MaxValue;
        int round = 0, polled = 0;
        Run(
            () =>
            {
                for (int i = 1; i <= Rounds; i++)
                {
                    table.Send(port);
                    Volatile.Write(ref round, i);
                    for (long spin = 0; Volatile.Read(ref polled) < i; spin++)
                    {
                        Assert.True(spin < 100_000_000, "a poller was not woken");
                        Thread.Yield();
                    }
                }
            },
            () =>
            {
                for (int i = 1; i <= Rounds; i++)
                {
                    if (table.BeginPoll(1, [port]) == 1)
                    {
                        for (long spin = 0; table.IsPolling(1); spin++)
                        {
                            Assert.True(spin < 100_000_000, "a poller was not woken");
                            Thread.Yield();
                        }
                    }
                    while (Volatile.Read(ref round) < i)
                        Thread.Yield();
                    guest.Pending(0) = 0;
                    Volatile.Write(ref polled, i);
                }
            });
    }

    /// <summary>Random operations on three domains against a plain model.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void TheTableIsTheModel(int seed)
    {
        const int Domains = 3, Ports = 8;
        var random = new Random(seed);
        Guest[] guests = [.. Enumerable.Range(0, Domains).Select(id => machine.Add((ushort)(id + 1), vcpus: 2))];
        var model = new (ChannelState State, int Domain, int Target, bool Pending)[Domains, 130];
        for (int step = 0; step < 20_000; step++)
        {
            int me = random.Next(Domains), you = random.Next(Domains);
            int port = random.Next(Ports), remote = random.Next(Ports);
            EventChannelTable table = guests[me].Domain.EventChannels;
            int free = 1;
            while (model[me, free].State != ChannelState.Free)
                free++;
            ref var mine = ref model[me, port];
            switch (random.Next(6))
            {
                case 0 when free < Ports:
                    Assert.Equal(free, table.AllocateUnbound((ushort)(you + 1)));
                    model[me, free] = (ChannelState.Unbound, you, 0, false);
                    break;
                case 1 when free < Ports:
                    ref var theirs = ref model[you, remote];
                    if (theirs.State == ChannelState.Unbound && theirs.Domain == me)
                    {
                        Assert.Equal(free, table.BindInterdomain((ushort)(you + 1), (uint)remote));
                        theirs = (ChannelState.Interdomain, me, free, theirs.Pending);
                        model[me, free] = (ChannelState.Interdomain, you, remote, true);
                    }
                    else
                    {
                        Assert.Equal(-Errno.EINVAL, table.BindInterdomain((ushort)(you + 1), (uint)remote));
                    }
                    break;
                case 2:
                    bool isOpen = mine.State != ChannelState.Free && port != 0;
                    Assert.Equal(isOpen ? 0 : -Errno.EINVAL, table.Close((uint)port));
                    if (!isOpen)
                        break;
                    if (mine.State == ChannelState.Interdomain)
                    {
                        ref var peer = ref model[mine.Domain, mine.Target];
                        peer = (ChannelState.Unbound, me, 0, peer.Pending);
                    }
                    mine = default;
                    break;
                case 3 when free < Ports:
                    Assert.Equal(free, table.BindIpi(1));
                    model[me, free] = (ChannelState.Ipi, 0, 0, false);
                    break;
                case 4:
                    bool isSendable = port != 0 && mine.State != ChannelState.Free;
                    Assert.Equal(isSendable ? 0 : -Errno.EINVAL, table.Send((uint)port));
                    if (mine.State == ChannelState.Interdomain)
                        model[mine.Domain, mine.Target].Pending = true;
                    else if (mine.State == ChannelState.Ipi)
                        mine.Pending = true;
                    break;
                case 5:
                    for (int vcpu = 0; vcpu < 2; vcpu++)
                        guests[me].TakeEvents(vcpu);
                    for (int i = 0; i < Ports; i++)
                    {
                        Assert.False(guests[me].IsPending(i));
                        model[me, i].Pending = false;
                    }
                    break;
            }
            Check(guests, model, Ports);
        }

        static void Check(Guest[] guests, (ChannelState State, int Domain, int Target, bool Pending)[,] model, int ports)
        {
            for (int d = 0; d < guests.Length; d++)
            {
                for (int i = 1; i < ports; i++)
                {
                    guests[d].Domain.EventChannels.Status((uint)i, out ChannelStatus status);
                    var expected = model[d, i];
                    Assert.Equal(expected.State, status.State);
                    Assert.Equal(expected.Pending, guests[d].IsPending(i));
                    if (expected.State == ChannelState.Interdomain)
                        Assert.Equal((expected.Domain + 1, expected.Target), (status.Domain, status.Target));
                }
            }
        }
    }
}
