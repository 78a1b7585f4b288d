using FastXen.Core.Decode;
using FastXen.Core.State;

namespace FastXen.Core.Interpret;

/// <summary>All handlers of the F unit and of the moves between the register files.</summary>
public static unsafe class FloatingHandlers
{
    /// <summary>Enters the handlers into the interpreter's table.</summary>
    public static void Bind(delegate*<VcpuState*, Instruction*, int>* table)
    {
        FloatingArithmetic.Bind(table);
        FloatingCompares.Bind(table);
        FloatingApproximations.Bind(table);
        FloatingMinMax.Bind(table);
        FloatingMerges.Bind(table);
        FloatingConversions.Bind(table);
        FloatingStatusFields.Bind(table);
    }
}
