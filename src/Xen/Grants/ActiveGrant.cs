namespace FastXen.Xen.Grants;

/// <summary>The hypervisor's own record of an entry that is in use: the guest can change the entry, not this.</summary>
internal struct ActiveGrant
{
    /// <summary>Uses of one kind at a time stay below.</summary>
    public const ushort Limit = 0x7fff;

    /// <summary>1 while somebody changes the record.</summary>
    public int Lock;

    /// <summary>The frame, pinned while there are uses.</summary>
    public uint Gpfn;

    /// <summary>Who uses it.</summary>
    public ushort Domain;

    /// <summary>Uses that only read.</summary>
    public ushort Readers;

    /// <summary>Uses that may write.</summary>
    public ushort Writers;

    public readonly bool IsUsed => (Readers | Writers) != 0;

    public void Enter()
    {
        var wait = new SpinWait();
        while (Interlocked.Exchange(ref Lock, 1) != 0)
            wait.SpinOnce();
    }

    public void Leave() => Volatile.Write(ref Lock, 0);
}
