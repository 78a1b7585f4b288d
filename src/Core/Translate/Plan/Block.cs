using FastXen.Core.Emit;

namespace FastXen.Core.Translate;

/// <summary>A straight run of slots of a region. Slots are numbered in their page, 0 to 767; 768 is the page's end.</summary>
internal struct Block
{
    /// <summary>First slot.</summary>
    public int First;

    /// <summary>Behind the last slot.</summary>
    public int End;

    /// <summary>First instruction in <see cref="RegionPlan.Ir"/>.</summary>
    public int FirstIr;

    /// <summary>Behind the last instruction.</summary>
    public int EndIr;

    /// <summary>Loops of the region around it.</summary>
    public int Depth;

    /// <summary>Registers (by host register assigned) that may differ from memory at the start.</summary>
    public uint DirtyIn;

    /// <summary>As <see cref="DirtyIn"/>, at the end.</summary>
    public uint DirtyOut;

    /// <summary>Registers (as in <see cref="DirtyIn"/>) that the region has written on every way to the start.</summary>
    public uint WrittenIn;

    /// <summary>Ways to the start; being the entry is one.</summary>
    public int Predecessors;

    /// <summary>Last slot before the block on one of these ways.</summary>
    public int PredecessorSlot;

    /// <summary>The source of IIPA must be recorded on the ways to the block: its first slot can raise an interruption, and there are several.</summary>
    public readonly bool NeedsLastIp => StartsWithExit && Predecessors != 1;

    /// <summary>Control can go from the last slot to the one behind it.</summary>
    public bool FallsThrough;

    /// <summary>The first slot can raise an interruption: IIPA's source must be known when it is entered.</summary>
    public bool StartsWithExit;

    /// <summary>A modulo-scheduled loop that has a form on a window of the rotating registers.</summary>
    public bool IsWindow;

    /// <summary>Its code.</summary>
    public Label Label;
}
