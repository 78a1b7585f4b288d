namespace FastXen.Core.Decode;

/// <summary>Every operation of the instruction set.</summary>
public enum Opcode : ushort
{
    /// <summary>Encoding that faults with Illegal Operation.</summary>
    Illegal = 0,
}
