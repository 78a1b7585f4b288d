namespace FastXen.Core.State;

/// <summary>Bits of CR.ISR (manual volume 2, 3.3.5.2).</summary>
public static class Isr
{
    /// <summary>Execute exception.</summary>
    public const ulong X = 1UL << 32;
    /// <summary>Write exception.</summary>
    public const ulong W = 1UL << 33;
    /// <summary>Read exception.</summary>
    public const ulong R = 1UL << 34;
    /// <summary>Non-access exception.</summary>
    public const ulong Na = 1UL << 35;
    /// <summary>Speculative load exception.</summary>
    public const ulong Sp = 1UL << 36;
    /// <summary>Register stack access.</summary>
    public const ulong Rs = 1UL << 37;
    /// <summary>Incomplete current register frame.</summary>
    public const ulong Ir = 1UL << 38;
    /// <summary>Nested interruption: PSR.ic was 0 or in flight.</summary>
    public const ulong Ni = 1UL << 39;
    /// <summary>Supervisor override (IA-32 only).</summary>
    public const ulong So = 1UL << 40;
    /// <summary>Shift of the excepting instruction's slot.</summary>
    public const int EiShift = 41;
    /// <summary>Exception deferral: ITLB.ed of the excepting speculative load's code page.</summary>
    public const ulong Ed = 1UL << 43;
}
