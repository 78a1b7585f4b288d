using FastXen.Core.Float;
using FastXen.Core.Interpret;
using FastXen.Core.State;
using FastXen.Mmu;

namespace FastXen.Core.Lockstep;

/// <summary>
/// Compares all that a guest can find out about two processors: registers of both banks, the current frame and the dirty registers
/// below it, NaT bits, floating-point values, ALAT, translations. What no instruction can read (stale registers outside of the
/// frame, decoded code, fast tables) is left out.
/// </summary>
public sealed unsafe class StateComparison
{
    private readonly List<StateDifference> _differences = [];

    private StateComparison()
    {
    }

    /// <summary>True when two processors are in the same state: a fast path for what is nearly always the case.</summary>
    public static bool Same(VcpuState* a, VcpuState* b) => SameBytes(a, b) || Differences(a, b).Count == 0;

    /// <summary>All differences, the ones that tell most at first. <paramref name="a"/>: the reference.</summary>
    public static IReadOnlyList<StateDifference> Differences(VcpuState* a, VcpuState* b)
    {
        var comparison = new StateComparison();
        comparison.CompareControl(a, b);
        comparison.CompareGeneral(a, b);
        comparison.CompareFloating(a, b);
        comparison.CompareSystem(a, b);
        comparison.CompareTranslation(a->Mmu, b->Mmu);
        return comparison._differences;
    }

    /// <summary>The value of a floating-point register that the translator may have left as a double (<see cref="FloatRegister.Tag"/>).</summary>
    public static FloatRegister Value(in FloatRegister f) => Translate.TaggedFloats.Value(f);

    private static bool SameBytes(VcpuState* a, VcpuState* b)
    {
        if (a->Retired != b->Retired || a->Ip != b->Ip || a->Slot != b->Slot || a->PsrValue != b->PsrValue || a->Cfm != b->Cfm || a->Pr != b->Pr
            || a->Dirty != b->Dirty || a->BspStore != b->BspStore || a->Rnat != b->Rnat || a->LastIp != b->LastIp || a->IcInFlight != b->IcInFlight
            || a->ItcOffset != b->ItcOffset || a->IdleTime != b->IdleTime || a->ItmFired != b->ItmFired || a->AlatValid != b->AlatValid || a->GrUnrotated != b->GrUnrotated
            || a->Mmu->Pta != b->Mmu->Pta)
        {
            return false;
        }

        int below = Math.Max(a->Dirty, 0);
        int frame = below + a->Sof;
        if (!Equal(a->Gr, b->Gr, 32) || !Equal(a->OtherBank, b->OtherBank, 16) || !Equal(a->Br, b->Br, 8) || !Equal(a->Ar, b->Ar, 128)
            || !Equal(a->Cr, b->Cr, 128) || !Equal(a->Irr, b->Irr, 4) || !Equal(a->InService, b->InService, 4) || !Equal(a->FrStatic, b->FrStatic, 64)
            || !Equal(a->FrameBase + 32 - below, b->FrameBase + 32 - below, frame)
            || !Equal((ulong*)(a->RotatingFr + 32), (ulong*)(b->RotatingFr + 32), 96 * 2)
            || !Equal(a->Pmc, b->Pmc, 16) || !Equal(a->Pmd, b->Pmd, 16))
        {
            return false;
        }

        if ((a->NatPresent | b->NatPresent) != 0
            && !(Equal(a->GrNat, b->GrNat, 32) && Equal(a->OtherBankNat, b->OtherBankNat, 16)
                && Equal(a->FrameNat + 32 - below, b->FrameNat + 32 - below, frame)))
        {
            return false;
        }

        return (a->AlatValid == 0 || (Equal(a->AlatStart, b->AlatStart, 32) && Equal(a->AlatEnd, b->AlatEnd, 32) && Equal((ulong*)a->AlatName, (ulong*)b->AlatName, 16))) && SameTranslation(a->Mmu, b->Mmu);
    }

