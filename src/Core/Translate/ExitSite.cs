using System.Runtime.InteropServices;
using FastXen.Core.Decode;

namespace FastXen.Core.Translate;

/// <summary>Why translated code came back.</summary>
internal enum ExitKind : byte
{
    /// <summary>The interpreter's handler must do an instruction, which starts anew.</summary>
    Handler,

    /// <summary>A taken branch or page end to <see cref="ExitSite.Target"/>: time to look at timers and interrupts, or there was no code yet.</summary>
    Look,

    /// <summary>As <see cref="Look"/>; the target is in <see cref="State.VcpuState.Ip"/>.</summary>
    LookThere,

    /// <summary>As <see cref="LookThere"/>; the slot is in the state, too.</summary>
    LookAnywhere,

    /// <summary>Goes on at <see cref="ExitSite.Target"/> without a branch.</summary>
    Continue,

    /// <summary>A region was entered while a register that it takes for a double is none; nothing has been executed.</summary>
    OtherFloats,

    /// <summary>A region was entered with another frame than it was made for; nothing has been executed.</summary>
    OtherFrame,
}

/// <summary>A place where translated code returns to the dispatcher.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct ExitSite
{
    /// <summary>Value of <see cref="LastIp"/> where that has been recorded already.</summary>
    public const ulong KeepLastIp = 1;

    /// <summary>The region.</summary>
    public RegionState* Region;

    /// <summary>The instruction of <see cref="ExitKind.Handler"/>.</summary>
    public Instruction* Guest;

    /// <summary>First slot of the block.</summary>
    public Instruction* RunStart;

    /// <summary>Where the code goes on after the handler.</summary>
    public byte* Resume;

    /// <summary>Address of the next bundle, low bits the slot.</summary>
    public ulong Target;

    /// <summary>Bundle that was the last one.</summary>
    public ulong LastIp;

    /// <summary>The 4-byte displacement (writable alias) that is set when the target has been translated, or null.</summary>
    public int* Link;

    /// <summary>Opcode of <see cref="Guest"/>.</summary>
    public Opcode Opcode;

    /// <summary>Where profiling is on: times that the dispatcher was here. (Other counts are the vCPUs' own: <see cref="ExitCounts"/>.)</summary>
    public ulong Count;

    /// <summary>The context in which control leaves.</summary>
    public uint Context;

    /// <summary>Why.</summary>
    public ExitKind Kind;

    /// <summary>Control goes on in a region's second page, which is to be fetched and remembered (<see cref="CodeState.Crossings"/>).</summary>
    public bool Crosses;

    /// <summary>The handler reads or writes predicates.</summary>
    public bool UsesPredicates;
}

/// <summary>What the exits of one region have in common.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct RegionState
{
    /// <summary>Virtual address of the code page.</summary>
    public ulong CodeVa;

    /// <summary>Physical address of the code page.</summary>
    public ulong CodePa;

    /// <summary>Physical address of the second page that the region was planned with; <see cref="NoPage"/> for none.</summary>
    public ulong SecondPa;

    /// <summary>No physical address of a page.</summary>
    public const ulong NoPage = 1;

    /// <summary>First word of the page's translation.</summary>
    public ulong CodePte;

    /// <summary>The decoded page.</summary>
    public Instruction* CodeSlots;

    /// <summary>Context for which the code was made.</summary>
    public uint Context;

    /// <summary>Reloads the registers that the region keeps in host registers and goes on at <see cref="CodeState.Resume"/>.</summary>
    public byte* Reload;

    /// <summary>Entry.</summary>
    public byte* Entry;

    /// <summary>The displacement of the jump to a variant for another frame (writable alias).</summary>
    public int* OtherFrame;

    /// <summary>As <see cref="OtherFrame"/>, to the variant that keeps no doubles in host registers.</summary>
    public int* OtherFloats;

    /// <summary>Entries at which some register was no double.</summary>
    public int FloatMisses;

    /// <summary>Floating-point registers, by bit, that must be doubles at the entry.</summary>
    public fixed ulong Doubles[2];

    /// <summary>Floating-point registers that live in host registers.</summary>
    public fixed ulong Mapped[2];

    /// <summary>First bundle and slot.</summary>
    public ulong Ip;

    /// <summary>The CFM for which the code was made.</summary>
    public ulong Cfm;

    /// <summary>The controls of AR.FPSR for which the code was made.</summary>
    public ulong Fpsr;

    /// <summary>Bytes of code from <see cref="Entry"/> on.</summary>
    public int HostBytes;

    /// <summary>Slots that were translated.</summary>
    public int Slots;

    /// <summary>Where profiling is on: times that the region was entered.</summary>
    public ulong Executions;

    /// <summary>Where profiling is on: slots of the blocks that were begun.</summary>
    public ulong ExecutedSlots;
}
