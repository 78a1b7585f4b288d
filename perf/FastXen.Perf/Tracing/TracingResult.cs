namespace FastXen.Perf.Tracing;

/// <summary>What the whole process costs for one guest.</summary>
/// <param name="Guest">"bench" (its short form) or "linux" (a boot of the kit's, to power-off).</param>
/// <param name="Unit">"instructions", as valgrind counts them, or "seconds" on processors, the least of the rounds.</param>
/// <param name="Without">By the build without emit sites.</param>
/// <param name="Off">By the normal build, while nobody listens.</param>
/// <param name="On">While a trace of exits and hypercalls is recorded.</param>
/// <param name="Noise">How much what is the same differs, as a share: two counts, or the rounds from the least to the median.</param>
internal sealed record TracingResult(string Guest, string Unit, double Without, double Off, double On, double Noise)
{
    /// <summary>What the emit sites cost while nobody listens, as a share of all; bar: noise.</summary>
    public double OffShare => Off / Without - 1;

    /// <summary>What a trace of exits and hypercalls costs, as a share of all; bar: 0.05.</summary>
    public double OnShare => On / Off - 1;
}
