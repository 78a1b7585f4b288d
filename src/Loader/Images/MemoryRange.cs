namespace FastXen.Loader.Images;

/// <summary>Guest physical addresses from <paramref name="Start"/> up to <paramref name="End"/>, which does not belong to it.</summary>
public readonly record struct MemoryRange(ulong Start, ulong End)
{
    /// <summary>Its bytes.</summary>
    public ulong Length => End - Start;

    /// <summary>True when all of the other range lies in this one.</summary>
    public bool Contains(MemoryRange other) => other.Start >= Start && other.End <= End;

    /// <summary>True when the ranges have an address in common.</summary>
    public bool Overlaps(MemoryRange other) => Start < other.End && other.Start < End;

    /// <inheritdoc/>
    public override string ToString() => $"0x{Start:x}-0x{End:x}";
}
