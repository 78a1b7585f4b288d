namespace FastXen.Core.State;

/// <summary>The processor identification registers (SDM vol 1, 3.1.11) of an Itanium 2 9000 series processor.</summary>
public static class Cpuid
{
    /// <summary>Number of implemented registers.</summary>
    public const int Count = 5;

    /// <summary>
    /// CPUID[4], which tf tests: lb (brl is executed by hardware) and ao (16-byte atomic operations). Its upper half, where later
    /// processors announce clz and mpy4, is zero on this series.
    /// </summary>
    public const ulong Features = 1 << 0 | 1 << 2;

    /// <summary>Register <paramref name="index"/>, which is less than <see cref="Count"/>.</summary>
    public static ulong Read(int index) => index switch
    {
        0 => 0x4965_6e69_756e_6547, // "GenuineI"
        1 => 0x0000_0000_6c65_746e, // "ntel"
        2 => 0, // serial number: not reported
        3 => 0x0000_0000_2000_0704, // family 0x20, model 0, revision 7; the highest index is 4
        _ => Features,
    };
}
