using System.Text;
using FastXen.Core.Interpret;

namespace FastXen.Core.State;

/// <summary>The state of a processor as text, for crash reports.</summary>
public static unsafe class StateDump
{
    /// <summary>Why the first of some processors that crashed did so, and its state; null where none did.</summary>
    public static string? OfCrashed(IEnumerable<Vcpu> processors) =>
        processors.FirstOrDefault(static processor => processor.CrashReason is not null) is { } crashed ? $"{crashed.CrashReason}{Environment.NewLine}{Of(crashed.State)}" : null;

    /// <summary>All that a reader needs to see where the guest was.</summary>
    public static string Of(VcpuState* s)
    {
        var text = new StringBuilder();
        text.AppendLine($"ip  {s->Ip:x16}.{s->Slot} psr {s->PsrValue:x16} cfm {s->Cfm:x10} pr {Rse.PhysicalPr(s):x16} retired {s->Retired}");
        text.AppendLine($"bsp {Rse.Bsp(s):x16} bspstore {s->BspStore:x16} rnat {s->Rnat:x16} dirty {s->Dirty} rsc {s->Ar[Ar.Rsc]:x} pfs {s->Ar[Ar.Pfs]:x16} unat {s->Ar[Ar.Unat]:x16}");
        text.AppendLine($"lc  {s->Ar[Ar.Lc]:x16} ec {s->Ar[Ar.Ec]:x} ccv {s->Ar[Ar.Ccv]:x16} fpsr {s->Ar[Ar.Fpsr]:x16} itc {Clock.Itc(s):x}");
        text.AppendLine($"iip {s->Cr[Cr.Iip]:x16} ipsr {s->Cr[Cr.Ipsr]:x16} isr {s->Cr[Cr.Isr]:x16} ifa {s->Cr[Cr.Ifa]:x16} itir {s->Cr[Cr.Itir]:x} iipa {s->Cr[Cr.Iipa]:x16}");
        text.AppendLine($"ifs {s->Cr[Cr.Ifs]:x16} iim {s->Cr[Cr.Iim]:x} iha {s->Cr[Cr.Iha]:x16} iva {s->Cr[Cr.Iva]:x16} dcr {s->Cr[Cr.Dcr]:x} tpr {s->Cr[Cr.Tpr]:x} pta {s->Mmu->Pta:x}");
        for (int b = 0; b < 8; b++)
            text.Append($"b{b}  {s->Br[b]:x16}{(b % 4 == 3 ? Environment.NewLine : " ")}");
        for (int r = 0; r < 8; r++)
            text.Append($"rr{r} {s->Mmu->Rr[r]:x16}{(r % 4 == 3 ? Environment.NewLine : " ")}");
        uint last = Math.Min(s->GrLimit, 127);
        for (uint r = 0; r <= last; r++)
            text.Append($"r{r,-3}{(Registers.Nat(s, r) != 0 ? '*' : ' ')}{Registers.Gr(s, r):x16}{(r % 4 == 3 || r == last ? Environment.NewLine : " ")}");
        return text.ToString();
    }
}
