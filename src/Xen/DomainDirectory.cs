namespace FastXen.Xen;

/// <summary>The domains of the machine by identifier. Looking up takes no lock.</summary>
public sealed class DomainDirectory
{
    private readonly Lock changes = new();
    private volatile XenDomain?[] domains = new XenDomain?[64];

    /// <summary>The domain of an identifier, or null.</summary>
    public XenDomain? Find(ushort id)
    {
        XenDomain?[] all = domains;
        return id < all.Length ? Volatile.Read(ref all[id]) : null;
    }

    /// <summary>
    /// The domain that a call of <paramref name="caller"/> is about: itself (DOMID_SELF), or another one if the caller is privileged.
    /// Returns 0, -ESRCH or -EPERM.
    /// </summary>
    public int FindTarget(XenDomain caller, ushort id, out XenDomain target)
    {
        target = caller;
        if (id == DomainIds.Self)
            return 0;
        XenDomain? found = Find(id);
        if (found == null)
            return -Errno.ESRCH;
        target = found;
        return caller.IsPrivileged ? 0 : -Errno.EPERM;
    }

    /// <summary>The lowest free identifier from <paramref name="first"/> on.</summary>
    public ushort NextFree(ushort first = 1)
    {
        for (ushort id = first; id < DomainIds.Host; id++)
        {
            if (Find(id) == null)
                return id;
        }
        throw new InvalidOperationException("all domain identifiers are in use");
    }

    /// <summary>All domains, by identifier.</summary>
    public IEnumerable<XenDomain> All => domains.OfType<XenDomain>();

    internal void Add(XenDomain domain)
    {
        if (domain.Id >= DomainIds.Host)
            throw new ArgumentOutOfRangeException(nameof(domain), $"{domain.Id} does not name an ordinary domain");
        lock (changes)
        {
            XenDomain?[] all = domains;
            if (domain.Id >= all.Length)
                Array.Resize(ref all, Math.Max(all.Length * 2, domain.Id + 1));
            if (all[domain.Id] != null)
                throw new ArgumentException($"domain {domain.Id} exists", nameof(domain));
            Volatile.Write(ref all[domain.Id], domain);
            domains = all;
        }
    }

    internal void Remove(XenDomain domain)
    {
        lock (changes)
        {
            if (Find(domain.Id) == domain)
                Volatile.Write(ref domains[domain.Id], null);
        }
    }
}
