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
    public const uint FirstTag = 4;

    /// <summary>Dividend and divisor, as frcpa had them.</summary>
    public FloatRegister Dividend, Divisor;

    /// <summary>
    /// The same, for all values but the seed of frcpa: other instructions may look at registers in the midst of a sequence, when
    /// those hold values of its earlier run.
    /// </summary>
    public FloatRegister LateDividend, LateDivisor;

    /// <summary>The quotient of integers.</summary>
    public ulong Quotient;

    /// <summary>The late operands are taken; else they are the same.</summary>
    public bool HasLate;

    /// <summary>A site whose operands have a tag.</summary>
    public DivisionSite(uint tag, bool hasLate)
    {
        Dividend.Tag = Divisor.Tag = LateDividend.Tag = LateDivisor.Tag = tag;
        HasLate = hasLate;
    }

    /// <summary>The tag of a value of a site.</summary>
    public static uint Tag(int site, byte value) => FirstTag + (uint)site * DivisionValues.Most + value;

    /// <summary>Computes the value of a register with a site's tag.</summary>
    public static unsafe FloatRegister Compute(DivisionSite* sites, uint tag)
    {
        DivisionSite* site = sites + (tag - FirstTag) / DivisionValues.Most;
        byte value = (byte)((tag - FirstTag) % DivisionValues.Most);
        return DivisionValues.IsSeed(value) || !site->HasLate
            ? DivisionValues.Compute(value, TaggedFloats.Value(site->Dividend), TaggedFloats.Value(site->Divisor))
            : DivisionValues.Compute(value, TaggedFloats.Value(site->LateDividend), TaggedFloats.Value(site->LateDivisor));
    }
}
