namespace FastXen.Core.Emit;

/// <summary>The eight two-operand integer operations, by their hardware numbers.</summary>
public enum Alu : byte
{
    Add, Or, Adc, Sbb, And, Sub, Xor, Cmp,
}
