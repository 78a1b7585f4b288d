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

    /// <summary>By region: what a <see cref="JumpEntry"/> must have been made for (address space, mode, context).</summary>
    public fixed ulong Spaces[8];

    /// <summary>Translated code by instruction address.</summary>
    public JumpEntry* Jumps;

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

    /// <summary>What the tags of division steps stand for.</summary>
    internal DivisionSite* DivisionSites;

    /// <summary>Byte offset of the newest entry of <see cref="Shadow"/>.</summary>
    public uint ShadowTop;

    /// <summary>The return predictor: a ring of <see cref="ShadowEntry"/>.</summary>
    public fixed ulong Shadow[ShadowEntries * 4];
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
    /// <summary>Entries of the cache.</summary>
    public const int Count = 4096;

    /// <summary>Bundle address; low bits the slot.</summary>
    public ulong Ip;

    /// <summary>Value of <see cref="CodeState.Spaces"/> for which the entry holds.</summary>
    public ulong Space;

    /// <summary>Code.</summary>
    public byte* Code;

    /// <summary>Fills the entry to 32 bytes.</summary>
    public ulong Unused;
}
