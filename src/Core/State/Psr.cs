namespace FastXen.Core.State;

/// <summary>Processor status register bits (manual volume 2, 3.3.2).</summary>
public static class Psr
{
    /// <summary>Big-endian data.</summary>
    public const ulong Be = 1UL << 1;
    /// <summary>User performance monitor enable.</summary>
    public const ulong Up = 1UL << 2;
    /// <summary>Alignment check.</summary>
    public const ulong Ac = 1UL << 3;
    /// <summary>f2-f31 written.</summary>
    public const ulong Mfl = 1UL << 4;
    /// <summary>f32-f127 written.</summary>
    public const ulong Mfh = 1UL << 5;
    /// <summary>Interruption collection.</summary>
    public const ulong Ic = 1UL << 13;
    /// <summary>External interrupts enabled.</summary>
    public const ulong I = 1UL << 14;
    /// <summary>Protection keys enabled.</summary>
    public const ulong Pk = 1UL << 15;
    /// <summary>Data address translation.</summary>
    public const ulong Dt = 1UL << 17;
    /// <summary>f2-f31 disabled.</summary>
    public const ulong Dfl = 1UL << 18;
    /// <summary>f32-f127 disabled.</summary>
    public const ulong Dfh = 1UL << 19;
    /// <summary>Secure performance monitors.</summary>
    public const ulong Sp = 1UL << 20;
    /// <summary>Privileged performance monitor enable.</summary>
    public const ulong Pp = 1UL << 21;
    /// <summary>Disable instruction set transition.</summary>
    public const ulong Di = 1UL << 22;
    /// <summary>Secure interval timer.</summary>
    public const ulong Si = 1UL << 23;
    /// <summary>Debug breakpoints.</summary>
    public const ulong Db = 1UL << 24;
    /// <summary>Lower-privilege transfer trap.</summary>
    public const ulong Lp = 1UL << 25;
    /// <summary>Taken-branch trap.</summary>
    public const ulong Tb = 1UL << 26;
    /// <summary>Register stack translation.</summary>
    public const ulong Rt = 1UL << 27;
    /// <summary>Shift of the current privilege level, 2 bits.</summary>
    public const int CplShift = 32;
    /// <summary>Current privilege level.</summary>
    public const ulong Cpl = 3UL << CplShift;
    /// <summary>IA-32 instruction set.</summary>
    public const ulong Is = 1UL << 34;
    /// <summary>Machine checks masked.</summary>
    public const ulong Mc = 1UL << 35;
    /// <summary>Instruction address translation.</summary>
    public const ulong It = 1UL << 36;
    /// <summary>Instruction debug fault disable.</summary>
    public const ulong Id = 1UL << 37;
    /// <summary>Data access and dirty-bit fault disable.</summary>
    public const ulong Da = 1UL << 38;
    /// <summary>Data debug fault disable.</summary>
    public const ulong Dd = 1UL << 39;
    /// <summary>Single step.</summary>
    public const ulong Ss = 1UL << 40;
    /// <summary>Shift of the restart instruction, 2 bits.</summary>
    public const int RiShift = 41;
    /// <summary>Restart instruction (slot).</summary>
    public const ulong Ri = 3UL << RiShift;
    /// <summary>Exception deferral.</summary>
    public const ulong Ed = 1UL << 43;
    /// <summary>Register bank.</summary>
    public const ulong Bn = 1UL << 44;
    /// <summary>Instruction access-bit fault disable.</summary>
    public const ulong Ia = 1UL << 45;
    /// <summary>Virtual machine.</summary>
    public const ulong Vm = 1UL << 46;

    /// <summary>Bits of the user mask, psr.um.</summary>
    public const ulong UserMask = Be | Up | Ac | Mfl | Mfh;
    /// <summary>Bits that `mov psr.l =`, `ssm` and `rsm` reach.</summary>
    public const ulong SystemMask = 0xFF_FFFFUL;
    /// <summary>Bits 31:0 that are implemented.</summary>
    public const ulong ImplementedLow = UserMask | Ic | I | Pk | Dt | Dfl | Dfh | Sp | Pp | Di | Si | Db | Lp | Tb | Rt;
    /// <summary>All implemented bits.</summary>
    public const ulong Implemented = ImplementedLow | Cpl | Is | Mc | It | Id | Da | Dd | Ss | Ri | Ed | Bn | Ia | Vm;
}
