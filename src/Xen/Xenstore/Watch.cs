namespace FastXen.Xen.Xenstore;

/// <summary>A watch: absolute path (or special name), the token that comes back with events, and what relative paths leave out.</summary>
internal sealed record Watch(string Path, string Token, string? RelativeTo)
{
    /// <summary>The event's path as the watcher wrote its own.</summary>
    public string Shown(string path) =>
        RelativeTo == null ? path : path.Length > RelativeTo.Length ? path[(RelativeTo.Length + 1)..] : "";
}
