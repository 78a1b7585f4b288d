using System.Runtime.CompilerServices;
using FastXen.Core.Float;
using FastXen.Core.State;

namespace FastXen.Core.Interpret;

/// <summary>
/// The register stack engine and register rotation (SDM vol 2, chapter 6). The current frame is always stored by logical
/// name; a frame that stops being current is put back into physical order first, so that what lies below the frame (dirty
/// registers, backing store) is in physical order. Spilled registers become invalid at once: the clean partition is always empty,
/// which the architecture allows in all RSE modes and which keeps AR.RNAT the one collection that matters.
/// </summary>
public static unsafe class Rse
{
    /// <summary>Physical stacked registers (SDM: N_STACKED_PHYS), as PAL_RSE_INFO reports.</summary>
    public const int PhysicalRegisters = 96;

    private const ulong RrbMask = 0x3F_FFFC_0000;

    /// <summary>Address of the register that lies <paramref name="registers"/> above (or below) the one at <paramref name="address"/>, stepping over NaT collections.</summary>
    public static ulong Skip(ulong address, int registers)
    {
        int delta = (int)(address >> 3 & 63) + registers;
        if (registers < 0)
            delta -= 62;
        return address + (ulong)((long)(registers + delta / 63) * 8);
    }

    /// <summary>AR.BSP: backing-store address of r32 of the current frame.</summary>
    public static ulong Bsp(VcpuState* s) => Skip(s->BspStore, s->Dirty);

    /// <summary>Sets CFM.sof/sol/sor of the current frame without moving it (alloc), keeping rotation bases.</summary>
    public static void SetFrameSize(VcpuState* s, ulong cfm)
    {
        s->Cfm = cfm;
        s->GrLimit = 31 + ((uint)cfm & 0x7f);
    }

    /// <summary>br.call: the caller's locals become dirty, the outputs become the callee's frame.</summary>
    public static void Call(VcpuState* s)
    {
        LeaveFrame(s);
        int sol = s->Sol;
        Preserve(s, sol, s->Sof - sol);
    }

    /// <summary>cover: the whole frame becomes dirty. Returns nothing; IFS is the caller's.</summary>
    public static void Cover(VcpuState* s)
    {
        LeaveFrame(s);
        Preserve(s, s->Sof, 0);
    }

    /// <summary>Puts rotated registers back under their physical names: rrb.gr, rrb.fr, rrb.pr become 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LeaveFrame(VcpuState* s)
    {
        if ((s->Cfm & RrbMask) != 0)
            ClearRotation(s);
        if (s->AlatValid != 0)
            Alat.ForgetRenamed(s);
    }

    private static void Preserve(VcpuState* s, int preserved, int newSof)
    {
        s->FrameBase += preserved;
        s->FrameNat += preserved;
        s->Dirty += preserved;
        s->Cfm = (ulong)newSof;
        s->GrLimit = 31 + (uint)newSof;
        if (s->FrameBase + 32 > s->StackBuffer + (VcpuAllocation.StackRegisters - 256))
            Rebase(s);
    }

    /// <summary>
    /// br.ret and rfi: <paramref name="preserved"/> dirty registers come back under the frame <paramref name="cfm"/>. Afterwards
    /// <see cref="VcpuState.Dirty"/> may be negative: the frame is incomplete and <see cref="RseMemory.CompleteFrame"/> must load it.
    /// </summary>
    public static void Return(VcpuState* s, ulong cfm, int preserved)
    {
        LeaveFrame(s);
        int sof = (int)cfm & 0x7f;
        int dirty = s->Dirty - preserved;
        if (FrameMarker.Malformed(cfm) || (dirty > 0 && dirty + sof > PhysicalRegisters))
        {
            // A previous frame that cannot fit is discarded and the frame is empty (SDM vol 2, 6.5.5: bad PFM).
            cfm = 0;
            if (dirty < 0)
                Forget(s, ref dirty, 0);
        }
        else if (dirty < -PhysicalRegisters)
        {
            // Returns that pile up on an incomplete frame: no more registers can be missing than there are.
            Forget(s, ref dirty, PhysicalRegisters);
        }

        s->FrameBase -= preserved;
        s->FrameNat -= preserved;
        s->Dirty = dirty;
        if (s->FrameBase + 32 < s->StackBuffer + 256)
            Rebase(s);
        SetFrameSize(s, cfm & ~RrbMask);
        if ((cfm & RrbMask) != 0)
            SetRotation(s, cfm);
    }

