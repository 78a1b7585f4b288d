using System.Runtime.CompilerServices;

namespace FastXen.Core.Float;

/// <summary>Shifts of 128-bit significands held as two words, with a third word for what leaves at the right.</summary>
internal static class WideSignificand
{
    /// <summary>
    /// Shifts right by <paramref name="count"/> (not negative). <paramref name="lost"/> holds the 64 bits next below the
    /// result; its bit 0 is sticky for all that lies deeper.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ShiftRight(ref ulong high, ref ulong low, out ulong lost, int count)
    {
        if (count < 64)
        {
            // Two shifts, so that a count of 0 works: C# takes shift counts modulo 64.
            lost = low << 1 << (63 - count);
            low = (low >> count) | (high << 1 << (63 - count));
            high >>= count;
        }
        else if (count < 128)
        {
            int rest = count - 64;
            lost = (low >> rest) | (high << 1 << (63 - rest)) | ((low << 1 << (63 - rest)) != 0 ? 1UL : 0);
            low = high >> rest;
            high = 0;
        }
        else
        {
            lost = (high | low) != 0 ? 1UL : 0;
            low = 0;
            high = 0;
        }
    }
}
