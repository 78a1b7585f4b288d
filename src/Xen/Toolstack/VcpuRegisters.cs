using FastXen.Core.Interpret;
using FastXen.Core.State;
using FastXen.Mmu;
using FastXen.Xen.Processor;

namespace FastXen.Xen.Toolstack;

/// <summary>Between a vCPU that does not run and a <see cref="VcpuContext"/> (domctl, <c>getvcpucontext</c> and <c>setvcpucontext</c>).</summary>
internal static unsafe class VcpuRegisters
{
    private const ulong FpsrReserved = 0xFC00_0000_0000_1000;
    private const ulong IvaAlignment = 0x7FFF;

    // IFS.v: the frame is that of IFS.
    private const ulong FrameValid = 1UL << 63;

    /// <summary>Puts a context into a vCPU: one that never ran is started by it, where it is the first or says so. 0 or -EINVAL.</summary>
    public static int Apply(ParavirtualVcpu vcpu, VcpuContext context)
    {
        int sof = FrameMarker.Sof(context.Cfm);
        if (FrameMarker.Malformed(context.Cfm & FrameMarker.Mask) || sof > context.Stacked.Count || !AreRegions(context))
            return -Errno.EINVAL;
        ParavirtualMachine machine = vcpu.Machine;
        ParavirtualState* p = vcpu.State;
        VcpuState* s = vcpu.Processor.State;
        bool isNew = !vcpu.IsInitialized;
        if (isNew)
        {
            ulong window = machine.WindowVa;
            vcpu.Begin(new VcpuStart(context.Ip));
            if (window != 0)
            {
                machine.WindowVa = window;
                vcpu.MoveWindow();
            }
        }

        p->ContinuesAt = 0;
        Rse.Cover(s);
        SetStack(s, context);
        for (uint r = 1; r < 32; r++)
            Registers.SetGr(s, r, context.Gr[r], context.Nats >> (int)r & 1);
        for (int b = 0; b < 8; b++)
            s->Br[b] = context.Br[b];
        for (uint f = 2; f < 128; f++)
            *Registers.Fr(s, f) = context.Fr[f];
        s->Pr = context.Pr | 1;
        SetApplicationRegisters(s, context);
        SetRegions(s, p, context);
        if ((context.Flags & VcpuContext.ExtraRegisters) != 0)
        {
            SetTranslations(s, context);
            p->EventCallback = context.EventCallback;
            p->Iva = context.Cr[Cr.Iva] & ~IvaAlignment;
        }

        s->Ip = context.Ip & ~0xFUL;
        s->Slot = Math.Min((int)(context.Psr >> Psr.RiShift) & 3, 2);
        if (!isNew || context.Psr != 0)
        {
            VirtualPsr.Share(s, p, context.Psr);
            VirtualPsr.Set(s, context.Psr);
        }

        Rse.Return(s, (context.Cfm & FrameValid) != 0 ? context.Cfm & FrameMarker.Mask : 0, sof);
        AddressSpace.SelectMode(s);
        s->FetchVa = CodePage.NoAddress;
        if (isNew)
            machine.Introduce(vcpu, isUp: vcpu.Number == 0 || (context.Flags & VcpuContext.Online) != 0);
        return 0;
    }

    /// <summary>The registers of a vCPU.</summary>
    public static VcpuContext Capture(ParavirtualVcpu vcpu)
    {
        ParavirtualState* p = vcpu.State;
        MappedRegisters* x = p->Registers;
        VcpuState* s = vcpu.Processor.State;
        var context = new VcpuContext
        {
            Flags = VcpuContext.ExtraRegisters | (vcpu.IsUp ? VcpuContext.Online : 0),
            Ip = s->Ip,
            Psr = VirtualPsr.Read(s, p),
            Cfm = s->Cfm | FrameValid,
            EventCallback = p->EventCallback,
            RegistersFrame = vcpu.RegistersFrame,
        };
        for (uint r = 1; r < 32; r++)
        {
            context.Gr[r] = Registers.Gr(s, r);
            context.Nats |= Registers.Nat(s, r) << (int)r;
        }

        for (int b = 0; b < 8; b++)
            context.Br[b] = s->Br[b];
        int sof = s->Sof;
        // As an interruption would find it: the frame among the dirty registers, nothing renamed.
        Rse.Cover(s);
        context.Pr = s->Pr;
        for (uint f = 2; f < 128; f++)
            context.Fr[f] = *Registers.Fr(s, f);
        foreach (int ar in (ReadOnlySpan<int>)[0, 1, 2, 3, 4, 5, 6, 7, Ar.Rsc, Ar.Csd, Ar.Ssd, Ar.Ccv, Ar.Unat, Ar.Fpsr, Ar.Pfs, Ar.Lc, Ar.Ec])
            context.Ar[ar] = s->Ar[ar];
        context.Ar[Ar.BspStore] = s->BspStore;
        context.Ar[Ar.Bsp] = Rse.Bsp(s);
        context.Ar[Ar.Rnat] = s->Rnat;
        context.Ar[Ar.Itc] = Clock.Itc(s);
        for (int k = Math.Max(s->Dirty, 0); k > 0; k--)
            context.Stacked.Add((s->FrameBase[32 - k], s->NatPresent != 0 && s->FrameNat[32 - k] != 0));
        Rse.Return(s, context.Cfm & FrameMarker.Mask, sof);

        (int Number, ulong Value)[] control =
        [
            (Cr.Dcr, x->Dcr), (Cr.Itm, s->Cr[Cr.Itm]), (Cr.Iva, p->Iva), (Cr.Pta, x->Pta), (Cr.Ipsr, x->Ipsr), (Cr.Isr, x->Isr), (Cr.Iip, x->Iip), (Cr.Ifa, x->Ifa),
            (Cr.Itir, x->Itir), (Cr.Iipa, x->Iipa), (Cr.Ifs, x->Ifs), (Cr.Iim, x->Iim), (Cr.Iha, x->Iha), (Cr.Lid, (ulong)vcpu.Number << 24), (Cr.Tpr, x->Tpr),
            (Cr.Itv, x->Itv), (Cr.Pmv, x->Pmv), (Cr.Cmcv, x->Cmcv),
        ];
        foreach ((int number, ulong value) in control)
            context.Cr[number] = value;
        for (int word = 0; word < 4; word++)
            context.Cr[Cr.Irr0 + word] = p->Irr[word];
        for (int region = 0; region < 8; region++)
            context.Rr[region] = p->RegionRegisters[region];
        for (int slot = 0; slot < context.Itr.Length; slot++)
        {
            context.Itr[slot] = Translation(p, TranslationRegisters.Read(&s->Mmu->Itr, slot));
            context.Dtr[slot] = Translation(p, TranslationRegisters.Read(&s->Mmu->Dtr, slot));
        }

        return context;
    }

