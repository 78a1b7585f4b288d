namespace FastXen.Xen.Xenstore;

/// <summary>Connects domains to the store on a tool stack's request.</summary>
public interface IDomainIntroduction
{
    /// <summary>INTRODUCE: opens the ring in a domain's frame, with the channel that waits at its port. 0 or an error number.</summary>
    int Introduce(ushort domain, ulong frame, uint port);

    /// <summary>RELEASE: closes it. 0 or an error number.</summary>
    int Release(ushort domain);
}
