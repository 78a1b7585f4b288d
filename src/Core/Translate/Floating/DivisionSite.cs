using System.Runtime.InteropServices;
using FastXen.Core.Float;

namespace FastXen.Core.Translate;

/// <summary>
/// What the host's division in place of one sequence leaves behind. Registers of intermediate values get the tag of their value
/// (<see cref="Tag"/>); when something looks at one, the value is computed from the operands that are kept here.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal struct DivisionSite
{
    /// <summary>The smallest tag that is a site's.</summary>
    public const uint FirstTag = 2;

    /// <summary>Dividend and divisor, as frcpa had them.</summary>
    public FloatRegister Dividend, Divisor;

    /// <summary>
    /// The same, for all values but the seed of frcpa: other instructions may look at registers in the midst of a sequence, when
    /// those hold values of its earlier run.
    /// </summary>
    public FloatRegister LateDividend, LateDivisor;

    /// <summary>The quotient of integers.</summary>
    public ulong Quotient;

    /// <summary>The tag of a value of a site.</summary>
    public static uint Tag(int site, byte value) => FirstTag + (uint)site * DivisionValues.Most + value;

    /// <summary>Computes the value of a register with a site's tag.</summary>
    public static unsafe FloatRegister Compute(DivisionSite* sites, uint tag)
    {
        uint number = (tag - FirstTag) / DivisionValues.Most;
        DivisionSite* site = sites + number;
        byte value = (byte)((tag - FirstTag) % DivisionValues.Most);
        bool isSeed = DivisionValues.IsSeed(value);
        FloatRegister dividend = isSeed ? site->Dividend : site->LateDividend, divisor = isSeed ? site->Divisor : site->LateDivisor;
        return IsOfDoubles(number)
            ? DivisionValues.Compute(value, MemoryFormat.FromDouble(dividend.Significand), MemoryFormat.FromDouble(divisor.Significand))
            : DivisionValues.Compute(value, dividend, divisor);
    }

    // Whether operands are kept as doubles: a vCPU finds its sites as they come, and nobody has filled them in.
    private static bool IsOfDoubles(uint number) => number >= CodeArena.FirstDoubleSite;
}
