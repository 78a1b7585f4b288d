using System.Runtime.Intrinsics.X86;

namespace FastXen.Core.Emit;

/// <summary>What the host processor must have to run translated code.</summary>
public static class HostFeatures
{
    /// <summary>A sentence that names what the host processor lacks, or null when it has everything.</summary>
    /// <remarks>
    /// The processor is asked itself: the IsSupported properties tell what this program was compiled for, which may be less.
    /// </remarks>
    public static string? Missing()
    {
        if (!X86Base.IsSupported)
            return "The host processor is not an x86-64 one, for which translated code is made.";

        // Intel SDM volume 2, CPUID: leaf 1, leaf 7 (structured extended features), leaf 0x80000001.
        (_, _, int basic, _) = X86Base.CpuId(1, 0);
        int highest = X86Base.CpuId(0, 0).Eax;
        int structured = highest >= 7 ? X86Base.CpuId(7, 0).Ebx : 0;
        (_, _, int extended, _) = X86Base.CpuId(unchecked((int)0x80000001), 0);
        const int osSavesVectors = 1 << 27, avx = 1 << 28;
        bool vectors = (basic & (osSavesVectors | avx)) == (osSavesVectors | avx);
        string?[] missing =
        [
            vectors && (structured & (1 << 5)) != 0 ? null : "AVX2",
            (structured & (1 << 3)) != 0 ? null : "BMI1",
            (structured & (1 << 8)) != 0 ? null : "BMI2",
            (extended & (1 << 5)) != 0 ? null : "LZCNT",
            (basic & (1 << 23)) != 0 ? null : "POPCNT",
            vectors && (basic & (1 << 12)) != 0 ? null : "FMA",
        ];
        string names = string.Join(", ", missing.Where(name => name is not null));
        return names.Length == 0 ? null : $"The host processor lacks {names}, which translated code needs.";
    }
}
