namespace FastXen.Core.State;

/// <summary>ISR.code bits of traps (manual volume 2, table 8-2): several may be set at once.</summary>
public static class TrapCode
{
    /// <summary>Floating-point trap.</summary>
    public const ulong Fp = 1;
    /// <summary>Lower-privilege transfer.</summary>
    public const ulong LowerPrivilege = 2;
    /// <summary>Taken branch.</summary>
    public const ulong TakenBranch = 4;
    /// <summary>Single step.</summary>
    public const ulong SingleStep = 8;
    /// <summary>Unimplemented instruction address.</summary>
    public const ulong UnimplementedAddress = 16;
}
