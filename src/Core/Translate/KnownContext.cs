using System.Runtime.InteropServices;

namespace FastXen.Core.Translate;

/// <summary>What follows from a PSR, FPSR and state of the mappings: interruptions and their ends go to and fro between few.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct KnownContext
{
    /// <summary>Entries of a vCPU.</summary>
    public const int Count = 32;

    /// <summary>Of the PSR, <see cref="TranslationContext.PsrBits"/>; of FPSR, the controls; the epoch of code.</summary>
    public ulong Psr, Fpsr, Epoch;

    /// <summary>The state of the mappings, and the context.</summary>
    public uint CodeVersion, Context;

    /// <summary>See <see cref="CodeState.Spaces"/>.</summary>
    public fixed ulong Spaces[8];

    /// <summary>See <see cref="CodeState.Jumps"/>; null in an entry that has not been set.</summary>
    public JumpEntry* Jumps;

    /// <summary>The place of a PSR: another one for each ic, dfl, dfh, cpl.</summary>
    public static int Index(ulong psr) => (int)(psr >> FirstShift ^ psr >> SecondShift ^ psr >> ThirdShift) & (Count - 1);

    /// <summary>What <see cref="Index"/> shifts by.</summary>
    public const int FirstShift = 13, SecondShift = 17, ThirdShift = 29;
}
