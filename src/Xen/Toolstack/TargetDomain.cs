namespace FastXen.Xen.Toolstack;

/// <summary>The domain that an operation of another one is about: its memory does not go away before the end.</summary>
internal readonly ref struct TargetDomain
{
    private readonly XenDomain? _domain;
    private readonly bool _entered;

    /// <summary>The domain of an identifier (DOMID_SELF: the caller), if the caller may act on it: <see cref="Error"/> is 0, -ESRCH or -EPERM.</summary>
    public TargetDomain(XenDomain caller, ushort id)
    {
        Error = caller.Directory.FindTarget(caller, id, out XenDomain found);
        if (Error != 0)
            return;
        _entered = found != caller;
        if (_entered && !found.Memory.TryEnter())
        {
            _entered = false;
            Error = -Errno.ESRCH;
            return;
        }

        _domain = found;
    }

    /// <summary>0, or why there is no domain.</summary>
    public int Error { get; }

    /// <summary>The domain; only where there is no error.</summary>
    public XenDomain Domain => _domain!;

    /// <summary>Lets go of it.</summary>
    public void Dispose()
    {
        if (_entered)
            _domain!.Memory.Leave();
    }
}
