using System.Runtime.InteropServices;
using FastXen.Core.State;

namespace FastXen.Core.Translate;

/// <summary>Displacements of the fields of <see cref="VcpuState"/> from the host register that points at it.</summary>
internal static unsafe class StateOffsets
{
    // A state of which only addresses are computed.
    private static readonly VcpuState* Origin = (VcpuState*)NativeMemory.AllocZeroed((nuint)sizeof(VcpuState));

    public static readonly int FrameBase = Of(&Origin->FrameBase);
    public static readonly int FrameNat = Of(&Origin->FrameNat);
    public static readonly int RotatingFr = Of(&Origin->RotatingFr);
    public static readonly int FrBuffer = Of(&Origin->FrBuffer);
    public static readonly int GrLimit = Of(&Origin->GrLimit);
    public static readonly int Ip = Of(&Origin->Ip);
    public static readonly int Slot = Of(&Origin->Slot);
    public static readonly int Psr = Of(&Origin->PsrValue);
    public static readonly int Gr = Of(Origin->Gr);
    public static readonly int GrNat = Of(Origin->GrNat);
    public static readonly int Br = Of(Origin->Br);
    public static readonly int Ar = Of(Origin->Ar);
    public static readonly int Cfm = Of(&Origin->Cfm);
    public static readonly int Dirty = Of(&Origin->Dirty);
    public static readonly int BspStore = Of(&Origin->BspStore);
    public static readonly int Rnat = Of(&Origin->Rnat);
    public static readonly int IcInFlight = Of(&Origin->IcInFlight);
    public static readonly int Mmu = Of(&Origin->Mmu);
    public static readonly int Hypervised = Of(&Origin->Hypervised);
    public static readonly int MemoryBase = Of(&Origin->MemoryBase);
    public static readonly int AlatValid = Of(&Origin->AlatValid);
    public static readonly int AlatRenamed = Of(&Origin->AlatRenamed);
    public static readonly int AlatFilter = Of(&Origin->AlatFilter);
    public static readonly int AlatStart = Of(Origin->AlatStart);
    public static readonly int AlatEnd = Of(Origin->AlatEnd);
    public static readonly int AlatValue = Of(Origin->AlatValue);
    public static readonly int Shared = Of(&Origin->Shared);
    public static readonly int AlatName = Of(Origin->AlatName);
    public static readonly int LastIp = Of(&Origin->LastIp);
    public static readonly int FrStatic = Of(Origin->FrStatic);
    public static readonly int Predicates = Of(Origin->Translated.Predicates);
    public static readonly int Tables = Of(Origin->Translated.Tables);
    public static readonly int Pages = Of(Origin->Translated.Pages);
    public static readonly int Spaces = Of(Origin->Translated.Spaces);
    public static readonly int Jumps = Of(&Origin->Translated.Jumps);
    public static readonly int ContextPsr = Of(&Origin->Translated.ContextPsr);
    public static readonly int Context = Of(&Origin->Translated.Context);
    public static readonly int Known = Of(&Origin->Translated.Known);
    public static readonly int SeenEpoch = Of(&Origin->Translated.SeenEpoch);
    public static readonly int OtherBank = Of(Origin->OtherBank);
    public static readonly int Irr = Of(Origin->Irr);
    public static readonly int Cr = Of(Origin->Cr);
    public static readonly int Budget = Of(&Origin->Translated.Budget);
    public static readonly int Resume = Of(&Origin->Translated.Resume);
    public static readonly int HighestFrame = Of(&Origin->Translated.HighestFrame);
    public static readonly int LowestFrame = Of(&Origin->Translated.LowestFrame);
    public static readonly int One = Of(&Origin->Translated.One);
    public static readonly int MinusZero = Of(&Origin->Translated.MinusZero);
    public static readonly int HostControl = Of(&Origin->Translated.HostControl);
    public static readonly int HostFlags = Of(&Origin->Translated.HostFlags);
    public static readonly int FlagsField = Of(&Origin->Translated.FlagsField);
    public static readonly int FloatsTagged = Of(&Origin->Translated.FloatsTagged);
    public static readonly int RotatingStepsTagged = Of(&Origin->Translated.RotatingStepsTagged);
    public static readonly int Crossings = Of(Origin->Translated.Crossings);
    public static readonly int DivisionSites = Of(&Origin->Translated.DivisionSites);
    public static readonly int Stale = Of(&Origin->Translated.Stale);
    public static readonly int WindowLimit = Of(&Origin->Translated.WindowLimit);
    public static readonly int WindowTop = Of(Origin->Translated.Window + CodeState.WindowTurns) - CodeState.WindowBias;
    public static readonly int ShadowTop = Of(&Origin->Translated.ShadowTop);
    public static readonly int Shadow = Of(Origin->Translated.Shadow);

    /// <summary>An address that is not null and of which nothing is read.</summary>
    public static void* Anywhere => Origin;

    private static int Of(void* field) => (int)((byte*)field - (byte*)Origin);

    /// <summary>Displacement of a control register.</summary>
    public static int CrOf(int number) => Cr + 8 * number;

    /// <summary>Displacement of an application register.</summary>
    public static int ArOf(int number) => Ar + 8 * number;
}
