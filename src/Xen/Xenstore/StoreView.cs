using System.Collections.Immutable;

namespace FastXen.Xen.Xenstore;

/// <summary>The store as requests outside of transactions change it, or as one transaction sees it. Operations return 0 or an error number.</summary>
internal class StoreView(StoreTree tree, XenstoreQuota quota)
{
    /// <summary>The present state.</summary>
    public StoreTree Tree { get; set; } = tree;

    protected XenstoreQuota Quota => quota;

    public int Read(Identity who, string path, out byte[] value)
    {
        int error = Get(who, path, Access.Read, Aspects.Value, out Node? node);
        value = node?.Value ?? [];
        return error;
    }

    public int List(Identity who, string path, out Node? node) => Get(who, path, Access.Read, Aspects.Listing, out node);

    public int GetPermissions(Identity who, string path, out ImmutableArray<Permission> permissions)
    {
        int error = Get(who, path, Access.Read, Aspects.None, out Node? node);
        permissions = node?.Permissions ?? [];
        return error;
    }

    /// <summary>Writes a node, and makes it and those above it where they do not exist. A null value only makes it.</summary>
    public int Write(Identity who, string path, byte[]? value)
    {
        int error = Get(who, path, Access.Write, Aspects.None, out Node? node);
        if (node != null)
            return value == null ? 0 : Put(who, path, node with { Value = value });
        return error == Errno.ENOENT ? Make(who, path, value ?? []) : error;
    }

    public int Remove(Identity who, string path)
    {
        if (path == "/")
            return Errno.EINVAL;
        int error = Get(who, path, Access.Write, Aspects.None, out Node? node);
        // What is not there is removed already, if it could be there.
        if (error == Errno.ENOENT && Look(StorePath.Parent(path), Aspects.None) != null)
            return 0;
        if (node == null)
            return error;
        error = Changing(who, path, isRemoval: true);
        if (error == 0)
            Tree = Tree.With(path, null);
        return error;
    }

    public int SetPermissions(Identity who, string path, ImmutableArray<Permission> permissions)
    {
        int error = Get(who, path, Access.Write | Access.Owner, Aspects.None, out Node? node);
        if (node == null)
            return error;
        // xenstored's EPERM, for which the protocol has no name.
        if (!who.IsPrivileged && permissions[0].Domain != node.Owner)
            return Errno.EINVAL;
        return Put(who, path, node with { Permissions = permissions });
    }

    /// <summary>Called before a change; an error prevents it.</summary>
    protected virtual int Changing(Identity who, string path, bool isRemoval) => 0;

    /// <summary>Called when the outcome depends on these aspects of a node, or on its absence.</summary>
    protected virtual bool Looked(string path, Aspects aspects) => true;

    // A node, if the asker may have it. Who may not see the node learns nothing of it.
    private int Get(Identity who, string path, Access access, Aspects aspects, out Node? node)
    {
        node = null;
        if (!StorePath.IsValid(path))
            return Errno.EINVAL;
        if (!Looked(path, aspects | Aspects.Permissions))
            return Errno.ENOSPC;
        Node? found = Tree.Find(path);
        if (found != null && who.May(found, access))
        {
            node = found;
            return 0;
        }
        string above = StorePath.Parent(path);
        Node nearest = Tree.FindNearest(above, out string nearestPath);
        if (!Looked(nearestPath, Aspects.Permissions) || found == null && !LookedAtMissing(above, nearestPath))
            return Errno.ENOSPC;
        return found == null && (who.AccessTo(nearest) & access) != 0 ? Errno.ENOENT : Errno.EACCES;
    }

    private bool LookedAtMissing(string path, string nearest)
    {
        for (; path.Length > nearest.Length; path = StorePath.Parent(path))
        {
            if (!Looked(path, Aspects.None))
                return false;
        }
        return true;
    }

    private Node? Look(string path, Aspects aspects) => Looked(path, aspects) ? Tree.Find(path) : null;

    private int Make(Identity who, string path, byte[] value)
    {
        Node parent = Tree.FindNearest(path, out string existing);
        ImmutableArray<Permission> permissions = parent.Permissions;
        if (!who.IsPrivileged)
            permissions = permissions.SetItem(0, permissions[0] with { Domain = who.Domain });
        string[] missing = StorePath.Names(existing == "/" ? path : path[existing.Length..]);
        if (!who.IsPrivileged && (Tree.OwnedBy(who.Domain) + missing.Length > quota.Nodes || IsTooLarge(value, permissions)))
            return Errno.ENOSPC;
        int error = Changing(who, path, isRemoval: false);
        if (error != 0)
            return error;
        Node made = Node.Create(value, permissions);
        for (int i = missing.Length - 1; i > 0; i--)
            made = Node.Create([], permissions).WithChild(missing[i], made);
        Tree = Tree.With((existing == "/" ? "" : existing) + "/" + missing[0], made);
        return 0;
    }

    private int Put(Identity who, string path, Node node)
    {
        if (!who.IsPrivileged && IsTooLarge(node.Value, node.Permissions))
            return Errno.ENOSPC;
        int error = Changing(who, path, isRemoval: false);
        if (error == 0)
            Tree = path == "/" ? Tree.WithRoot(node) : Tree.With(path, node);
        return error;
    }

    private bool IsTooLarge(byte[] value, ImmutableArray<Permission> permissions) => value.Length + 8 * permissions.Length > quota.NodeSize;
}
