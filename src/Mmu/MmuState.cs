using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace FastXen.Mmu;

/// <summary>
/// The memory management unit of one vCPU: region, key and debug registers, PTA, translation registers and caches.
/// Unmanaged and at a fixed address; only the vCPU's own thread touches it.
/// </summary>
/// <remarks>
/// Registers may be read in place, and are written by <see cref="MmuRegisters"/>, so that what depends on them follows.
/// </remarks>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct MmuState
{
    /// <summary>Protection key registers implemented.</summary>
    public const int PkrCount = 16;
    /// <summary>Pairs of instruction debug registers, and of data debug registers, implemented.</summary>
    public const int DebugPairs = 8;
    /// <summary>Implemented bits of a region identifier and of a protection key.</summary>
    public const int RidBits = 24;

    /// <summary>Fast tables of the selected mode for loads and stores, by region number.</summary>
    public FastEntry** Data;
    /// <summary>Fast tables for the register stack engine, by region number.</summary>
    public FastEntry** Rse;
    /// <summary>Mode of instruction fetch, as <see cref="CodeTlb"/> counts them: the privilege level in bits 1:0.</summary>
    public ulong CodeMode;
    /// <summary>Changes with everything that may take a page away from the fast tables for loads and stores.</summary>
    public uint DataVersion;
    /// <summary>Changes with everything that may change where instructions are fetched from: purges, region registers.</summary>
    public uint CodeVersion;
    /// <summary>Counts purges of instruction translations of all address spaces: what was found before must be looked up again.</summary>
    internal uint CodePurges;
    // As CodePurges, of the region identifiers with the same low bits.
    internal fixed uint SpacePurges[CodeTlb.PurgeCounters];

    /// <summary>Region registers: ve 0, ps 7:2, rid 31:8.</summary>
    public fixed ulong Rr[8];
    /// <summary>Protection key registers: v 0, wd 1, rd 2, xd 3, key 31:8.</summary>
    public fixed ulong Pkr[PkrCount];
    /// <summary>CR.PTA: ve 0, size 7:2, vf 8, base 63:15.</summary>
    public ulong Pta;
    /// <summary>Instruction debug registers: even ones addresses; odd ones mask 55:0, plm 59:56, x 63.</summary>
    public fixed ulong Ibr[2 * DebugPairs];
    /// <summary>Data debug registers: even ones addresses; odd ones mask 55:0, plm 59:56, w 62, r 63.</summary>
    public fixed ulong Dbr[2 * DebugPairs];

    /// <summary>What is different under a hypervisor.</summary>
    public Paravirtual Paravirtual;

    internal FastTables Fast;
    internal CodeTable Code;

    /// <summary>Instruction translation registers.</summary>
    public TranslationRegisters Itr;
    /// <summary>Data translation registers.</summary>
    public TranslationRegisters Dtr;
    /// <summary>Instruction translation cache.</summary>
    public TranslationCache Itc;
    /// <summary>Data translation cache.</summary>
    public TranslationCache Dtc;

    /// <summary>Allocates an MMU in the reset state.</summary>
    public static MmuState* Allocate()
    {
        var m = (MmuState*)NativeMemory.AlignedAlloc((nuint)sizeof(MmuState), 64);
        NativeMemory.Clear(m, (nuint)sizeof(MmuState));
        FastTables.Allocate(&m->Fast);
        Reset(m);
        return m;
    }

    /// <summary>Frees what <see cref="Allocate"/> gave.</summary>
    public static void Free(MmuState* m)
    {
        if (m == null)
            return;
        FastTables.Free(&m->Fast);
        NativeMemory.AlignedFree(m);
    }

    /// <summary>The reset state: physical mode, no translation, regions with 4 KiB pages and the walker off.</summary>
    public static void Reset(MmuState* m)
    {
        new Span<ulong>(m->Rr, 8).Fill((ulong)PageSizes.Smallest << 2);
        new Span<ulong>(m->Pkr, PkrCount).Clear();
        m->Pta = 15 << 2;
        new Span<ulong>(m->Ibr, 2 * DebugPairs).Clear();
        new Span<ulong>(m->Dbr, 2 * DebugPairs).Clear();
        TranslationRegisters.Clear(&m->Itr);
        TranslationRegisters.Clear(&m->Dtr);
        TranslationCache.Clear(&m->Itc);
        TranslationCache.Clear(&m->Dtc);
        FastTlb.Clear(m);
        FastTlb.SelectMode(m, 0, 0);
    }

    /// <summary>The region register that a virtual address selects.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong RegionRegister(MmuState* m, ulong va) => m->Rr[va >> 61];

    /// <summary>The region identifier that a virtual address selects.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint RegionId(MmuState* m, ulong va) => (uint)m->Rr[va >> 61] >> 8;
}