    private static void SetStack(VcpuState* s, VcpuContext context)
    {
        int count = context.Stacked.Count;
        s->BspStore = context.Ar[Ar.BspStore] & ~7UL;
        s->Rnat = context.Ar[Ar.Rnat];
        s->Dirty = count;
        for (int k = 0; k < count; k++)
        {
            (ulong value, bool nat) = context.Stacked[k];
            s->FrameBase[32 - count + k] = value;
            s->FrameNat[32 - count + k] = nat ? (byte)1 : (byte)0;
            if (nat)
                s->NatPresent = 1;
        }
    }

    private static void SetApplicationRegisters(VcpuState* s, VcpuContext context)
    {
        const ulong Mode = 3, LevelField = 3 << 2, BigEndian = 1 << 4;
        ulong rsc = context.Ar[Ar.Rsc], level = Math.Max(rsc >> 2 & 3, ParavirtualState.KernelLevel);
        s->Ar[Ar.Rsc] = rsc & (Mode | BigEndian) & ~LevelField | level << 2;
        if ((context.Ar[Ar.Fpsr] & FpsrReserved) == 0)
            s->Ar[Ar.Fpsr] = context.Ar[Ar.Fpsr];
        foreach (int ar in (ReadOnlySpan<int>)[Ar.Csd, Ar.Ssd, Ar.Ccv, Ar.Unat, Ar.Lc])
            s->Ar[ar] = context.Ar[ar];
        // Previous frame, epilog count and level; the rest is not implemented.
        s->Ar[Ar.Pfs] = context.Ar[Ar.Pfs] & (FrameMarker.Mask | 0x3FUL << 52 | 3UL << 62);
        s->Ar[Ar.Ec] = context.Ar[Ar.Ec] & 0x3F;
    }

    private static bool AreRegions(VcpuContext context)
    {
        foreach (ulong rr in context.Rr)
        {
            if ((rr & 2) != 0 || rr >> 8 >= 1UL << ParavirtualState.RidBits)
                return false;
        }

        return true;
    }

    private static void SetRegions(VcpuState* s, ParavirtualState* p, VcpuContext context)
    {
        for (int region = 0; region < 8; region++)
        {
            if (context.Rr[region] == 0)
                continue;
            p->RegionRegisters[region] = p->Registers->Rr[region] = context.Rr[region];
            VirtualPsr.LoadRegion(s, p, region);
        }
    }

    // Those that are not present, or that no processor would take, are left out.
    private static void SetTranslations(VcpuState* s, VcpuContext context)
    {
        for (int slot = 0; slot < context.Itr.Length; slot++)
        {
            Insert(s, (ulong)slot, context.Itr[slot], instruction: true);
            Insert(s, (ulong)slot, context.Dtr[slot], instruction: false);
        }
    }

    private static void Insert(VcpuState* s, ulong slot, VcpuContext.TranslationRegister t, bool instruction)
    {
        const ulong Present = 1;
        if ((t.Pte & Present) == 0 || t.Rid >> ParavirtualState.RidBits != 0 || VirtualTlb.IsRefused(s, t.Va, (int)(t.Itir >> 2) & 63))
            return;
        ref ulong rr = ref s->Mmu->Rr[t.Va >> 61];
        ulong was = rr;
        rr = was & 0xFF | t.Rid << 8;
        _ = instruction ? Tlb.InsertInstructionRegister(s->Mmu, slot, t.Va, t.Itir, t.Pte) : Tlb.InsertDataRegister(s->Mmu, slot, t.Va, t.Itir, t.Pte);
        rr = was;
    }

    // The region is the one that has the identifier now.
    private static VcpuContext.TranslationRegister Translation(ParavirtualState* p, TlbEntry? entry)
    {
        if (entry is not { } e)
            return default;
        ulong region = 0;
        while (region < 7 && p->RegionRegisters[region] >> 8 != e.Rid)
            region++;
        return new(e.Pte.Value, (ulong)e.Key << 8 | (uint)e.Shift << 2, region << 61 | e.Offset, e.Rid);
    }
}
