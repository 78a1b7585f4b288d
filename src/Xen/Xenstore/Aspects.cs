namespace FastXen.Xen.Xenstore;

/// <summary>What of a node a transaction depends on; its existence always.</summary>
[Flags]
internal enum Aspects
{
    None = 0,
    Value = 1,
    Permissions = 2,
    Listing = 4,
}
