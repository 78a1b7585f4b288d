using FastXen.Core.Decode;
using FastXen.Core.Float;
using FastXen.Core.State;

namespace FastXen.Core.Translate;

/// <summary>Floating-point registers that translated code keeps as doubles, or as steps of a division, become 82-bit registers again before anything else looks at them.</summary>
internal static unsafe class TaggedFloats
{
    /// <summary>Those that an instruction may name; a break may name any, through the firmware.</summary>
    public static void Untag(VcpuState* s, Instruction* i)
    {
        if (i->Opcode is Opcode.BreakB or Opcode.BreakI or Opcode.BreakM or Opcode.BreakF or Opcode.BreakX)
        {
            UntagAll(s);
            return;
        }

        Untag(s, Registers.Fr(s, i->R1 & 127u));
        Untag(s, Registers.Fr(s, i->R2 & 127u));
        Untag(s, Registers.Fr(s, i->R3 & 127u));
        Untag(s, Registers.Fr(s, i->R4 & 127u));
    }

    /// <summary>All.</summary>
    public static void UntagAll(VcpuState* s)
    {
        if (s->Translated.FloatsTagged == 0)
            return;
        s->Translated.FloatsTagged = s->Translated.RotatingStepsTagged = 0;
        for (uint f = 2; f < 128; f++)
            Untag(s, Registers.Fr(s, f));
    }

    /// <summary>The tag of a double, whose bits are in the place of the significand.</summary>
    public const uint Double = 1;

    /// <summary>The tag of what fcvt.xf makes of the signed integer in the place of the significand.</summary>
    public const uint Signed = 2;

    /// <summary>The tag of what fnorm makes of the integer, not zero, in the place of the significand.</summary>
    public const uint Unsigned = 3;

    /// <summary>The value of a register whose tag is not a division's.</summary>
    public static FloatRegister Value(in FloatRegister f) => f.Tag switch
    {
        0 => f,
        Double => MemoryFormat.FromDouble(f.Significand),
        Signed => OfInteger((long)f.Significand < 0 ? FloatKind.SignBit : 0, (ulong)Int128.Abs((long)f.Significand)),
        _ => OfInteger(0, f.Significand),
    };

    private static FloatRegister OfInteger(uint sign, ulong magnitude)
    {
        int zeros = System.Numerics.BitOperations.LeadingZeroCount(magnitude);
        return magnitude == 0 ? FloatRegister.Zero : new FloatRegister(sign | (FloatRegister.IntegerExponent - (uint)zeros), magnitude << zeros);
    }

    /// <summary>Makes the registers of a mask (128 bits) tagged doubles; false when one is no double.</summary>
    public static bool Tag(VcpuState* s, ulong* mask)
    {
        for (int half = 0; half < 2; half++)
        {
            for (ulong left = mask[half]; left != 0; left &= left - 1)
            {
                if (!Tag(s, (uint)(64 * half + System.Numerics.BitOperations.TrailingZeroCount(left))))
                    return false;
            }
        }

        return true;
    }

    /// <summary>Those registers of a mask that an instruction may have untagged or written become doubles again; false when one is none.</summary>
    public static bool TagNamed(VcpuState* s, Instruction* i, ulong* mask)
    {
        if (s->Translated.FloatsTagged == 0)
            return Tag(s, mask);
        return TagOne(s, i->R1, mask) && TagOne(s, i->R2, mask) && TagOne(s, i->R3, mask) && TagOne(s, i->R4, mask);
    }

    private static bool TagOne(VcpuState* s, uint f, ulong* mask) => (mask[f >> 6 & 1] >> (int)(f & 63) & 1) == 0 || Tag(s, f & 127);

    private static bool Tag(VcpuState* s, uint f)
    {
        FloatRegister* register = Registers.Fr(s, f);
        if (register->Tag == Double)
            return true;
        Untag(s, register);
        ulong bits = MemoryFormat.ToDouble(*register);
        if (MemoryFormat.FromDouble(bits) != *register)
            return false;
        register->Significand = bits;
        register->Tag = Double;
        s->Translated.FloatsTagged = 1;
        return true;
    }

    private static void Untag(VcpuState* s, FloatRegister* f)
    {
        if (f->Tag >= DivisionSite.FirstTag)
            *f = DivisionSite.Compute(s->Translated.DivisionSites, f->Tag);
        else if (f->Tag != 0)
            *f = Value(*f);
    }
}
