using FastXen.Core.Decode;
using FastXen.Core.Float;
using FastXen.Core.State;

namespace FastXen.Core.Translate;

/// <summary>Floating-point registers that translated code keeps as doubles become 82-bit registers again before anything else looks at them.</summary>
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

        Untag(Registers.Fr(s, i->R1 & 127u));
        Untag(Registers.Fr(s, i->R2 & 127u));
        Untag(Registers.Fr(s, i->R3 & 127u));
        Untag(Registers.Fr(s, i->R4 & 127u));
    }

    /// <summary>All.</summary>
    public static void UntagAll(VcpuState* s)
    {
        if (s->Translated.FloatsTagged == 0)
            return;
        s->Translated.FloatsTagged = 0;
        for (uint f = 2; f < 128; f++)
            Untag(Registers.Fr(s, f));
    }

    private static void Untag(FloatRegister* f)
    {
        if (f->Tag != 0)
            *f = MemoryFormat.FromDouble(f->Significand);
    }
}
