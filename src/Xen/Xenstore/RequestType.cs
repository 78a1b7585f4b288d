namespace FastXen.Xen.Xenstore;

/// <summary>Message types of the wire protocol (public header io/xs_wire.h).</summary>
public enum RequestType : uint
{
#pragma warning disable CS1591 // The names are the protocol's.
    Debug = 0,
    Directory = 1,
    Read = 2,
    GetPermissions = 3,
    Watch = 4,
    Unwatch = 5,
    TransactionStart = 6,
    TransactionEnd = 7,
    Introduce = 8,
    Release = 9,
    GetDomainPath = 10,
    Write = 11,
    MakeDirectory = 12,
    Remove = 13,
    SetPermissions = 14,
    WatchEvent = 15,
    Error = 16,
    IsDomainIntroduced = 17,
    Resume = 18,
    SetTarget = 19,
    Restrict = 20,
    ResetWatches = 21,
    DirectoryPart = 22,
#pragma warning restore CS1591
}
