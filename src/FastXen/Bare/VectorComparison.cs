using FastXen.Core.State;

namespace FastXen.Bare;

/// <summary>Compares the state in which a vector ended with what the vector says.</summary>
internal static class VectorComparison
{
    // r28-r31 are reserved: the recorder used them.
    private const int FirstReserved = 28;

    /// <summary>be, up and ac of the user mask: mfl and mfh were not recorded.</summary>
    private const ulong RecordedUserMask = Psr.Be | Psr.Up | Psr.Ac;

    /// <summary>The first difference in words, or null where there is none.</summary>
    public static string? Difference(VectorCase vector, ProcessorImage actual, ReadOnlySpan<byte> data)
    {
        ProcessorImage expected = vector.After;
        return Different("ip", expected.Ip, actual.Ip)
            ?? Different("cfm", expected.Cfm, actual.Cfm)
            ?? GeneralDifference(vector, actual)
            ?? Different("pr", expected.Pr, actual.Pr)
            ?? FloatingDifference(expected, actual)
            ?? BranchDifference(expected, actual)
            ?? ApplicationDifference(vector, actual)
            ?? Different("ar.um", expected.Psr & RecordedUserMask, actual.Psr & RecordedUserMask)
            ?? DataDifference(vector.DataAfter, data);
    }

    private static string? GeneralDifference(VectorCase vector, ProcessorImage actual)
    {
        ProcessorImage expected = vector.After;
        int limit = 32 + expected.Sof;
        int defined = 32 + vector.Before.Sof;
        for (int r = 1; r < limit; r++)
        {
            if (r is >= FirstReserved and < 32 || (r >= defined && !vector.ListedGeneral.Contains(r)))
                continue;
            if (expected.Nat[r] != actual.Nat[r])
                return $"the NaT bit of r{r} is {(actual.Nat[r] ? 1 : 0)}";
            if (Different($"r{r}", expected.Gr[r], actual.Gr[r]) is { } difference)
                return difference;
        }
        return null;
    }

    private static string? FloatingDifference(ProcessorImage expected, ProcessorImage actual)
    {
        for (int f = 2; f < 128; f++)
        {
            if (expected.Fr[f] != actual.Fr[f])
                return $"f{f} is {actual.Fr[f]}, expected {expected.Fr[f]}";
        }
        return null;
    }

    private static string? BranchDifference(ProcessorImage expected, ProcessorImage actual)
    {
        for (int b = 0; b < 8; b++)
        {
            if (Different($"b{b}", expected.Br[b], actual.Br[b]) is { } difference)
                return difference;
        }
        return null;
    }

    private static string? ApplicationDifference(VectorCase vector, ProcessorImage actual)
    {
        foreach ((string name, int number) in RegisterNames.Application)
        {
            if (number == Ar.Rnat || (number == Ar.BspStore && !vector.ListsBspStore))
                continue;
            if (Different("ar." + name, vector.After.Ar[number], actual.Ar[number]) is { } difference)
                return difference;
        }
        return null;
    }

    private static string? DataDifference(ReadOnlySpan<byte> expected, ReadOnlySpan<byte> actual)
    {
        int offset = expected.CommonPrefixLength(actual);
        return offset == expected.Length ? null : $"byte {offset} of the data is 0x{actual[offset]:x2}, expected 0x{expected[offset]:x2}";
    }

    private static string? Different(string name, ulong expected, ulong actual) =>
        expected == actual ? null : $"{name} is 0x{actual:x}, expected 0x{expected:x}";
}
