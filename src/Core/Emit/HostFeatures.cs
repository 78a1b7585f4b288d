using System.Runtime.Intrinsics.X86;

namespace FastXen.Core.Emit;

/// <summary>What the host processor must have to run translated code.</summary>
public static class HostFeatures
{
    /// <summary>A sentence that names what the host processor lacks, or null when it has everything.</summary>
    public static string? Missing()
    {
        string?[] missing =
        [
            Avx2.IsSupported ? null : "AVX2",
            Bmi1.X64.IsSupported ? null : "BMI1",
            Bmi2.X64.IsSupported ? null : "BMI2",
            Lzcnt.X64.IsSupported ? null : "LZCNT",
            Popcnt.X64.IsSupported ? null : "POPCNT",
            Fma.IsSupported ? null : "FMA",
        ];
        string names = string.Join(", ", missing.Where(name => name is not null));
        return names.Length == 0 ? null : $"The host processor lacks {names}, which translated code needs.";
    }
}
