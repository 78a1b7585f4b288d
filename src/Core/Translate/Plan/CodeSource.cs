using FastXen.Core.Decode;

namespace FastXen.Core.Translate;

/// <summary>A page of guest code from which regions are made.</summary>
/// <param name="physical">Physical address.</param>
/// <param name="slots">The decoded page; null for no page.</param>
/// <param name="page">The page in host memory.</param>
/// <param name="ownLoops">Slots of the page that begin loops which are regions of their own.</param>
internal readonly unsafe struct CodeSource(ulong physical, Instruction* slots, byte* page, IReadOnlySet<int> ownLoops)
{
    /// <summary>Physical address.</summary>
    public readonly ulong Physical = physical;

    /// <summary>The decoded page; null for no page.</summary>
    public readonly Instruction* Slots = slots;

    /// <summary>The page in host memory.</summary>
    public readonly byte* Page = page;

    /// <summary>Slots of the page that begin loops which are regions of their own.</summary>
    public readonly IReadOnlySet<int> OwnLoops = ownLoops;

    /// <summary>First word of the translation.</summary>
    public ulong Pte { get; init; }
}
