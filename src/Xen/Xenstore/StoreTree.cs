using System.Collections.Immutable;

namespace FastXen.Xen.Xenstore;

/// <summary>A state of the store: the nodes, and how many of them each domain owns. Immutable.</summary>
internal sealed record StoreTree(Node Root, ImmutableDictionary<ushort, int> Owned)
{
    public static StoreTree Empty { get; } = new(
        Node.Create([], [new Permission(0, Access.None)]), ImmutableDictionary<ushort, int>.Empty.Add(0, 1));

    public int OwnedBy(ushort domain) => Owned.GetValueOrDefault(domain);

    public Node? Find(string path)
    {
        Node? node = Root;
        foreach (string name in StorePath.Names(path))
        {
            if (!node.Children.TryGetValue(name, out node))
                return null;
        }
        return node;
    }

    /// <summary>The node, or the nearest one above it that exists.</summary>
    public Node FindNearest(string path, out string found)
    {
        Node node = Root;
        int length = 0;
        foreach (string name in StorePath.Names(path))
        {
            if (!node.Children.TryGetValue(name, out Node? child))
                break;
            node = child;
            length += name.Length + 1;
        }
        found = length == 0 ? "/" : path[..length];
        return node;
    }

    /// <summary>With a node put at, or removed from (null), a path whose parent exists; its children go with it.</summary>
    public StoreTree With(string path, Node? node)
    {
        string[] names = StorePath.Names(path);
        var above = new Node[names.Length];
        Node? old = Root;
        for (int i = 0; i < names.Length; i++)
        {
            above[i] = old!;
            old = old!.Children.GetValueOrDefault(names[i]);
        }
        Node? changed = node;
        for (int i = names.Length - 1; i >= 0; i--)
            changed = above[i].WithChild(names[i], changed);
        return new StoreTree(changed!, Count(old, node));
    }

    /// <summary>With another content of the root.</summary>
    public StoreTree WithRoot(Node root) => new(root, Count(Root, root));

    private ImmutableDictionary<ushort, int> Count(Node? old, Node? node)
    {
        // Only the content changed: the usual case.
        if (old != null && node != null && old.Owner == node.Owner && ReferenceEquals(old.Children, node.Children))
            return Owned;
        ImmutableDictionary<ushort, int>.Builder counts = Owned.ToBuilder();
        foreach (Node lost in old?.Subtree() ?? [])
            Add(counts, lost.Owner, -1);
        foreach (Node gained in node?.Subtree() ?? [])
            Add(counts, gained.Owner, 1);
        return counts.ToImmutable();
    }

    private static void Add(ImmutableDictionary<ushort, int>.Builder counts, ushort owner, int change)
    {
        int count = counts.GetValueOrDefault(owner) + change;
        if (count == 0)
            counts.Remove(owner);
        else
            counts[owner] = count;
    }
}
