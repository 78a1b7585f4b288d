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

    /// <summary>The value of an 82-bit register or a tagged double.</summary>
    public static FloatRegister Value(in FloatRegister f) => f.Tag == 0 ? f : MemoryFormat.FromDouble(f.Significand);

    private static void Untag(VcpuState* s, FloatRegister* f)
    {
        if (f->Tag >= DivisionSite.FirstTag)
            *f = DivisionSite.Compute(s->Translated.DivisionSites, f->Tag);
        else if (f->Tag != 0)
            *f = MemoryFormat.FromDouble(f->Significand);
    }
}
