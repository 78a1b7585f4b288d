namespace FastXen.Perf.Measure;

/// <summary>
/// Noise, as perf/README.md defines it: the distance from the least value of several rounds to the median (of an even number, the
/// greater of the two in the middle), as a fraction of the least.
/// </summary>
internal static class Spread
{
    /// <summary>Of these values.</summary>
    public static double Of(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[0] > 0 ? Math.Round(sorted[sorted.Length / 2] / sorted[0] - 1, 4) : 0;
    }

    /// <summary>The geometric mean.</summary>
    public static double GeometricMean(IEnumerable<double> values) => Math.Exp(values.Average(Math.Log));

    /// <summary>Rounded to so many significant digits.</summary>
    public static double Significant(double value, int digits = 4)
        => value == 0 ? 0 : double.Parse(value.ToString($"G{digits}", System.Globalization.CultureInfo.InvariantCulture), System.Globalization.CultureInfo.InvariantCulture);
}
