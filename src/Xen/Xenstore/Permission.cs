using System.Globalization;

namespace FastXen.Xen.Xenstore;

/// <summary>What a domain may do with a node.</summary>
[Flags]
public enum Access
{
    /// <summary>n: nothing.</summary>
    None = 0,

    /// <summary>r: read it, see its children.</summary>
    Read = 1,

    /// <summary>w: change it, make children.</summary>
    Write = 2,

    /// <summary>b: both.</summary>
    Both = 3,

    /// <summary>Change its permissions; for the node's owner.</summary>
    Owner = 4,
}

/// <summary>
/// An entry of a node's permissions, as text a letter and a domain: "r5". The first entry's domain owns the node, and its letter is for
/// all domains without an entry.
/// </summary>
public readonly record struct Permission(ushort Domain, Access Access)
{
    private const string Letters = "nrwb";

    /// <summary>Reads the text form.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out Permission permission)
    {
        permission = default;
        int access = text.IsEmpty ? -1 : Letters.IndexOf(text[0], StringComparison.Ordinal);
        if (access < 0 || !ushort.TryParse(text[1..], NumberStyles.None, CultureInfo.InvariantCulture, out ushort domain))
            return false;
        permission = new Permission(domain, (Access)access);
        return true;
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Letters[(int)Access & 3]}{Domain}");
}
