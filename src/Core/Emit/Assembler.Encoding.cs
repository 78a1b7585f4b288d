using System.Runtime.CompilerServices;

namespace FastXen.Core.Emit;

/// <summary>Prefixes, opcode, ModRM, SIB and displacement (Intel SDM volume 2, chapter 2).</summary>
public sealed unsafe partial class Assembler
{
    private const int OperandSize = 0x66, Lock = 0xf0, Repeat = 0xf3;

    /// <summary>The pp field of VEX: the prefix it stands for.</summary>
    private const int NoPrefix = 0, Prefix66 = 1, PrefixF3 = 2, PrefixF2 = 3;

    /// <summary>The mmmmm field of VEX: the opcode map.</summary>
    private const int Map0F = 1, Map0F38 = 2, Map0F3A = 3;

    /// <summary>A VEX instruction without a second source has ones in its (inverted) vvvv field.</summary>
    private const int NoSource = 0;

    /// <summary>
    /// An instruction with a register in the r/m field. <paramref name="opcode"/>: one byte, or 0x0fxx. <paramref name="bytes"/>:
    /// which of the two fields name byte registers (1: reg, 2: rm), for which numbers 4 to 7 need a REX prefix.
    /// </summary>
    private void Registers(int prefix, int size, int opcode, int reg, int rm, int bytes = 0)
    {
        Room();
        Prefixes(prefix, size);
        int rex = ((size >> 3) << 3) | ((reg >> 3) << 2) | (rm >> 3);
        bool needed = ((bytes & 1) != 0 && reg >= 4) || ((bytes & 2) != 0 && rm >= 4);
        RexAndOpcode(rex, needed, opcode);
        Byte(0xc0 | ((reg & 7) << 3) | (rm & 7));
    }

    /// <summary>An instruction with memory in the r/m field.</summary>
    private void Memory(int prefix, int size, int opcode, int reg, in HostAddress address, bool byteRegister = false)
    {
        Room();
        Prefixes(prefix, size);
        int rex = ((size >> 3) << 3) | ((reg >> 3) << 2) | (((int)address.Index >> 3) << 1) | ((int)address.Base >> 3);
        RexAndOpcode(rex, byteRegister && reg >= 4, opcode);
        ModRm(reg, address);
    }

    private void Prefixes(int prefix, int size)
    {
        if (size == 2)
            Byte(OperandSize);
        if (prefix != 0)
            Byte(prefix);
    }

    private void RexAndOpcode(int rex, bool needed, int opcode)
    {
        if (rex != 0 || needed)
            Byte(0x40 | rex);
        if (opcode > 0xff)
            Byte(opcode >> 8);
        Byte(opcode);
    }

    private void ModRm(int reg, in HostAddress address)
    {
        int low = (int)address.Base & 7;
        int displacement = address.Displacement;
        // rbp and r13 without a displacement mean something else: they get one of zero.
        int mode = displacement == 0 && low != 5 ? 0 : displacement == (sbyte)displacement ? 1 : 2;
        int modRm = (mode << 6) | ((reg & 7) << 3);
        if (address.HasIndex)
        {
            Byte(modRm | 4);
            Byte((address.ScaleLog2 << 6) | (((int)address.Index & 7) << 3) | low);
        }
        else
        {
            Byte(modRm | low);
            // rsp and r12 in the r/m field mean "SIB follows"; index 4 in the SIB means none.
            if (low == 4)
                Byte(0x24);
        }

        if (mode == 1)
            Byte(displacement);
        else if (mode == 2)
            Word(displacement);
    }

    private void VexRegisters(int map, int prefix, int opcode, int reg, int source, int rm, int wide = 0, int width = 16)
    {
        Room();
        Vex(map, prefix, reg, source, 0, rm, wide, width);
        Byte(opcode);
        Byte(0xc0 | ((reg & 7) << 3) | (rm & 7));
    }

    private void VexMemory(int map, int prefix, int opcode, int reg, int source, in HostAddress address, int wide = 0, int width = 16)
    {
        Room();
        Vex(map, prefix, reg, source, (int)address.Index, (int)address.Base, wide, width);
        Byte(opcode);
        ModRm(reg, address);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Vex(int map, int prefix, int reg, int source, int index, int rm, int wide, int width)
    {
        // All register bits are stored inverted.
        int last = ((~source & 15) << 3) | (width == 32 ? 4 : 0) | prefix;
        int r = (~reg & 8) << 4;
        if (map == Map0F && (index | rm) < 8 && wide == 0)
        {
            Byte(0xc5);
            Byte(r | last);
            return;
        }

        Byte(0xc4);
        Byte(r | ((~index & 8) << 3) | ((~rm & 8) << 2) | map);
        Byte((wide << 7) | last);
    }
}