    private static bool SameTranslation(MmuState* a, MmuState* b) =>
        Equal(a->Rr, b->Rr, 8) && Equal(a->Pkr, b->Pkr, MmuState.PkrCount) && Equal(a->Ibr, b->Ibr, 2 * MmuState.DebugPairs)
        && Equal(a->Dbr, b->Dbr, 2 * MmuState.DebugPairs)
        && Equal((byte*)&a->Itr, (byte*)&b->Itr, sizeof(TranslationRegisters)) && Equal((byte*)&a->Dtr, (byte*)&b->Dtr, sizeof(TranslationRegisters))
        && Equal((byte*)&a->Itc, (byte*)&b->Itc, sizeof(TranslationCache)) && Equal((byte*)&a->Dtc, (byte*)&b->Dtc, sizeof(TranslationCache));

    private static bool Equal<T>(T* a, T* b, int count) where T : unmanaged, IEquatable<T> =>
        new ReadOnlySpan<T>(a, count).SequenceEqual(new ReadOnlySpan<T>(b, count));

    private void Compare(string name, ulong a, ulong b)
    {
        if (a != b)
            _differences.Add(new StateDifference(name, $"0x{a:x}", $"0x{b:x}"));
    }

    private void CompareControl(VcpuState* a, VcpuState* b)
    {
        if (a->Ip != b->Ip || a->Slot != b->Slot)
            _differences.Add(new StateDifference("ip", $"0x{a->Ip:x}.{a->Slot}", $"0x{b->Ip:x}.{b->Slot}"));
        Compare("instructions retired", a->Retired, b->Retired);
        Compare("cfm", a->Cfm, b->Cfm);
        Compare("psr", a->PsrValue, b->PsrValue);
        for (int p = 0; p < 64; p++)
            Compare($"p{p}", a->Pr >> p & 1, b->Pr >> p & 1);
        for (int r = 0; r < 8; r++)
            Compare($"b{r}", a->Br[r], b->Br[r]);
    }

    private void CompareGeneral(VcpuState* a, VcpuState* b)
    {
        for (uint r = 0; r < 32; r++)
            Compare($"r{r}", a->Gr[r], b->Gr[r], a->GrNat[r], b->GrNat[r]);
        int sof = Math.Min(a->Sof, b->Sof);
        for (uint r = 32; r < 32 + sof; r++)
            Compare($"r{r}", a->FrameBase[r], b->FrameBase[r], Nat(a, r), Nat(b, r));
        int dirty = Math.Min(a->Dirty, b->Dirty);
        for (int n = 1; n <= dirty; n++)
            Compare($"the dirty register {n} below r32", a->FrameBase[32 - n], b->FrameBase[32 - n], Nat(a, (uint)(32 - n)), Nat(b, (uint)(32 - n)));
        for (uint r = 0; r < 16; r++)
            Compare($"r{r + 16} of the other bank", a->OtherBank[r], b->OtherBank[r], a->OtherBankNat[r], b->OtherBankNat[r]);
    }

    // The bytes mean nothing while the state is free of NaTs.
    private static byte Nat(VcpuState* s, uint r) => s->NatPresent == 0 ? (byte)0 : s->FrameNat[(int)r];

    private void Compare(string name, ulong a, ulong b, byte natA, byte natB)
    {
        Compare(name, a, b);
        Compare($"the NaT bit of {name}", natA, natB);
    }

    private void CompareFloating(VcpuState* a, VcpuState* b)
    {
        for (uint f = 0; f < 128; f++)
        {
            FloatRegister fa = Value(*Registers.Fr(a, f)), fb = Value(*Registers.Fr(b, f));
            if (fa != fb)
                _differences.Add(new StateDifference($"f{f}", fa.ToString(), fb.ToString()));
        }
    }

