namespace FastXen.Core.Emit;

/// <summary>Vector moves and packed integers (AVX, AVX2). Widths are in bytes: 16 or 32.</summary>
public sealed unsafe partial class Assembler
{
    /// <summary>vmovaps of 16 bytes.</summary>
    public void VectorMove(HostVector to, HostVector from) => VexRegisters(Map0F, NoPrefix, 0x28, (int)to, NoSource, (int)from);

    /// <summary>vmovss (4 bytes), vmovsd (8), vmovdqu (16, 32); the rest of the register becomes zero.</summary>
    public void VectorLoad(HostVector to, in HostAddress from, int size) =>
        VexMemory(Map0F, MovePrefix(size), size <= 8 ? 0x10 : 0x6f, (int)to, NoSource, from, width: size);

    /// <summary>vmovss (4 bytes), vmovsd (8), vmovdqu (16, 32).</summary>
    public void VectorStore(in HostAddress to, HostVector from, int size) =>
        VexMemory(Map0F, MovePrefix(size), size <= 8 ? 0x11 : 0x7f, (int)from, NoSource, to, width: size);

    private static int MovePrefix(int size) => size == 8 ? PrefixF2 : PrefixF3;

    /// <summary>vmovd, vmovq; the rest of the vector becomes zero.</summary>
    public void MoveToVector(HostVector to, HostRegister from, int size = 8) =>
        VexRegisters(Map0F, Prefix66, 0x6e, (int)to, NoSource, (int)from, wide: size >> 3);

    /// <summary>vmovd, vmovq.</summary>
    public void MoveFromVector(HostRegister to, HostVector from, int size = 8) =>
        VexRegisters(Map0F, Prefix66, 0x7e, (int)from, NoSource, (int)to, wide: size >> 3);

    /// <summary>vxorps of a register with itself: zero, and no dependency on what it was.</summary>
    public void VectorZero(HostVector vector) => VexRegisters(Map0F, NoPrefix, 0x57, (int)vector, (int)vector, (int)vector);

    /// <summary>A packed integer operation.</summary>
    public void Vector(VectorOperation op, HostVector to, HostVector a, HostVector b, int width = 16) =>
        VexRegisters((int)op >> 8 == 0x38 ? Map0F38 : Map0F, Prefix66, (byte)op, (int)to, (int)a, (int)b, width: width);

    /// <summary>A shift of packed elements of 2, 4 or 8 bytes by a constant (shl, shr; sar not of 8 bytes).</summary>
    public void VectorShift(Shift op, HostVector to, HostVector from, int elementSize, int count, int width = 16)
    {
        int opcode = elementSize switch
        {
            2 => 0x71,
            4 => 0x72,
            _ => 0x73,
        };
        int extension = op switch
        {
            Shift.Shl => 6,
            Shift.Shr => 2,
            Shift.Sar when elementSize != 8 => 4,
            _ => throw new ArgumentOutOfRangeException(nameof(op)),
        };
        VexRegisters(Map0F, Prefix66, opcode, extension, (int)to, (int)from, width: width);
        Byte(count);
    }

    /// <summary>vpmovmskb: the top bits of all bytes.</summary>
    public void MoveMask(HostRegister to, HostVector from, int width = 16) =>
        VexRegisters(Map0F, Prefix66, 0xd7, (int)to, NoSource, (int)from, width: width);

    /// <summary>vzeroupper.</summary>
    public void VectorZeroUpper()
    {
        Room();
        Byte(0xc5);
        Byte(0xf8);
        Byte(0x77);
    }
}
