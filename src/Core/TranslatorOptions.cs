namespace FastXen.Core;

/// <summary>How a vCPU's translator works, and who looks on.</summary>
public sealed record TranslatorOptions
{
    /// <summary>How often the code at an address runs before it is translated.</summary>
    public int Threshold { get; init; } = 24;

    /// <summary>Bytes of host code that are kept; when they are used up, all code is made anew.</summary>
    public int CodeBytes { get; init; } = Translate.CodeArena.DefaultCodeBytes;

    /// <summary>Most bytes of a region's code, and most places at which it returns: what exceeds them stays interpreted.</summary>
    internal int RegionBytes { get; init; } = Translate.CodeArena.LargestRegion;

    /// <inheritdoc cref="RegionBytes"/>
    internal int RegionSites { get; init; } = Translate.CodeArena.MostSitesOfRegion;

    /// <summary>Translated code counts how often it runs (<see cref="Vcpu.TranslatorProfile"/>).</summary>
    public bool Profile { get; init; }

    /// <summary>Told of all code that is made, or null.</summary>
    public ITranslationObserver? Observer { get; init; }
}
