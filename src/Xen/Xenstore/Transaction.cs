namespace FastXen.Xen.Xenstore;

/// <summary>
/// A transaction: a snapshot that is changed apart. It commits if nothing that it looked at has changed since, as if all of it
/// happened at that moment; what others changed elsewhere does not disturb it.
/// </summary>
internal sealed class Transaction : StoreView
{
    private readonly StoreTree start;
    private readonly bool isPrivileged;
    private readonly Dictionary<string, Aspects> looks = new(StringComparer.Ordinal);
    private readonly Dictionary<string, bool> changes = new(StringComparer.Ordinal);

    public Transaction(StoreTree start, XenstoreQuota quota, bool isPrivileged)
        : base(start, quota)
    {
        this.start = start;
        this.isPrivileged = isPrivileged;
    }

    /// <summary>Changed paths, and whether the node was removed at some time.</summary>
    public IEnumerable<(string Path, bool IsRemoval)> Changes => changes.Select(change => (change.Key, change.Value));

    /// <summary>The store after the transaction, or null: something that it depends on has changed (EAGAIN).</summary>
    public StoreTree? Commit(StoreTree now)
    {
        if (ReferenceEquals(now, start))
            return Tree;
        foreach ((string path, Aspects aspects) in looks)
        {
            if (!IsSame(start.Find(path), now.Find(path), aspects))
                return null;
        }
        foreach ((string path, bool wasRemoved) in changes)
            now = Apply(now, path, wasRemoved);
        return now;
    }

    protected override bool Looked(string path, Aspects aspects)
    {
        bool isKnown = looks.TryGetValue(path, out Aspects old);
        if (!isKnown && !isPrivileged && looks.Count >= Quota.TransactionNodes)
            return false;
        looks[path] = old | aspects;
        return true;
    }

    protected override int Changing(Identity who, string path, bool isRemoval)
    {
        if (!changes.TryGetValue(path, out bool wasRemoval) && !isPrivileged && changes.Count >= Quota.TransactionNodes)
            return Errno.ENOSPC;
        changes[path] = wasRemoval || isRemoval;
        return 0;
    }

    private static bool IsSame(Node? before, Node? now, Aspects aspects)
    {
        if (before == null || now == null)
            return before == now;
        return ((aspects & Aspects.Value) == 0 || ReferenceEquals(before.Value, now.Value))
            && ((aspects & Aspects.Permissions) == 0 || before.Permissions == now.Permissions)
            && ((aspects & Aspects.Listing) == 0 || before.Listing == now.Listing);
    }

    // Brings what the transaction has at a path into the present store.
    private StoreTree Apply(StoreTree now, string path, bool wasRemoved)
    {
        Node? mine = Tree.Find(path);
        if (mine == null)
            return now.Find(path) == null ? now : now.With(path, null);
        if (path == "/")
            return now.WithRoot(now.Root with { Value = mine.Value, Permissions = mine.Permissions });
        // Nodes above it that the transaction made on the way.
        string parent = StorePath.Parent(path);
        if (now.Find(parent) == null)
            now = Apply(now, parent, wasRemoved: false);
        Node? theirs = wasRemoved ? null : now.Find(path);
        Node result = theirs != null ? theirs with { Value = mine.Value, Permissions = mine.Permissions }
            : wasRemoved ? mine
            : Node.Create(mine.Value, mine.Permissions);
        return now.With(path, result);
    }
}
