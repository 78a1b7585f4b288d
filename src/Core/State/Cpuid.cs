namespace FastXen.Core.State;

/// <summary>CPUID registers (manual volume 1, 3.1.11), as an Itanium 2 9000 series (Montecito) reports them.</summary>
public static class Cpuid
{
    /// <summary>Registers implemented: 0 to 4.</summary>
    public const int Count = 5;

    /// <summary>Long branch (brl).</summary>
    public const ulong LongBranch = 1;

    /// <summary>16-byte atomic operations (ld16, st16, cmp8xchg16).</summary>
    public const ulong SixteenByteAtomics = 4;

    /// <summary>clz, as `tf` @clz tests it: a later addition that this processor has.</summary>
    public const ulong Clz = 1UL << 32;

    /// <summary>mpy4 and mpyshl4, as `tf` @mpy tests it.</summary>
    public const ulong Mpy = 1UL << 33;

    /// <summary>CPUID[4].</summary>
    public const ulong Features = LongBranch | SixteenByteAtomics | Clz | Mpy;

    /// <summary>Reads register <paramref name="index"/>, 0 to 4.</summary>
    public static ulong Read(int index) => index switch
    {
        0 => 0x49656E69756E6547, // "GenuineI"
        1 => 0x000000006C65746E, // "ntel"
        3 => 0x0000_0000_2000_0704, // family 0x20, model 0, revision 7, last index 4
        4 => Features,
        _ => 0,
    };
}
