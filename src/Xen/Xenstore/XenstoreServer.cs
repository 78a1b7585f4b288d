using System.Collections.Immutable;
using System.Text;
using FastXen.Events;

namespace FastXen.Xen.Xenstore;

/// <summary>
/// The store: a tree of small values by which domains find one another, with permissions, watches and transactions (Xen's
/// docs/misc/xenstore.txt). One lock serves all; it is held for one request at a time.
/// </summary>
public sealed partial class XenstoreServer
{
    private const string IntroduceEvent = "@introduceDomain", ReleaseEvent = "@releaseDomain";

    private readonly Lock gate = new();
    private readonly List<XenstoreConnection> connections = [];
    private readonly XenstoreQuota quota;
    private readonly StoreView live;
    private readonly HashSet<ushort> stopped = [];
    private readonly HostWatches hostWatches;

    /// <summary>An empty store.</summary>
    public XenstoreServer(XenstoreQuota? quota = null)
    {
        this.quota = quota ?? new XenstoreQuota();
        live = new StoreView(StoreTree.Empty, this.quota);
        hostWatches = new HostWatches(gate);
    }

    /// <summary>Who opens rings for INTRODUCE.</summary>
    public IDomainIntroduction? Introduction { get; set; }

    /// <summary>
    /// A client in the name of a domain; domain 0 may do everything. <paramref name="transport"/> is signalled when there is something
    /// for the client; it must not call back from within. <paramref name="isDomain"/>: the domain itself, not a tool in its name.
    /// </summary>
    public XenstoreConnection Connect(ushort domain, IEventSink transport, bool isDomain = false)
    {
        var connection = new XenstoreConnection(new Identity(domain, domain == 0), transport, isDomain);
        lock (gate)
            connections.Add(connection);
        return connection;
    }

    /// <summary>Ends a client: its watches and transactions are gone.</summary>
    public void Disconnect(XenstoreConnection connection)
    {
        ArgumentNullException.ThrowIfNull(connection);
        lock (gate)
        {
            connection.IsOpen = false;
            connections.Remove(connection);
            connection.Forget();
        }
    }

    /// <summary>Begins a client anew, as after INTRODUCE.</summary>
    public void Reset(XenstoreConnection connection)
    {
        ArgumentNullException.ThrowIfNull(connection);
        lock (gate)
            connection.Forget();
    }

    /// <summary>Tells watchers that a domain has come (@introduceDomain).</summary>
    public void DomainIntroduced()
    {
        lock (gate)
            Fire(IntroduceEvent, live.Tree, false);
    }

    /// <summary>Tells watchers that a domain is gone (@releaseDomain).</summary>
    public void DomainReleased(ushort domain)
    {
        lock (gate)
        {
            stopped.Remove(domain);
            Fire(ReleaseEvent, live.Tree, false);
        }
    }

    /// <summary>Tells watchers that a domain shut down or crashed (@releaseDomain); once until RESUME.</summary>
    public void DomainStopped(ushort domain)
    {
        lock (gate)
        {
            if (stopped.Add(domain))
                Fire(ReleaseEvent, live.Tree, false);
        }
    }

    /// <summary>A domain that shut down goes on: its next end is told again.</summary>
    public void DomainResumed(ushort domain)
    {
        lock (gate)
            stopped.Remove(domain);
    }

    /// <summary>Writes a node in the host's name; with permissions, sets them too. The path is absolute and valid.</summary>
    public void Set(string path, string value, params ReadOnlySpan<Permission> permissions)
    {
        lock (gate)
        {
            Change(path, false, () => live.Write(Identity.Host, path, Encoding.Latin1.GetBytes(value)));
            if (permissions.Length > 0)
            {
                ImmutableArray<Permission> all = [.. permissions];
                Change(path, false, () => live.SetPermissions(Identity.Host, path, all));
            }
        }
    }

    /// <summary>The value of a node, or null.</summary>
    public string? Get(string path)
    {
        lock (gate)
            return live.Read(Identity.Host, path, out byte[] value) == 0 ? Encoding.Latin1.GetString(value) : null;
    }

    /// <summary>The names of a node's children; none where there is no node.</summary>
    public IReadOnlyList<string> List(string path)
    {
        lock (gate)
            return live.List(Identity.Host, path, out Node? node) == 0 ? [.. node!.Children.Keys] : [];
    }

    /// <summary>Removes a node and all below it, where there is one.</summary>
    public void Remove(string path)
    {
        lock (gate)
            Change(path, true, () => live.Remove(Identity.Host, path) switch { Errno.ENOENT => 0, int error => error });
    }

    /// <summary>
    /// Has the host's own code signalled when a node, or one below it, changes, until the result is disposed; the first signal comes at
    /// once. <paramref name="sink"/> must not call back from within.
    /// </summary>
    public IDisposable Watch(string path, IEventSink sink)
    {
        ArgumentNullException.ThrowIfNull(sink);
        if (!StorePath.IsValid(path))
            throw new ArgumentException($"'{path}' is not a path", nameof(path));
        lock (gate)
        {
            HostWatch watch = hostWatches.Add(path, sink);
            sink.Signal();
            return watch;
        }
    }

    /// <summary>Whether a domain itself watches a node, so that it hears of a change.</summary>
    public bool IsWatched(ushort domain, string path)
    {
        lock (gate)
            return connections.Exists(connection => connection.IsDomain && connection.Domain == domain && connection.Watches.Exists(watch => StorePath.IsWithin(path, watch.Path)));
    }

    private void Change(string path, bool isRemoval, Func<int> change)
    {
        StoreTree before = live.Tree;
        int error = change();
        if (error != 0)
            throw new ArgumentException($"'{path}' cannot be changed: {StoreErrors.Name(error)}", nameof(path));
        if (!ReferenceEquals(before, live.Tree))
            Fire(path, before, isRemoval);
    }

    // An event for every watch of the path, or (removal) of what was below it.
    private void Fire(string path, StoreTree before, bool isRemoval)
    {
        hostWatches.Fire(path, isRemoval);
        foreach (XenstoreConnection connection in connections)
        {
            foreach (Watch watch in connection.Watches)
            {
                if (StorePath.IsWithin(path, watch.Path))
                {
                    if (CanSee(connection.Identity, path, before))
                        connection.Notify(watch, path);
                }
                else if (isRemoval && StorePath.IsWithin(watch.Path, path) && before.Find(watch.Path) != null
                    && CanSee(connection.Identity, watch.Path, before))
                {
                    connection.Notify(watch, watch.Path);
                }
            }
        }
    }

    // Names of nodes are no business of who may not read them, neither now nor, where they are gone, before (XSA-115).
    private bool CanSee(Identity who, string path, StoreTree before)
    {
        if (who.IsPrivileged || StorePath.IsSpecial(path))
            return true;
        Node? node = live.Tree.Find(path) ?? before.Find(path);
        return who.May(node ?? live.Tree.FindNearest(path, out _), Access.Read);
    }
}
