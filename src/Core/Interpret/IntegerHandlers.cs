using FastXen.Core.Decode;
using FastXen.Core.State;

namespace FastXen.Core.Interpret;

/// <summary>All handlers of the A and I units that are not bound elsewhere.</summary>
public static unsafe class IntegerHandlers
{
    /// <summary>Enters them into the dispatch table.</summary>
    public static void Bind(delegate*<VcpuState*, Instruction*, int>* table)
    {
        IntegerArithmetic.Bind(table);
        CompareInstructions.Bind(table);
        MultimediaInstructions.Bind(table);
        BitField.Bind(table);
        IntegerMoves.Bind(table);
    }
}
