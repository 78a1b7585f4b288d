using System.Buffers;

namespace FastXen.Xen.Xenstore;

/// <summary>Paths of the store: absolute, parts of letters, digits and -/_@ separated by single slashes.</summary>
internal static class StorePath
{
    /// <summary>Characters of an absolute path.</summary>
    public const int MaximumAbsolute = 3072;

    /// <summary>Characters of a relative path, and of a special watch.</summary>
    public const int MaximumRelative = 2048;

    // '+' and ':' are in use by device names of later tool stacks.
    private static readonly SearchValues<char> _valid =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-/_@+:");

    public static string OfDomain(ushort domain) => $"/local/domain/{domain}";

    public static bool IsValid(string path) =>
        path.StartsWith('/') && path.Length <= MaximumAbsolute && (path.Length == 1 || !path.EndsWith('/'))
        && !path.Contains("//", StringComparison.Ordinal) && !path.AsSpan().ContainsAnyExcept(_valid);

    public static bool IsSpecial(string path) => path.StartsWith('@');

    /// <summary>The same path, or one below it.</summary>
    public static bool IsWithin(string path, string parent) =>
        parent.Length == 1 && parent[0] == '/' ? path.StartsWith('/')
        : path.StartsWith(parent, StringComparison.Ordinal) && (path.Length == parent.Length || path[parent.Length] == '/');

    public static string Parent(string path)
    {
        int slash = path.LastIndexOf('/');
        return slash <= 0 ? "/" : path[..slash];
    }

    public static string[] Names(string path) => path.Length == 1 ? [] : path[1..].Split('/');
}
