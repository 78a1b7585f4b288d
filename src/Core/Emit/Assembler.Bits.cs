namespace FastXen.Core.Emit;

/// <summary>Shifts, bit tests and bit manipulation (BMI1, BMI2, LZCNT, POPCNT).</summary>
public sealed unsafe partial class Assembler
{
    /// <summary>A shift or rotate by a constant.</summary>
    public void ShiftBy(Shift op, HostRegister register, int count, int size = 8)
    {
        int opcode = (count == 1 ? 0xd0 : 0xc0) | (size == 1 ? 0 : 1);
        Registers(0, size, opcode, (int)op, (int)register, bytes: size == 1 ? 2 : 0);
        if (count != 1)
            Byte(count);
    }

    /// <summary>A shift or rotate by cl.</summary>
    public void ShiftByCl(Shift op, HostRegister register, int size = 8) =>
        Registers(0, size, size == 1 ? 0xd2 : 0xd3, (int)op, (int)register, bytes: size == 1 ? 2 : 0);

    /// <summary>shlx: a left shift by the low bits of a register; no flags.</summary>
    public void Shlx(HostRegister to, HostRegister from, HostRegister count, int size = 8) => ShiftX(Prefix66, to, from, count, size);

    /// <summary>shrx: a logical right shift by the low bits of a register; no flags.</summary>
    public void Shrx(HostRegister to, HostRegister from, HostRegister count, int size = 8) => ShiftX(PrefixF2, to, from, count, size);

    /// <summary>sarx: an arithmetic right shift by the low bits of a register; no flags.</summary>
    public void Sarx(HostRegister to, HostRegister from, HostRegister count, int size = 8) => ShiftX(PrefixF3, to, from, count, size);

    private void ShiftX(int prefix, HostRegister to, HostRegister from, HostRegister count, int size) =>
        VexRegisters(Map0F38, prefix, 0xf7, (int)to, (int)count, (int)from, wide: size >> 3);

    /// <summary>rorx: a rotate right by a constant; no flags.</summary>
    public void Rorx(HostRegister to, HostRegister from, int count, int size = 8)
    {
        VexRegisters(Map0F3A, PrefixF2, 0xf0, (int)to, NoSource, (int)from, wide: size >> 3);
        Byte(count);
    }

    /// <summary>andn: to = ~notted &amp; other.</summary>
    public void Andn(HostRegister to, HostRegister notted, HostRegister other, int size = 8) =>
        VexRegisters(Map0F38, NoPrefix, 0xf2, (int)to, (int)notted, (int)other, wide: size >> 3);

    /// <summary>bzhi: from without its bits from number index (bits 7:0 of it) on.</summary>
    public void Bzhi(HostRegister to, HostRegister from, HostRegister index, int size = 8) =>
        VexRegisters(Map0F38, NoPrefix, 0xf5, (int)to, (int)index, (int)from, wide: size >> 3);

    /// <summary>pext: the bits of source that mask names, moved together.</summary>
    public void Pext(HostRegister to, HostRegister source, HostRegister mask, int size = 8) =>
        VexRegisters(Map0F38, PrefixF3, 0xf5, (int)to, (int)source, (int)mask, wide: size >> 3);

    /// <summary>pdep: the low bits of source, moved apart to where mask names them.</summary>
    public void Pdep(HostRegister to, HostRegister source, HostRegister mask, int size = 8) =>
        VexRegisters(Map0F38, PrefixF2, 0xf5, (int)to, (int)source, (int)mask, wide: size >> 3);

    /// <summary>popcnt.</summary>
    public void PopulationCount(HostRegister to, HostRegister from, int size = 8) => Registers(Repeat, size, 0x0fb8, (int)to, (int)from);

    /// <summary>lzcnt: the size in bits for zero; the carry flag tells that.</summary>
    public void LeadingZeros(HostRegister to, HostRegister from, int size = 8) => Registers(Repeat, size, 0x0fbd, (int)to, (int)from);

    /// <summary>tzcnt: the size in bits for zero; the carry flag tells that.</summary>
    public void TrailingZeros(HostRegister to, HostRegister from, int size = 8) => Registers(Repeat, size, 0x0fbc, (int)to, (int)from);

    /// <summary>bswap of 8 or 4 bytes; a rotate of 2 bytes, which changes flags.</summary>
    public void SwapBytes(HostRegister register, int size = 8)
    {
        if (size == 2)
        {
            ShiftBy(Shift.Rol, register, 8, 2);
            return;
        }

        Room();
        RexAndOpcode((size & 8) | ((int)register >> 3), false, 0x0fc8 | ((int)register & 7));
    }

    /// <summary>shrd: to shifted right, filled from the low bits of from.</summary>
    public void ShiftDoubleRight(HostRegister to, HostRegister from, int count, int size = 8)
    {
        Registers(0, size, 0x0fac, (int)from, (int)to);
        Byte(count);
    }

    /// <summary>shld: to shifted left, filled from the high bits of from.</summary>
    public void ShiftDoubleLeft(HostRegister to, HostRegister from, int count, int size = 8)
    {
        Registers(0, size, 0x0fa4, (int)from, (int)to);
        Byte(count);
    }

    /// <summary>shrd by cl.</summary>
    public void ShiftDoubleRightCl(HostRegister to, HostRegister from, int size = 8) => Registers(0, size, 0x0fad, (int)from, (int)to);

    /// <summary>shld by cl.</summary>
    public void ShiftDoubleLeftCl(HostRegister to, HostRegister from, int size = 8) => Registers(0, size, 0x0fa5, (int)from, (int)to);

    /// <summary>bt: the carry flag is bit number bit (0 to 63).</summary>
    public void BitTest(HostRegister register, int bit)
    {
        // The short form reads the same bit, and nothing is written.
        Registers(0, bit < 32 ? 4 : 8, 0x0fba, 4, (int)register);
        Byte(bit);
    }

    /// <summary>bt: the carry flag is the bit whose number is in another register (modulo 64).</summary>
    public void BitTest(HostRegister register, HostRegister bit) => Registers(0, 8, 0x0fa3, (int)bit, (int)register);

    /// <summary>bts.</summary>
    public void BitTestSet(HostRegister register, int bit) => BitChange(5, register, bit);

    /// <summary>bts.</summary>
    public void BitTestSet(HostRegister register, HostRegister bit) => Registers(0, 8, 0x0fab, (int)bit, (int)register);

    /// <summary>btr.</summary>
    public void BitTestReset(HostRegister register, int bit) => BitChange(6, register, bit);

    /// <summary>btr.</summary>
    public void BitTestReset(HostRegister register, HostRegister bit) => Registers(0, 8, 0x0fb3, (int)bit, (int)register);

    /// <summary>btc.</summary>
    public void BitTestComplement(HostRegister register, int bit) => BitChange(7, register, bit);

    /// <summary>btc.</summary>
    public void BitTestComplement(HostRegister register, HostRegister bit) => Registers(0, 8, 0x0fbb, (int)bit, (int)register);

    private void BitChange(int extension, HostRegister register, int bit)
    {
        Registers(0, 8, 0x0fba, extension, (int)register);
        Byte(bit);
    }
}
