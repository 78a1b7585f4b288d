using System.Runtime.InteropServices;
using FastXen.Events;

namespace FastXen.Xen.Xenstore;

/// <summary>
/// Watches of the host's own code, by path: a change costs a look-up for each part of its path, however many watches there are. Used
/// under the store's lock, given as <paramref name="gate"/>.
/// </summary>
internal sealed class HostWatches(Lock gate)
{
    private readonly Dictionary<string, List<HostWatch>> byPath = new(StringComparer.Ordinal);

    public HostWatch Add(string path, IEventSink sink)
    {
        var watch = new HostWatch(this, path, sink);
        ref List<HostWatch>? list = ref CollectionsMarshal.GetValueRefOrAddDefault(byPath, path, out _);
        (list ??= []).Add(watch);
        return watch;
    }

    public void Remove(HostWatch watch)
    {
        lock (gate)
        {
            if (byPath.TryGetValue(watch.Path, out List<HostWatch>? list) && list.Remove(watch) && list.Count == 0)
                byPath.Remove(watch.Path);
        }
    }

    /// <summary>Signals the watches of a path and of all above it; after a removal also those of what was below.</summary>
    public void Fire(string path, bool isRemoval)
    {
        if (byPath.Count == 0 || StorePath.IsSpecial(path))
            return;
        Dictionary<string, List<HostWatch>>.AlternateLookup<ReadOnlySpan<char>> lookup = byPath.GetAlternateLookup<ReadOnlySpan<char>>();
        for (int length = path.Length; length > 0; length = path.AsSpan(0, length).LastIndexOf('/'))
        {
            if (lookup.TryGetValue(path.AsSpan(0, length), out List<HostWatch>? list))
                Signal(list);
        }
        if (path.Length > 1 && byPath.TryGetValue("/", out List<HostWatch>? root))
            Signal(root);
        if (!isRemoval)
            return;
        foreach ((string watched, List<HostWatch> list) in byPath)
        {
            if (watched.Length > path.Length && StorePath.IsWithin(watched, path))
                Signal(list);
        }
    }

    private static void Signal(List<HostWatch> list)
    {
        foreach (HostWatch watch in list)
            watch.Sink.Signal();
    }
}

/// <summary>One of the <see cref="HostWatches"/>, until it is disposed.</summary>
internal sealed class HostWatch(HostWatches all, string path, IEventSink sink) : IDisposable
{
    public string Path => path;

    public IEventSink Sink => sink;

    public void Dispose() => all.Remove(this);
}