    // Leaves only as many registers missing as given; BSP stays where it is.
    private static void Forget(VcpuState* s, ref int dirty, int missing)
    {
        s->BspStore = Skip(s->BspStore, dirty + missing);
        dirty = -missing;
    }

    /// <summary>Moves the live part of the linear buffer back to its middle.</summary>
    private static void Rebase(VcpuState* s)
    {
        const int below = 112;
        const int live = below + 128;
        ulong* source = s->FrameBase + 32 - below;
        byte* sourceNat = s->FrameNat + 32 - below;
        ulong* target = s->StackBuffer + VcpuAllocation.StackMiddle - below;
        byte* targetNat = s->StackNatBuffer + VcpuAllocation.StackMiddle - below;
        Buffer.MemoryCopy(source, target, live * 8, live * 8);
        Buffer.MemoryCopy(sourceNat, targetNat, live, live);
        s->FrameBase = target + below - 32;
        s->FrameNat = targetNat + below - 32;
    }

    /// <summary>clrrrb: all rotation bases to 0.</summary>
    public static void ClearRotation(VcpuState* s)
    {
        if (s->GrUnrotated == 0)
            RotateGr(s, s->Sor, RrbGr(s->Cfm));
        s->GrUnrotated = 0;
        MoveFr(s, 96 - RrbFr(s->Cfm));
        s->Pr = PrByBase(s->Pr, 48 - RrbPr(s->Cfm));
        s->Cfm &= ~RrbMask;
    }

    /// <summary>clrrrb.pr: rrb.pr to 0.</summary>
    public static void ClearPrRotation(VcpuState* s)
    {
        s->Pr = PrByBase(s->Pr, 48 - RrbPr(s->Cfm));
        s->Cfm &= ~(0x3FUL << 32);
    }

    // From rotation bases 0 to those of cfm.
    private static void SetRotation(VcpuState* s, ulong cfm)
    {
        MoveFr(s, RrbFr(cfm));
        s->Pr = PrByBase(s->Pr, RrbPr(cfm));
        s->Cfm |= cfm & RrbMask;
        s->GrUnrotated = 1;
        // Missing registers are loaded in physical order.
        if (s->Dirty >= 0)
            CompleteRotation(s);
    }

    /// <summary>Applies CFM.rrb.gr to the general registers of a frame that is complete now.</summary>
    public static void CompleteRotation(VcpuState* s)
    {
        if (s->GrUnrotated == 0)
            return;
        s->GrUnrotated = 0;
        int sor = s->Sor;
        if (sor != 0)
            RotateGr(s, sor, sor - RrbGr(s->Cfm) % sor);
    }

    /// <summary>One rotation (br.ctop, br.wtop): every rotating register takes the next higher name.</summary>
    public static void Rotate(VcpuState* s)
    {
        ulong cfm = s->Cfm;
        int sor = s->Sor;
        int gr = RrbGr(cfm);
        if (sor != 0)
        {
            gr = gr == 0 ? sor - 1 : gr - 1;
            ulong* first = s->FrameBase + 32;
            ulong wrapped = first[sor - 1];
            Buffer.MemoryCopy(first, first + 1, (sor - 1) * 8, (sor - 1) * 8);
            first[0] = wrapped;
            if (s->NatPresent != 0)
            {
                byte* nat = s->FrameNat + 32;
                byte wrappedNat = nat[sor - 1];
                Buffer.MemoryCopy(nat, nat + 1, sor - 1, sor - 1);
                nat[0] = wrappedNat;
            }
        }

        if (s->RotatingFr + 32 == s->FrBuffer)
            RebaseFr(s);
        s->RotatingFr--;
        s->RotatingFr[32] = s->RotatingFr[128];
        int fr = RrbFr(cfm);
        fr = fr == 0 ? 95 : fr - 1;
        int pr = RrbPr(cfm);
        pr = pr == 0 ? 47 : pr - 1;
        s->Pr = (s->Pr & 0xFFFF) | ((s->Pr & 0x7FFF_FFFF_FFFF_0000) << 1) | ((s->Pr >> 63) << 16);
        s->Cfm = (cfm & ~RrbMask) | ((ulong)gr << 18) | ((ulong)fr << 25) | ((ulong)pr << 32);
        if (s->AlatValid != 0)
            Alat.ForgetRenamed(s);
    }

