namespace FastXen.Xen.Grants;

/// <summary>What a domain may have of grants.</summary>
/// <param name="Frames">Frames of its table, 2048 entries each.</param>
/// <param name="Mappings">Mappings of other domains' grants at a time.</param>
public sealed record GrantLimits(int Frames, int Mappings)
{
    /// <summary>Xen's default table, and mappings for all entries of one.</summary>
    public static GrantLimits Default { get; } = new(32, 65536);
}
