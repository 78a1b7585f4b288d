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

    /// <summary>A site's number says what its operands are (<see cref="FormOf"/>): a vCPU finds its sites as they come, and nobody has filled them in.</summary>
    public const int Forms = 2 * OperandTags;

    private const int OperandTags = 3;

    /// <summary>Dividend and divisor, as frcpa had them: what stands in the place of the significand in a register with the form's tag.</summary>
    public ulong Dividend, Divisor;

    /// <summary>
    /// The same, for all values but the seed of frcpa: other instructions may look at registers in the midst of a sequence, when
    /// those hold values of its earlier run. Forms without late operands do not use them.
    /// </summary>
    public ulong LateDividend, LateDivisor;

    /// <summary>The quotient of integers.</summary>
    public ulong Quotient;

    /// <summary>The form of sites for operands with a tag (<see cref="TaggedFloats"/>).</summary>
    public static int FormOf(uint operandTag, bool hasLate) => (int)operandTag - 1 + (hasLate ? OperandTags : 0);

    /// <summary>The tag of a value of a site.</summary>
    public static uint Tag(int site, byte value) => FirstTag + (uint)site * DivisionValues.Most + value;

    /// <summary>Computes the value of a register with a site's tag.</summary>
    public static unsafe FloatRegister Compute(DivisionSite* sites, uint tag)
    {
        uint number = (tag - FirstTag) / DivisionValues.Most, form = number % Forms;
        DivisionSite* site = sites + number;
        byte value = (byte)((tag - FirstTag) % DivisionValues.Most);
        bool isEarly = form < OperandTags || DivisionValues.IsSeed(value);
        return DivisionValues.Compute(
            value, Operand(isEarly ? site->Dividend : site->LateDividend, form), Operand(isEarly ? site->Divisor : site->LateDivisor, form));
    }

    private static FloatRegister Operand(ulong bits, uint form) => TaggedFloats.Value(new FloatRegister(0, bits) { Tag = form % OperandTags + 1 });
}
