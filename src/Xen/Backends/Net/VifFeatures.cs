using FastXen.Platform.Net.Switch;

namespace FastXen.Xen.Backends.Net;

/// <summary>How a frontend takes frames, as its nodes say (public header io/netif.h).</summary>
/// <param name="Copies">Frames are copied into granted pages (request-rx-copy); else pages are given to it.</param>
/// <param name="TakesMany">A frame may lie in several pages (feature-sg).</param>
/// <param name="TakesLargeSegments">feature-gso-tcpv4.</param>
/// <param name="TakesBlankChecksums">Not feature-no-csum-offload.</param>
internal readonly record struct VifFeatures(bool Copies, bool TakesMany, bool TakesLargeSegments, bool TakesBlankChecksums)
{
    /// <summary>What is left to the guest.</summary>
    public LinkFeatures Link => (TakesBlankChecksums ? LinkFeatures.BlankChecksums : 0)
        | (TakesMany && TakesLargeSegments && TakesBlankChecksums ? LinkFeatures.LargeSegments : 0);
}
