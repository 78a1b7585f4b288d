namespace FastXen.Core.Float;

/// <summary>
/// The six exceptions as they stand in FPSR.traps and in the flags of a status field (manual volume 1, 5.3), and the two
/// conditions that only ISR.code reports.
/// </summary>
public static class FloatFlags
{
    /// <summary>Invalid operation.</summary>
    public const uint Invalid = 1;
    /// <summary>Denormal or unnormal operand.</summary>
    public const uint Denormal = 2;
    /// <summary>Division by zero.</summary>
    public const uint ZeroDivide = 4;
    /// <summary>Overflow.</summary>
    public const uint Overflow = 8;
    /// <summary>Underflow.</summary>
    public const uint Underflow = 16;
    /// <summary>Inexact result.</summary>
    public const uint Inexact = 32;
    /// <summary>All six.</summary>
    public const uint All = 63;

    /// <summary>Fault only: the operation needs software assistance. As the faults above it has the place that it has in ISR.code.</summary>
    public const uint SoftwareAssist = 8;

    /// <summary>Trap only: rounding added one to the significand (ISR.code "fpa"), next to <see cref="Inexact"/>.</summary>
    public const uint RoundedAway = 64;
}
