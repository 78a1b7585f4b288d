namespace FastXen.Xen.Memory;

/// <summary>Parts of a domain's P2M table that another one shows in its memory (expose_foreign_p2m).</summary>
/// <param name="Domain">Whose table.</param>
/// <param name="Frames">Where its pages are.</param>
internal sealed record ForeignTable(ushort Domain, ulong[] Frames);
