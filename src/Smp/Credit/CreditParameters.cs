namespace FastXen.Smp;

/// <summary>A domain's share under the credit scheduler, in Xen's terms.</summary>
/// <param name="Weight">1 to 65535: how much each of the domain's busy vCPUs gets, relative to those of other domains.</param>
/// <param name="Cap">The most that the domain may use, in percent of one host thread, also when others are idle; 0: no limit.</param>
public readonly record struct CreditParameters(int Weight, int Cap)
{
    /// <summary>Xen's default weight.</summary>
    public const int DefaultWeight = 256;
    /// <summary>The greatest weight.</summary>
    public const int MaximumWeight = 65535;
    /// <summary>The greatest cap: 64 host threads.</summary>
    public const int MaximumCap = 6400;

    /// <summary>Weight 256, no cap.</summary>
    public CreditParameters() : this(DefaultWeight, 0) { }

    internal void Check()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Weight, 1, nameof(Weight));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Weight, MaximumWeight, nameof(Weight));
        ArgumentOutOfRangeException.ThrowIfNegative(Cap, nameof(Cap));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Cap, MaximumCap, nameof(Cap));
    }
}
