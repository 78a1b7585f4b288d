using FastXen.Core.Decode;
using FastXen.Core.Float;
using FastXen.Core.State;

namespace FastXen.Core.Interpret;

/// <summary>fsetc, fclrf and fchkf (formats F12 to F14).</summary>
public static unsafe class FloatingStatusFields
{
    private const uint PrecisionMask = 0xc, ReservedPrecision = 4, TrapsDisabled = 0x40;

    /// <summary>Enters the handlers into the interpreter's table.</summary>
    public static void Bind(delegate*<VcpuState*, Instruction*, int>* table)
    {
        table[(int)Opcode.Fsetc] = &Fsetc;
        table[(int)Opcode.Fclrf] = &Fclrf;
        table[(int)Opcode.Fchkf] = &Fchkf;
    }

    private static int Fsetc(VcpuState* s, Instruction* i)
    {
        // The source is sf0's controls, whatever field is set.
        ulong fpsr = s->Ar[Ar.Fpsr];
        uint controls = (FloatStatus.Controls(fpsr, 0) & i->Position) | i->Length;
        if ((controls & PrecisionMask) == ReservedPrecision || (i->Selector == 0 && (controls & TrapsDisabled) != 0))
            return Fault.ReservedRegisterField(s, i);

        s->Ar[Ar.Fpsr] = FloatStatus.WithControls(fpsr, i->Selector, controls);
        return Step.Next;
    }

    private static int Fclrf(VcpuState* s, Instruction* i)
    {
        s->Ar[Ar.Fpsr] = FloatStatus.ClearFlags(s->Ar[Ar.Fpsr], i->Selector);
        return Step.Next;
    }

    private static int Fchkf(VcpuState* s, Instruction* i)
    {
        // Flags whose trap is enabled, or that sf0 does not have yet.
        ulong fpsr = s->Ar[Ar.Fpsr];
        uint flags = FloatStatus.FieldFlags(fpsr, i->Selector);
        uint news = (flags & ~(uint)fpsr) | (flags & ~FloatStatus.FieldFlags(fpsr, 0));
        return news == 0 ? Step.Next : Branches.TakeRelative(s, i);
    }
}
