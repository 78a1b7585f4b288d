using FastXen.Core.State;

namespace FastXen.Core.Tests.SystemLevel;

/// <summary>
/// One instruction and the interruption that it meets. The instruction stands in the program's second bundle, behind three nops;
/// <paramref name="Slot"/> is its slot, <paramref name="Isr"/> is without ISR.ei.
/// </summary>
internal sealed record FaultCase(string Name, string Instruction, int Slot, Vector Vector, ulong Isr, Action<SystemMachine>? Setup = null)
{
    /// <summary>PSR when the program starts.</summary>
    public ulong Psr { get; init; } = SystemMachine.Kernel;

    /// <summary>Control registers that the interruption must leave with these values.</summary>
    public (int Register, ulong Value)[] Registers { get; init; } = [];

    /// <summary>The program: a bundle of nops, and the bundle of the instruction.</summary>
    public string Program => "{ .mii; nop.m 0; nop.i 0; nop.i 0 ;; } " + Bundle;

    // The letter before the colon names the unit.
    private string Bundle => (Instruction[0], Slot) switch
    {
        ('M', 0) => $"{{ .mmi; {Text} ;; nop.m 0; nop.i 0 ;; }}",
        ('M', 1) => $"{{ .mmi; nop.m 0; {Text}; nop.i 0 ;; }}",
        ('I', 1) => $"{{ .mii; nop.m 0; {Text}; nop.i 0 ;; }}",
        ('I', 2) => $"{{ .mii; nop.m 0; nop.i 0; {Text} ;; }}",
        ('F', 1) => $"{{ .mfi; nop.m 0; {Text}; nop.i 0 ;; }}",
        ('B', 1) => $"{{ .mbb; nop.m 0; {Text}; nop.b 0 ;; }}",
        ('B', 2) => $"{{ .mib; nop.m 0; nop.i 0; {Text} ;; }}",
        ('X', 1) => $"{{ .mlx; nop.m 0; {Text} ;; }}",
        _ => throw new ArgumentException(Instruction),
    };

    private string Text => Instruction[2..];

    public override string ToString() => Name;
}