    private void CompareSystem(VcpuState* a, VcpuState* b)
    {
        Compare("ar.bsp", Rse.Bsp(a), Rse.Bsp(b));
        Compare("ar.bspstore", a->BspStore, b->BspStore);
        Compare("ar.rnat", a->Rnat, b->Rnat);
        Compare("the number of dirty registers", (ulong)a->Dirty, (ulong)b->Dirty);
        Compare("the pending rotation of an incomplete frame", a->GrUnrotated, b->GrUnrotated);
        for (int n = 0; n < 128; n++)
            Compare($"ar{n}", a->Ar[n], b->Ar[n]);
        for (int n = 0; n < 128; n++)
            Compare($"cr{n}", a->Cr[n], b->Cr[n]);
        Compare("the source of cr.iipa", a->LastIp, b->LastIp);
        Compare("psr.ic in flight", a->IcInFlight, b->IcInFlight);
        Compare("ar.itc's offset", a->ItcOffset, b->ItcOffset);
        Compare("the time that was skipped", a->IdleTime, b->IdleTime);
        Compare("the timer's state", a->ItmFired, b->ItmFired);
        for (int n = 0; n < 4; n++)
        {
            Compare($"cr.irr{n}", a->Irr[n], b->Irr[n]);
            Compare($"word {n} of the interrupts in service", a->InService[n], b->InService[n]);
        }

        for (int n = 0; n < 16; n++)
        {
            Compare($"pmc{n}", a->Pmc[n], b->Pmc[n]);
            Compare($"pmd{n}", a->Pmd[n], b->Pmd[n]);
        }

        for (int n = 0; n < Alat.Entries; n++)
        {
            Compare($"the register of ALAT entry {n}", a->AlatName[n], b->AlatName[n]);
            Compare($"the start of ALAT entry {n}", a->AlatStart[n], b->AlatStart[n]);
            Compare($"the end of ALAT entry {n}", a->AlatEnd[n], b->AlatEnd[n]);
        }
    }

    private void CompareTranslation(MmuState* a, MmuState* b)
    {
        for (int n = 0; n < 8; n++)
            Compare($"rr{n}", a->Rr[n], b->Rr[n]);
        for (int n = 0; n < MmuState.PkrCount; n++)
            Compare($"pkr{n}", a->Pkr[n], b->Pkr[n]);
        for (int n = 0; n < 2 * MmuState.DebugPairs; n++)
        {
            Compare($"ibr{n}", a->Ibr[n], b->Ibr[n]);
            Compare($"dbr{n}", a->Dbr[n], b->Dbr[n]);
        }

        Compare("cr.pta", a->Pta, b->Pta);
        for (int slot = 0; slot < TranslationRegisters.Slots; slot++)
        {
            Compare($"itr{slot}", TranslationRegisters.Read(&a->Itr, slot), TranslationRegisters.Read(&b->Itr, slot));
            Compare($"dtr{slot}", TranslationRegisters.Read(&a->Dtr, slot), TranslationRegisters.Read(&b->Dtr, slot));
        }

        for (int entry = 0; entry < TranslationCache.Entries; entry++)
        {
            Compare($"entry {entry} of the instruction translation cache", TranslationCache.Read(&a->Itc, entry), TranslationCache.Read(&b->Itc, entry));
            Compare($"entry {entry} of the data translation cache", TranslationCache.Read(&a->Dtc, entry), TranslationCache.Read(&b->Dtc, entry));
        }
    }

    private void Compare(string name, TlbEntry? a, TlbEntry? b)
    {
        if (a != b)
            _differences.Add(new StateDifference(name, Text(a), Text(b)));
    }

    private static string Text(TlbEntry? entry) => entry is { } e
        ? $"(rid 0x{e.Rid:x}, offset 0x{e.Offset:x}, 2^{e.Shift} bytes, 0x{e.Pte.Value:x}, key 0x{e.Key:x})"
        : "empty";
}
