using System.Runtime.Intrinsics;
using FastXen.Core.State;

namespace FastXen.Core.Interpret;

/// <summary>Changes of the PSR, with what hangs on it: register bank, translation mode, the careful mode of the run loop.</summary>
public static unsafe class ProcessorStatus
{
    // Bits whose change selects another set of fast translation tables or invalidates the code page.
    private const ulong TranslationBits = Psr.Dt | Psr.Rt | Psr.It | Psr.Cpl | Psr.Be | Psr.Db | Psr.Pk | Psr.Ia;

    /// <summary>Bits that disable something for one instruction: cleared when it completes (SDM vol 2, 3.3.2).</summary>
    public const ulong OneShot = Psr.Id | Psr.Da | Psr.Dd | Psr.Ia | Psr.Ed;

    private const ulong CarefulBits = Psr.Ss | Psr.Id | Psr.Da | Psr.Dd | Psr.Ed | Psr.Ia | Psr.Db;

    /// <summary>Sets the whole PSR.</summary>
    public static void Set(VcpuState* s, ulong value)
    {
        ulong changed = s->PsrValue ^ value;
        s->PsrValue = value & ~Psr.Ri;
        if ((changed & Psr.Bn) != 0)
            SwapBank(s);
        if ((changed & TranslationBits) != 0)
            ModeChanged(s, changed);
        s->Careful = (value & CarefulBits) != 0 ? 1u : 0u;
        if ((value & Psr.I) != 0)
            LocalSapic.Recheck(s);
    }

    /// <summary>Lowers the privilege level (br.ret) or raises it (epc).</summary>
    public static void SetCpl(VcpuState* s, int cpl) =>
        Set(s, (s->PsrValue & ~Psr.Cpl) | (ulong)cpl << Psr.CplShift);

    /// <summary>Exchanges r16-r31 with the other bank.</summary>
    private static void SwapBank(VcpuState* s)
    {
        if (s->AlatValid != 0)
            Alat.ForgetBank(s);
        for (int r = 0; r < 16; r += Vector256<ulong>.Count)
        {
            Vector256<ulong> now = Vector256.Load(s->Gr + 16 + r);
            Vector256.Store(Vector256.Load(s->OtherBank + r), s->Gr + 16 + r);
            Vector256.Store(now, s->OtherBank + r);
        }

        Vector128<byte> nats = Vector128.Load(s->GrNat + 16);
        Vector128.Store(Vector128.Load(s->OtherBankNat), s->GrNat + 16);
        Vector128.Store(nats, s->OtherBankNat);
    }

    /// <summary>Selects the translation tables of the mode that the PSR now names.</summary>
    public static void ModeChanged(VcpuState* s, ulong changed)
    {
        // A page that PSR.ia let through, or that no key was asked for, is looked at again.
        if ((changed & (Psr.It | Psr.Cpl | Psr.Pk | Psr.Ia)) != 0)
            s->FetchVa = CodePage.NoAddress;
        AddressSpace.SelectMode(s);
    }
}
