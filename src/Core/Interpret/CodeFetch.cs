using FastXen.Core.State;
using FastXen.Mmu;

namespace FastXen.Core.Interpret;

/// <summary>Finds the decoded page that holds Ip, through instruction translation.</summary>
public static unsafe class CodeFetch
{
    /// <summary>Makes the page of Ip the current one; false when that raised an interruption (Ip is then at its vector) or stopped the domain.</summary>
    public static bool Fetch(VcpuState* s)
    {
        Vcpu vcpu = Vcpu.Of(s);
        ulong ip = s->Ip;
        CodeEntry* entry = CodeTlb.Find(s->Mmu, ip);
        ulong physical;
        if (entry != null)
        {
            physical = entry->PhysicalPage;
            s->CodePte = entry->Pte.Value;
        }
        else
        {
            // Breakpoints are looked at bundle by bundle (CarefulStep), not page by page.
            ulong psr = s->PsrValue & ~Psr.Db;
            TranslationOutcome outcome = AddressTranslation.Resolve(
                s->Mmu, vcpu.Memory, ip, 16, AccessKind.Fetch, s->Cpl, psr, s->Cr[Cr.Dcr], out Mmu.Translation t);
            if (outcome != TranslationOutcome.Ok)
            {
                s->FetchVa = CodePage.NoAddress;
                AddressSpace.FetchFault(s, outcome, t);
                return false;
            }

            physical = t.PhysicalAddress & ~0xFFFUL;
            s->CodePte = t.Pte.Value;
            if (!vcpu.Memory.IsRam(physical, CodePage.Size))
            {
                vcpu.Crash($"machine check: instruction fetch at 0x{ip:x16}, where there is no memory (physical 0x{t.PhysicalAddress:x})");
                return false;
            }

            CodeTlb.Fill(s->Mmu, vcpu.Memory, ip, t);
        }

        s->CodeEd = (uint)(s->CodePte >> 52) & 1;
        s->CodePa = physical;
        s->CodeVa = s->FetchVa = ip & ~0xFFFUL;
        s->CodeSlots = vcpu.Code.Page(physical);
        return true;
    }

    /// <summary>Delivers an Instruction Debug fault where an armed IBR matches the bundle at Ip.</summary>
    public static bool Breakpoint(VcpuState* s)
    {
        if (!Protection.DebugMatches(s->Mmu, s->Ip, 16, AccessKind.Fetch, s->Cpl))
            return false;
        if ((s->PsrValue & Psr.Ic) != 0)
            s->Cr[Cr.Ifa] = s->Ip;
        Interruptions.DeliverHere(s, Vector.Debug, Isr.X);
        return true;
    }
}
