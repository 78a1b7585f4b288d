namespace FastXen.Xen.Xenstore;

/// <summary>Who asks: a domain, possibly acting for another one (SET_TARGET), or one that may do everything.</summary>
internal readonly record struct Identity(ushort Domain, bool IsPrivileged, ushort? Target = null)
{
    /// <summary>The host and its tools.</summary>
    public static Identity Host => new(0, true);

    public Access AccessTo(Node node)
    {
        ReadOnlySpan<Permission> permissions = node.Permissions.AsSpan();
        if (IsPrivileged || IsMe(permissions[0].Domain))
            return Access.Both | Access.Owner;
        foreach (Permission permission in permissions[1..])
        {
            if (IsMe(permission.Domain))
                return permission.Access;
        }
        return permissions[0].Access;
    }

    public bool May(Node node, Access access) => (AccessTo(node) & access) == access;

    private bool IsMe(ushort domain) => domain == Domain || domain == Target;
}
