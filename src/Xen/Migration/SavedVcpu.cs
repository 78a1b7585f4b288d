using FastXen.Core.Float;
using FastXen.Core.Interpret;
using FastXen.Core.Lockstep;
using FastXen.Core.State;
using FastXen.Mmu;
using FastXen.Xen.Processor;

namespace FastXen.Xen.Migration;

/// <summary>
/// A vCPU in a saved domain (docs/xen-save.md, record "vcpu"): all of its architected state but for translation caches and the ALAT, which may be forgotten at any
/// time.
/// </summary>
internal static unsafe class SavedVcpu
{
    private const int LargestFrame = 96, Regions = 8;

    // More dirty registers than the register file has are nobody's.
    private const int MostDirty = 512;

    // What the processor of a paravirtualized domain runs with, and what it never has.
    private const ulong Always = Psr.Ic | Psr.Dt | Psr.Rt | Psr.It | Psr.Bn | Psr.Di, Never = Psr.I | Psr.Is | Psr.Mc | Psr.Si | Psr.Ri;

    /// <summary>Writes the state of a vCPU that does not run. <paramref name="time"/>: the domain's clock behind AR.ITC.</summary>
    public static void Write(RecordWriter to, ParavirtualVcpu vcpu, ulong time)
    {
        VcpuState* s = vcpu.Processor.State;
        ParavirtualState* p = vcpu.State;
        VcpuStart start = vcpu.StartState ?? new VcpuStart(0);
        to.U32((uint)vcpu.Number).U32(vcpu.IsInitialized ? 1u : 0).U32((uint)p->Down).U32((uint)p->Restarts);
        to.U64(start.Entry).U64(start.Gp).U64(start.ReturnsTo).U64(start.BootParameter);
        to.U64(s->Ip).U32((uint)s->Slot).U32(s->IcInFlight).U64(s->PsrValue).U64(s->Cfm).U64(s->Pr);
        to.U64(s->BspStore).U64(s->Rnat).U32((uint)s->Dirty).U32(s->GrUnrotated).U64(s->LastIp);
        to.U64s(s->Gr, 32).Bytes(new ReadOnlySpan<byte>(s->GrNat, 32)).U64s(s->Br, 8).U64s(s->Ar, 128).U64s(s->Cr, 128);
        int dirty = Math.Max(s->Dirty, 0);
        to.U64s(s->FrameBase + 32 - dirty, dirty + s->Sof).Bytes(new ReadOnlySpan<byte>(s->FrameNat + 32 - dirty, dirty + s->Sof));
        for (uint f = 0; f < 128; f++)
        {
            FloatRegister value = StateComparison.Value(*Registers.Fr(s, f));
            to.U64(value.Significand).U64(value.SignExponent);
        }

        to.U64(s->ItcOffset + time).U32(s->ItmFired).U64s(s->Irr, 4).U64s(s->Pmc, 16).U64s(s->Pmd, 16);
        MmuState* m = s->Mmu;
        to.U64(m->Pta).U64s(m->Pkr, MmuState.PkrCount).U64s(m->Ibr, 2 * MmuState.DebugPairs).U64s(m->Dbr, 2 * MmuState.DebugPairs);
        WriteTranslations(to, &m->Itr);
        WriteTranslations(to, &m->Dtr);
        to.U64(p->Iva).U64(p->EventCallback).U64(p->SignalledItm).U32(p->TimerExpired ? 1u : 0).U32(p->HypercallImmediate);
        to.U64s(p->Irr, 4).U64s(p->InService, 4).U64s(p->RegionRegisters, Regions);
        to.Bytes(new ReadOnlySpan<byte>(p->Registers, sizeof(MappedRegisters)));
    }

