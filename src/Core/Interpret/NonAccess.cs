namespace FastXen.Core.Interpret;

/// <summary>ISR.code{3:0} of non-access instructions, ISR.na = 1 (SDM vol 2, ISR: values for non-access instructions).</summary>
public static class NonAccess
{
#pragma warning disable CS1591 // the names are the instructions'
    public const ulong Tpa = 0, Fc = 1, Probe = 2, Tak = 3, Lfetch = 4, ProbeFault = 5;
#pragma warning restore CS1591
}
