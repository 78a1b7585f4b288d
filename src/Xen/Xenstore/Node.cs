using System.Collections.Immutable;

namespace FastXen.Xen.Xenstore;

/// <summary>
/// A node of the store and what is below it. It never changes: a changed store has new nodes on the way from the root to the change and
/// shares the others, so that a transaction's snapshot costs nothing.
/// </summary>
/// <param name="Value">The content; a new array with each write.</param>
/// <param name="Permissions">Who may do what; not empty.</param>
/// <param name="Children">The children by name.</param>
/// <param name="Listing">Changes when children come or go.</param>
internal sealed record Node(
    byte[] Value, ImmutableArray<Permission> Permissions, ImmutableSortedDictionary<string, Node> Children, long Listing)
{
    private static long _lastListing;

    public static readonly ImmutableSortedDictionary<string, Node> NoChildren =
        ImmutableSortedDictionary.Create<string, Node>(StringComparer.Ordinal);

    public static Node Create(byte[] value, ImmutableArray<Permission> permissions) => new(value, permissions, NoChildren, NextListing());

    public ushort Owner => Permissions[0].Domain;

    /// <summary>With a child added, replaced, or (null) removed.</summary>
    public Node WithChild(string name, Node? child)
    {
        bool isListed = Children.ContainsKey(name);
        return this with
        {
            Children = child == null ? Children.Remove(name) : Children.SetItem(name, child),
            Listing = isListed == (child != null) ? Listing : NextListing(),
        };
    }

    /// <summary>This node and all below it. Without recursion: a guest may make deep trees.</summary>
    public IEnumerable<Node> Subtree()
    {
        var open = new Stack<Node>();
        open.Push(this);
        while (open.TryPop(out Node? node))
        {
            yield return node;
            foreach (Node child in node.Children.Values)
                open.Push(child);
        }
    }

    private static long NextListing() => Interlocked.Increment(ref _lastListing);
}