    /// <summary>Gives a vCPU of a new domain, which has not run, the state of the record.</summary>
    public static void Read(RecordReader from, ParavirtualVcpu vcpu, ulong time)
    {
        VcpuState* s = vcpu.Processor.State;
        ParavirtualState* p = vcpu.State;
        bool isInitialized = from.U32() != 0;
        int down = from.U32() != 0 ? 1 : 0, restarts = from.U32() != 0 ? 1 : 0;
        var start = new VcpuStart(from.U64(), from.U64(), from.U64(), from.U64());
        vcpu.Initialize(start.Entry);
        s->Ip = from.U64() & ~0xFUL;
        s->Slot = (int)from.Below(3);
        s->IcInFlight = from.U32() != 0 ? 1u : 0;
        ulong psr = from.U64();
        ulong cfm = from.U64() & FrameMarker.Mask;
        from.Check(FrameMarker.Sof(cfm) <= LargestFrame && (cfm >> 7 & 0x7F) <= (cfm & 0x7F) && (cfm >> 14 & 0xF) * 8 <= (cfm & 0x7F));
        s->Pr = from.U64() | 1;
        (s->BspStore, s->Rnat) = (from.U64() & ~7UL, from.U64());
        s->Dirty = (int)from.U32();
        from.Check(s->Dirty is >= -LargestFrame and <= MostDirty);
        s->GrUnrotated = from.U32() != 0 ? 1u : 0;
        s->LastIp = from.U64();
        from.U64s(s->Gr, 32).Bytes(new Span<byte>(s->GrNat, 32)).U64s(s->Br, 8).U64s(s->Ar, 128).U64s(s->Cr, 128);
        s->Gr[0] = s->GrNat[0] = 0;
        Rse.SetFrameSize(s, cfm);
        int dirty = Math.Max(s->Dirty, 0);
        from.U64s(s->FrameBase + 32 - dirty, dirty + s->Sof).Bytes(new Span<byte>(s->FrameNat + 32 - dirty, dirty + s->Sof));
        s->NatPresent = 1;
        Clean(s->GrNat, 32);
        Clean(s->FrameNat + 32 - dirty, dirty + s->Sof);
        Registers.ForgetNat(s);
        for (uint f = 0; f < 128; f++)
        {
            ulong significand = from.U64(), signExponent = from.U64();
            if (f >= 2)
                *Registers.Fr(s, f) = new FloatRegister((uint)signExponent & 0x3_FFFF, significand);
        }

        s->ItcOffset = from.U64() - time;
        s->ItmFired = from.U32() != 0 ? 1u : 0;
        from.U64s(s->Irr, 4).U64s(s->Pmc, 16).U64s(s->Pmd, 16);
        MmuState* m = s->Mmu;
        from.Check(MmuRegisters.SetPta(m, from.U64()) == TlbResult.Ok);
        for (ulong k = 0; k < MmuState.PkrCount; k++)
            from.Check(MmuRegisters.SetPkr(m, k, from.U64()) == TlbResult.Ok);
        for (ulong k = 0; k < 2 * MmuState.DebugPairs; k++)
            _ = MmuRegisters.SetIbr(m, k, from.U64());
        for (ulong k = 0; k < 2 * MmuState.DebugPairs; k++)
            _ = MmuRegisters.SetDbr(m, k, from.U64());
        ReadTranslations(from, m, instruction: true);
        ReadTranslations(from, m, instruction: false);
        (p->Iva, p->EventCallback, p->SignalledItm) = (from.U64() & ~0x7FFFUL, from.U64() & ~0xFUL, from.U64());
        p->TimerExpired = from.U32() != 0;
        p->HypercallImmediate = from.U32();
        from.U64s(p->Irr, 4).U64s(p->InService, 4);
        for (int region = 0; region < Regions; region++)
        {
            ulong rr = from.U64();
            from.Check((rr & 2) == 0 && rr >> 8 < 1UL << ParavirtualState.RidBits);
            p->RegionRegisters[region] = rr;
        }

        from.Bytes(new Span<byte>(p->Registers, sizeof(MappedRegisters)));
        VirtualPsr.LoadRegions(s, p);
        ulong level = Math.Max(psr >> Psr.CplShift & 3, ParavirtualState.KernelLevel);
        ProcessorStatus.Set(s, (psr & Psr.Implemented & ~(Never | Psr.Cpl)) | Always | level << Psr.CplShift);
        AddressSpace.SelectMode(s);
        FastTlb.Clear(m);
        s->Deadline = 0;
        vcpu.Take(isInitialized ? start : null, down, restarts);
    }

    private static void Clean(byte* nats, int count)
    {
        for (int k = 0; k < count; k++)
            nats[k] &= 1;
    }

    // Count; slot, offset in its region, page's size as a power of 2, region identifier, key, first word.
    private static void WriteTranslations(RecordWriter to, TranslationRegisters* registers)
    {
        uint count = 0;
        for (int slot = 0; slot < TranslationRegisters.Slots; slot++)
            count += TranslationRegisters.Read(registers, slot) is null ? 0u : 1;
        to.U32(count);
        for (int slot = 0; slot < TranslationRegisters.Slots; slot++)
        {
            if (TranslationRegisters.Read(registers, slot) is { } entry)
                to.U32((uint)slot).U64(entry.Offset).U32((uint)entry.Shift).U32(entry.Rid).U32(entry.Key).U64(entry.Pte.Value);
        }
    }

    // Through region 0, which lends its identifier.
    private static void ReadTranslations(RecordReader from, MmuState* m, bool instruction)
    {
        ref ulong lender = ref m->Rr[0];
        ulong was = lender;
        for (uint count = from.Below(TranslationRegisters.Slots + 1); count > 0; count--)
        {
            uint slot = from.Below(TranslationRegisters.Slots);
            ulong offset = from.U64() & ~(7UL << 61), shift = from.Below(64);
            ulong rid = from.U32(), key = from.U32(), pte = from.U64();
            from.Check(rid < 1UL << ParavirtualState.RidBits && key < 1UL << MmuState.RidBits);
            lender = rid << 8 | was & 0xFF;
            ulong itir = key << 8 | shift << 2;
            from.Check((instruction ? Tlb.InsertInstructionRegister(m, slot, offset, itir, pte) : Tlb.InsertDataRegister(m, slot, offset, itir, pte)) == TlbResult.Ok);
        }

        lender = was;
    }
}
