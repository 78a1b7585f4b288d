using System.Runtime.InteropServices;

namespace FastXen.Core.Translate;

/// <summary>The part of a vCPU's state that exists for translated code: what it keeps in other forms than the interpreter, and what it finds its way by.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct CodeState
{
    /// <summary>Calls that the return predictor remembers.</summary>
    public const int ShadowEntries = 16;

    /// <summary>Predicates by rotated name, a byte (0 or 1) each, while translated code runs.</summary>
    public fixed byte Predicates[64];

    // Rotation moves the predicates from p49 on by 16 bytes.
    private readonly ulong behindPredicates;

    /// <summary>The fast TLB's tables for loads and stores by region: a copy of <see cref="Mmu.MmuState.Data"/>.</summary>
    public fixed ulong Tables[8];

    /// <summary>Base registers that have a page in <see cref="Pages"/>.</summary>
    public const int PageEntries = 32;

    /// <summary>
    /// The page that each base register (by its number's low bits) was last used for: copies of <see cref="Mmu.FastEntry"/>. Empty after anything
    /// that may have taken a page away from <see cref="Tables"/>.
    /// </summary>
    public fixed ulong Pages[PageEntries * 4];

    /// <summary>By region: what a <see cref="JumpEntry"/> must have been made for (address space, mode, context).</summary>
    public fixed ulong Spaces[8];

    /// <summary>Translated code by instruction address, for the present context: one of <see cref="JumpEntry.Tables"/>.</summary>
    public JumpEntry* Jumps;

    /// <summary>The PSR bits that <see cref="Spaces"/>, <see cref="Jumps"/> and <see cref="Context"/> were made from.</summary>
    public ulong ContextPsr;

    /// <summary>Contexts that the vCPU was in.</summary>
    internal KnownContext* Known;

    /// <summary>The context of now (<see cref="TranslationContext"/>).</summary>
    public ulong Context;

    /// <summary>Slots left until translated code comes back; may be negative.</summary>
    public long Budget;

    /// <summary>Retired slots at which the budget is used up.</summary>
    public ulong BudgetEnd;

    /// <summary>Where a region goes on after its registers were reloaded.</summary>
    public byte* Resume;

    /// <summary>Frames above this address are for the slow path: the buffer of stacked registers must be rebased.</summary>
    public ulong* HighestFrame;

    /// <summary>As <see cref="HighestFrame"/>, below.</summary>
    public ulong* LowestFrame;

    /// <summary>1.0.</summary>
    public double One;

    /// <summary>-0.0.</summary>
    public double MinusZero;

    /// <summary>MXCSR while translated code runs: all masked, nearest, no flags.</summary>
    public uint HostControl;

    /// <summary>MXCSR as it was read.</summary>
    public uint HostFlags;

    /// <summary>1 + the status field to which the host's flags belong; 0 while none are collected.</summary>
    public byte FlagsField;

    /// <summary>Non-zero when some floating-point register may have a tag.</summary>
    public byte FloatsTagged;

    /// <summary>Non-zero when a floating-point register that rotates may have the tag of a <see cref="DivisionSite"/>.</summary>
    public byte RotatingStepsTagged;

    /// <summary>Most turns of a loop on a window: after as many, all names of floating-point registers and predicates are the same again.</summary>
    public const int WindowTurns = 96;

    /// <summary>Displacement of r32 from the base of a window.</summary>
    public const int WindowBias = -128;

    /// <summary>Second pages that regions may go to: <see cref="CodeCrossing"/>.</summary>
    public fixed ulong Crossings[CodeCrossing.Count * 4];

    /// <summary>The base at which a loop leaves its window.</summary>
    public byte* WindowLimit;

    /// <summary>Rotating general registers while a loop runs on them (Generator.Windows.cs): at first the upper half, then places below.</summary>
    public fixed ulong Window[2 * WindowTurns];

    /// <summary>What the tags of division steps stand for: the vCPU's own sites, by number (<see cref="CodeArena.MostDivisionSites"/>).</summary>
    internal DivisionSite* DivisionSites;

    /// <summary>
    /// Not zero when code was given up since the vCPU last looked (<see cref="Sharing.CodeEpochs"/>): the epoch. Other threads write it, the vCPU
    /// takes it away.
    /// </summary>
    public ulong Stale;

    /// <summary>The newest epoch of which the vCPU holds no older code any more. Only the vCPU writes it.</summary>
    public ulong SeenEpoch;

    /// <summary>Not zero while the vCPU runs guest code.</summary>
    public int Running;

    /// <summary>Byte offset of the newest entry of <see cref="Shadow"/>.</summary>
    public uint ShadowTop;

    /// <summary>The return predictor: a ring of <see cref="ShadowEntry"/>.</summary>
    public fixed ulong Shadow[ShadowEntries * 4];
}

/// <summary>A page of code that the vCPU has fetched at a place where a region goes on from the page before.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct CodeCrossing
{
    /// <summary>Crossings that are remembered.</summary>
    public const int Count = 32;

    /// <summary>Virtual address.</summary>
    public ulong Va;

    /// <summary>Value of <see cref="CodeState.Spaces"/> for which it holds.</summary>
    public ulong Space;

    /// <summary>Physical address.</summary>
    public ulong Physical;

    /// <summary>Fills the entry to 32 bytes.</summary>
    public ulong Unused;

    internal const int SpaceOffset = 8, PhysicalOffset = 16;

    /// <summary>The place of a page.</summary>
    public static int Index(ulong page) => (int)(page >> 12) & (Count - 1);
}

/// <summary>A call that has not returned yet.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct ShadowEntry
{
    /// <summary>Return address.</summary>
    public ulong Ip;

    /// <summary>AR.PFS as the call set it.</summary>
    public ulong Pfs;

    /// <summary>The address space of the call.</summary>
    public ulong Space;

    /// <summary>What is known of the call.</summary>
    public CallSite* Site;
}

/// <summary>What is fixed about a call instruction in a region: the frame to which it returns.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct CallSite
{
    /// <summary>Translated code at the return address.</summary>
    public byte* Code;

    /// <summary>CFM of the caller.</summary>
    public ulong Cfm;

    /// <summary>Registers by which the frame moves.</summary>
    public ulong Locals;

    /// <summary>Most dirty registers that leave room for the frame.</summary>
    public int DirtyLimit;

    /// <summary>Highest general register of the frame.</summary>
    public uint GrLimit;
}

/// <summary>An entry of the cache that leads from an instruction address to translated code.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct JumpEntry
{
    /// <summary>Entries of a table.</summary>
    public const int Count = 8192;

    /// <summary>Tables, so that code for one mode (privilege level, PSR.ic, disabled floating-point registers) does not displace that for another.</summary>
    public const int Tables = 8;

    /// <summary>Bytes of a table.</summary>
    public const int TableBytes = Count * 32;

    internal const int SpaceOffset = 8, CodeOffset = 16;

    /// <summary>The table for a context: bit 0 is PSR.ic, so that its change is one addition.</summary>
    public static uint TableOf(uint context) =>
        (context & TranslationContext.Ic)
        | ((context & (TranslationContext.Dfl | TranslationContext.Dfh)) != 0 ? 2u : 0)
        | ((context & TranslationContext.CplMask) != 0 ? 4u : 0);

    /// <summary>Bundle address; low bits the slot.</summary>
    public ulong Ip;

    /// <summary>Value of <see cref="CodeState.Spaces"/> for which the entry holds.</summary>
    public ulong Space;

    /// <summary>Code.</summary>
    public byte* Code;

    /// <summary>Fills the entry to 32 bytes.</summary>
    public ulong Unused;
}