    private static int RrbGr(ulong cfm) => (int)(cfm >> 18) & 0x7f;

    private static int RrbFr(ulong cfm) => (int)(cfm >> 25) & 0x7f;

    private static int RrbPr(ulong cfm) => (int)(cfm >> 32) & 0x3f;

    // The register that is named r32+i becomes r32+(i+distance)%sor.
    private static void RotateGr(VcpuState* s, int sor, int distance)
    {
        if (sor == 0 || (distance %= sor) == 0)
            return;
        var registers = new Span<ulong>(s->FrameBase + 32, sor);
        Span<ulong> old = stackalloc ulong[128];
        registers.CopyTo(old);
        old[..(sor - distance)].CopyTo(registers[distance..]);
        old[(sor - distance)..sor].CopyTo(registers);
        if (s->NatPresent == 0)
            return;
        var nats = new Span<byte>(s->FrameNat + 32, sor);
        Span<byte> oldNats = stackalloc byte[128];
        nats.CopyTo(oldNats);
        oldNats[..(sor - distance)].CopyTo(nats[distance..]);
        oldNats[(sor - distance)..sor].CopyTo(nats);
    }

    // The base grows by distance (mod 96): the register that is named f32+(i+distance)%96 becomes f32+i.
    private static void MoveFr(VcpuState* s, int distance)
    {
        distance %= 96;
        if (distance == 0)
            return;
        FloatRegister* old = stackalloc FloatRegister[96];
        FloatRegister* source = s->RotatingFr + 32;
        Buffer.MemoryCopy(source, old, 96 * 16, 96 * 16);
        FloatRegister* target = s->FrBuffer + (VcpuAllocation.FrRegisters - 96);
        Buffer.MemoryCopy(old + distance, target, (96 - distance) * 16, (96 - distance) * 16);
        Buffer.MemoryCopy(old, target + (96 - distance), distance * 16, distance * 16);
        s->RotatingFr = target - 32;
    }

    private static void RebaseFr(VcpuState* s)
    {
        FloatRegister* target = s->FrBuffer + (VcpuAllocation.FrRegisters - 96);
        Buffer.MemoryCopy(s->RotatingFr + 32, target, 96 * 16, 96 * 16);
        s->RotatingFr = target - 32;
    }

    /// <summary>Renames predicates for a base that grows by <paramref name="distance"/> (mod 48): p16+(i+distance)%48 becomes p16+i.</summary>
    public static ulong PrByBase(ulong predicates, int distance)
    {
        distance %= 48;
        if (distance == 0)
            return predicates;
        ulong rotating = predicates >> 16;
        rotating = (rotating >> distance | rotating << (48 - distance)) & 0xFFFF_FFFF_FFFF;
        return (predicates & 0xFFFF) | rotating << 16;
    }

    /// <summary>Predicates by physical name, as `mov r=pr` shows them.</summary>
    public static ulong PhysicalPr(VcpuState* s) => PrByBase(s->Pr, 48 - RrbPr(s->Cfm));

    /// <summary>Sets predicates given by physical name, as `mov pr=r` takes them.</summary>
    public static void SetPhysicalPr(VcpuState* s, ulong physical) => s->Pr = PrByBase(physical, RrbPr(s->Cfm)) | 1;
}
