using System.Runtime.CompilerServices;

namespace FastXen.Core.Float;

/// <summary>
/// What an operation takes from FPSR (traps and the controls of its status field) and what it gives back. An operation
/// with a non-zero <see cref="Fault"/> has no result and changes nothing, not even the flags.
/// </summary>
public struct FloatStatus
{
    /// <summary>Shift of sf0's controls in FPSR; each status field has 13 bits.</summary>
    private const int ControlShift = 6;
    private const int FlagShift = 13;
    private const int FieldWidth = 13;

    private const uint TrapsDisabled = 0x40;

    /// <summary>Control bits of the status field: ftz 0, wre 1, pc 3:2, rc 5:4, td 6.</summary>
    public uint Control;

    /// <summary>Exceptions that are not masked, as <see cref="FloatFlags"/>.</summary>
    public uint Enabled;

    /// <summary>Flags that the operation raised, to be merged into the status field.</summary>
    public uint Flags;

    /// <summary>Faults: V, D, Z, SWA in bits 0 to 3.</summary>
    public uint Fault;

    /// <summary>Traps, as <see cref="FloatFlags"/> O, U, I and <see cref="FloatFlags.RoundedAway"/>.</summary>
    public uint Trap;

    /// <summary>Reads the environment of status field <paramref name="field"/> (0 to 3).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public FloatStatus(ulong fpsr, int field)
    {
        uint control = (uint)(fpsr >> (ControlShift + (FieldWidth * field))) & 0x7f;
        Control = control;
        Enabled = (control & TrapsDisabled) != 0 ? 0 : ~(uint)fpsr & FloatFlags.All;
        Flags = 0;
        Fault = 0;
        Trap = 0;
    }

    /// <summary>Rounding mode: 0 nearest, 1 down, 2 up, 3 toward zero.</summary>
    public readonly uint RoundingMode => (Control >> 4) & 3;

    /// <summary>Flush-to-zero; it acts only where the underflow trap is masked.</summary>
    public readonly bool FlushToZero => (Control & 1) != 0;

    /// <summary>The same environment with rounding toward zero (the .trunc completer).</summary>
    public void Truncate() => Control |= 0x30;

    /// <summary>
    /// Raises pre-operation exceptions: as a fault (result true, the operation ends) when unmasked, else as flags.
    /// </summary>
    public bool Raise(uint exceptions)
    {
        Fault |= exceptions & Enabled;
        if (Fault != 0)
            return true;

        Flags |= exceptions;
        return false;
    }

    /// <summary>FPSR with <paramref name="flags"/> merged into status field <paramref name="field"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Merge(ulong fpsr, int field, uint flags) => fpsr | ((ulong)flags << (FlagShift + (FieldWidth * field)));

    /// <summary>The trap conditions as four bits O, U, I, FPA.</summary>
    public readonly uint TrapNibble => Trap >> 3;

    /// <summary>The controls of status field <paramref name="field"/>.</summary>
    public static uint Controls(ulong fpsr, int field) => (uint)(fpsr >> (ControlShift + (FieldWidth * field))) & 0x7f;

    /// <summary>FPSR with other controls in status field <paramref name="field"/>.</summary>
    public static ulong WithControls(ulong fpsr, int field, uint controls)
    {
        int shift = ControlShift + (FieldWidth * field);
        return (fpsr & ~(0x7fUL << shift)) | ((ulong)controls << shift);
    }

    /// <summary>The six flags of status field <paramref name="field"/>.</summary>
    public static uint FieldFlags(ulong fpsr, int field) => (uint)(fpsr >> (FlagShift + (FieldWidth * field))) & FloatFlags.All;

    /// <summary>FPSR with the flags of status field <paramref name="field"/> cleared.</summary>
    public static ulong ClearFlags(ulong fpsr, int field) => fpsr & ~((ulong)FloatFlags.All << (FlagShift + (FieldWidth * field)));
}
