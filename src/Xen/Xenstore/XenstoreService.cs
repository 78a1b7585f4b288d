using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using FastXen.Xen.EventChannels;

namespace FastXen.Xen.Xenstore;

/// <summary>
/// The store as a service of the host: one thread serves the rings of all domains. Rings are opened when domains are introduced, by the
/// host or by a tool stack's INTRODUCE.
/// </summary>
public sealed class XenstoreService : IDomainIntroduction, IDisposable
{
    private readonly DomainDirectory directory;
    private readonly ConcurrentDictionary<ushort, Client> clients = new();
    // Domains whose rings other domains serve, and those, by number.
    private readonly ConditionalWeakTable<XenDomain, StrongBox<ushort>> taken = [];
    private readonly BlockingCollection<Client> ready = [];
    private readonly Thread thread;

    /// <summary>Starts the service.</summary>
    public XenstoreService(DomainDirectory directory, XenstoreServer server)
    {
        ArgumentNullException.ThrowIfNull(server);
        this.directory = directory;
        Server = server;
        server.Introduction = this;
        thread = new Thread(Run) { IsBackground = true, Name = "xenstore" };
        thread.Start();
    }

    /// <summary>The store.</summary>
    public XenstoreServer Server { get; }

    /// <inheritdoc/>
    public int Introduce(ushort domain, ulong frame, uint port)
    {
        XenDomain? found = directory.Find(domain);
        if (found == null)
            return Errno.ENOENT;
        if (clients.TryGetValue(domain, out Client? client))
        {
            // A guest that was resumed or restarted its kernel: the same page, another channel.
            if (client.Domain == found)
                return client.Frame == frame && client.Reconnect(port) ? 0 : Errno.EINVAL;
            // The last domain of this number.
            Release(domain);
        }
        // Before its requests are served: what may wait in the ring already finds its home.
        ushort? by = TakenOverBy(found);
        DomainHome.SetServer(Server, domain, null);
        client = Client.TryOpen(this, found, frame, port);
        if (client == null)
        {
            if (by != null)
                DomainHome.SetServer(Server, domain, by);
            return Errno.EINVAL;
        }
        if (!clients.TryAdd(domain, client))
        {
            client.Close();
            return Errno.EINVAL;
        }
        taken.Remove(found);
        Server.DomainIntroduced();
        client.Signal();
        return 0;
    }

    /// <summary>
    /// The domain that took over a domain's ring (it bound the port of it): for this domain nothing in this store is true any more but what the host keeps of it. Null: nobody did.
    /// </summary>
    public ushort? TakenOverBy(XenDomain domain) => taken.TryGetValue(domain, out StrongBox<ushort>? by) ? by.Value : null;

    /// <inheritdoc/>
    public int Release(ushort domain)
    {
        if (!clients.TryRemove(domain, out Client? client))
            return Errno.ENOENT;
        client.Close();
        Server.DomainReleased(domain);
        return 0;
    }

    /// <summary>Ends the thread and closes all rings.</summary>
    public void Dispose()
    {
        ready.CompleteAdding();
        thread.Join();
        foreach (ushort domain in clients.Keys)
            Release(domain);
        ready.Dispose();
    }

    private void TakeOver(Client client, XenDomain by)
    {
        XenDomain domain = client.Domain;
        if (!clients.TryRemove(KeyValuePair.Create(domain.Id, client)))
            return;
        taken.AddOrUpdate(domain, new StrongBox<ushort>(by.Id));
        DomainHome.SetServer(Server, domain.Id, by.Id);
        Server.DomainReleased(domain.Id);
    }

    /// <summary>Told of what serving a domain threw; its ring is served no more.</summary>
    public Action<XenDomain, Exception> Failed { get; init; } = static (_, _) => { };

    private void Run()
    {
        foreach (Client client in ready.GetConsumingEnumerable())
        {
            try
            {
                client.Serve();
            }
#pragma warning disable CA1031 // Something that this domain asked for broke the store: the domain ends, the process does not.
            catch (Exception e)
#pragma warning restore CA1031
            {
                clients.TryRemove(KeyValuePair.Create(client.Domain.Id, client));
                client.Close();
                Failed(client.Domain, e);
            }
        }
    }

    private void Schedule(Client client)
    {
        try
        {
            ready.Add(client);
        }
        catch (InvalidOperationException)
        {
            // The service has ended.
        }
    }

    // A domain's ring, its page and its channel.
    private sealed unsafe class Client : IYieldingService
    {
        // Turns of the ring in which its guest has to come to rest for somebody else to take it over.
        private const int LastTurns = 4;


        private readonly XenstoreService service;
        private readonly Lock use = new();
        private readonly XenstoreRing ring;
        private HostChannel? channel;
        private bool isClosed;

        private Client(XenstoreService service, XenDomain domain, ulong frame, byte* page)
        {
            this.service = service;
            Domain = domain;
            Frame = frame;
            ring = new XenstoreRing(service.Server, domain.Id, page, _ => Signal());
        }

        public XenDomain Domain { get; }

        public ulong Frame { get; }

        public static Client? TryOpen(XenstoreService service, XenDomain domain, ulong frame, uint port)
        {
            if (!domain.Memory.TryPin(frame, out byte* page))
                return null;
            var client = new Client(service, domain, frame, page);
            client.channel = domain.EventChannels.BindHost(0, port, client);
            if (client.channel != null)
                return client;
            client.Close();
            return null;
        }

        public void Signal()
        {
            if (Interlocked.Exchange(ref ring.Scheduled, 1) == 0)
                service.Schedule(this);
        }

        public bool Reconnect(uint port)
        {
            lock (use)
            {
                channel?.Close();
                channel = Domain.EventChannels.BindHost(0, port, this);
                ring.Reset();
                return channel != null;
            }
        }

        public void Serve()
        {
            lock (use)
            {
                if (isClosed)
                    return;
                // Before the look at the ring: a signal that comes from now on counts again.
                Interlocked.Exchange(ref ring.Scheduled, 0);
                if (ring.Serve(out bool isDone))
                    channel?.Notify();
                if (!isDone)
                    Signal();
            }
        }

        // Between two messages only: nobody could go on with half of one, and a guest waits for its replies.
        public int Yield(XenDomain to)
        {
            lock (use)
            {
                if (isClosed)
                    return 0;
                bool moved = false;
                for (int turn = 0; turn < LastTurns && (turn == 0 || !ring.IsQuiet); turn++)
                    moved |= ring.Serve(out _);
                if (moved)
                    channel?.Notify();
                if (!ring.IsQuiet)
                    return -Errno.EAGAIN;
                Close();
            }

            service.TakeOver(this, to);
            return 0;
        }

        public void Close()
        {
            lock (use)
            {
                if (isClosed)
                    return;
                isClosed = true;
                channel?.Close();
                service.Server.Disconnect(ring.Connection);
                Domain.Memory.Unpin(Frame);
            }
        }
    }
}
