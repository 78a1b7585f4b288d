using FastXen.Core.Decode;
using FastXen.Core.State;

namespace FastXen.Core.Translate;

/// <summary>What of the processor's mode translated code takes for granted.</summary>
internal static class TranslationContext
{
    /// <summary>PSR.ic: the source of IIPA is recorded.</summary>
    public const uint Ic = 1;

    /// <summary>PSR.dfl and dfh.</summary>
    public const uint Dfl = 2, Dfh = 4;

    /// <summary>Privilege level.</summary>
    public const int CplShift = 3;

    /// <summary>Privilege level.</summary>
    public const uint CplMask = 3 << CplShift;

    /// <summary>The number of FPSR's controls: bits 6:5.</summary>
    public const int FpsrShift = 5;

    /// <summary>Some general register may hold a NaT: each one that is read is looked at.</summary>
    public const uint Nat = 1 << 7;

    /// <summary>Of plans only, where it is the same for all of a domain: a hypervisor has host code for breaks.</summary>
    public const uint Hypervised = 1 << 9;

    /// <summary>FPSR without its flags.</summary>
    public const ulong FpsrControls = 0x3f | (0x7fUL << 6) | (0x7fUL << 19) | (0x7fUL << 32) | (0x7fUL << 45);

    /// <summary>PSR bits that the context is made of, and those that choose the address space of code.</summary>
    public const ulong PsrBits = Psr.Ic | Psr.Dfl | Psr.Dfh | Psr.Cpl | Psr.It | Psr.Pk | Psr.Db;

    /// <summary>The context of a PSR, where NaTs are present or not.</summary>
    public static uint Of(ulong psr, bool nats) => (nats ? Nat : 0) |
        (uint)((psr & Psr.Ic) != 0 ? Ic : 0) | (uint)(psr / Psr.Dfl & 3) << 1 | (uint)(psr >> Psr.CplShift & 3) << CplShift;

    /// <summary>True when the handler of an operation may read or write the predicate file.</summary>
    public static bool UsesPredicates(Opcode opcode) => opcode switch
    {
        >= Opcode.Ld1 and <= Opcode.Fetchadd8Rel => false,
        >= Opcode.SetfSig and <= Opcode.GetfD => false,
        Opcode.Fma or Opcode.Fms or Opcode.Fnma or Opcode.XmaL or Opcode.XmaH or Opcode.XmaHu => false,
        Opcode.Alloc or (>= Opcode.ProbeR and <= Opcode.ProbeWFault) or (>= Opcode.ItcD and <= Opcode.Tak) => false,
        Opcode.MovToArI or Opcode.MovFromArI or Opcode.MovToArM or Opcode.MovFromArM or Opcode.MovToCr or Opcode.MovFromCr => false,
        Opcode.Ssm or Opcode.Rsm or Opcode.Sum or Opcode.Rum or Opcode.SrlzD or Opcode.SrlzI or Opcode.MovToPsrL or Opcode.MovFromPsr => false,
        _ => true,
    };
}
