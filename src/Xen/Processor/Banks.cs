using FastXen.Core.Interpret;
using FastXen.Core.State;

namespace FastXen.Xen.Processor;

/// <summary>The register banks of a paravirtualized vCPU: r16-r31 of the bank that is not in use lie in the shared registers, with NaT bits where st8.spill puts them.</summary>
internal static unsafe class Banks
{
    private const int First = 16, Count = 16;

    /// <summary>To bank 0, as an interruption does. What r16-r31 hold then is nobody's.</summary>
    public static void SelectZero(VcpuState* s, ParavirtualState* p)
    {
        MappedRegisters* x = p->Registers;
        if (x->BankNumber == 0)
            return;
        Forget(s);
        new ReadOnlySpan<ulong>(s->Gr + First, Count).CopyTo(new Span<ulong>(x->Bank1, Count));
        ulong nats = 0;
        for (int r = 0; s->NatPresent != 0 && r < Count; r++)
        {
            nats |= (ulong)s->GrNat[First + r] << r;
            s->GrNat[First + r] = 0;
        }

        x->Vnat = nats;
        x->BankNumber = 0;
    }

    /// <summary>To bank 1, as rfi does.</summary>
    public static void SelectOne(VcpuState* s, ParavirtualState* p)
    {
        MappedRegisters* x = p->Registers;
        if (x->BankNumber != 0)
            return;
        Forget(s);
        new ReadOnlySpan<ulong>(x->Bank1, Count).CopyTo(new Span<ulong>(s->Gr + First, Count));
        ulong nats = x->Vnat & 0xFFFF;
        for (int r = 0; (s->NatPresent | nats) != 0 && r < Count; r++)
            Registers.SetGr(s, (uint)(First + r), s->Gr[First + r], (uint)(nats >> r) & 1);
        x->BankNumber = 1;
    }

    // The names r16-r31 mean other registers.
    private static void Forget(VcpuState* s)
    {
        if (s->AlatValid != 0)
            Alat.ForgetBank(s);
    }
}
