namespace FastXen.Xen.Grants;

/// <summary>A grant to the host's backends, and where its frame is while it is mapped.</summary>
public unsafe struct HostGrant
{
    /// <summary>The grant reference.</summary>
    public uint Reference;

    /// <summary>The frame is not written.</summary>
    public bool IsReadOnly;

    /// <summary>Host address of the frame, from a map to the unmap.</summary>
    public byte* Frame;
}
