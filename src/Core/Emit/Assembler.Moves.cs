using System.Runtime.CompilerServices;

namespace FastXen.Core.Emit;

/// <summary>Moves, loads, stores and extensions; none changes the flags.</summary>
public sealed unsafe partial class Assembler
{
    /// <summary>mov; size 4 clears the upper half.</summary>
    public void Mov(HostRegister to, HostRegister from, int size = 8) => Registers(0, size, 0x89, (int)from, (int)to);

    /// <summary>The shortest mov of a constant.</summary>
    public void MovImmediate(HostRegister to, ulong value)
    {
        if ((long)value < 0 && (long)value >= int.MinValue)
        {
            Registers(0, 8, 0xc7, 0, (int)to);
            Word((int)value);
            return;
        }

        Room();
        int wide = value > uint.MaxValue ? 8 : 0;
        RexAndOpcode(wide | ((int)to >> 3), false, 0xb8 | ((int)to & 7));
        Word((int)value);
        if (wide != 0)
            Word((int)(value >> 32));
    }

    /// <summary>A load, zero-extended to 64 bits.</summary>
    public void Load(HostRegister to, in HostAddress from, int size)
    {
        if (size >= 4)
            Memory(0, size, 0x8b, (int)to, from);
        else
            Memory(0, 4, size == 2 ? 0x0fb7 : 0x0fb6, (int)to, from);
    }

    /// <summary>A load, sign-extended to 64 bits.</summary>
    public void LoadSigned(HostRegister to, in HostAddress from, int size) => Memory(0, 8, SignedMove(size), (int)to, from);

    /// <summary>A store of the low bytes of a register.</summary>
    public void Store(in HostAddress to, HostRegister from, int size) =>
        Memory(0, size, size == 1 ? 0x88 : 0x89, (int)from, to, byteRegister: size == 1);

    /// <summary>A store of a constant (sign-extended for 8 bytes).</summary>
    public void StoreImmediate(in HostAddress to, int value, int size)
    {
        Memory(0, size, size == 1 ? 0xc6 : 0xc7, 0, to);
        Immediate(value, size);
    }

    /// <summary>lea.</summary>
    public void Lea(HostRegister to, in HostAddress from, int size = 8) => Memory(0, size, 0x8d, (int)to, from);

    /// <summary>The low bytes of a register, zero-extended to 64 bits.</summary>
    public void ZeroExtend(HostRegister to, HostRegister from, int size)
    {
        if (size >= 4)
            Mov(to, from, size);
        else
            Registers(0, 4, size == 2 ? 0x0fb7 : 0x0fb6, (int)to, (int)from, bytes: size == 1 ? 2 : 0);
    }

    /// <summary>The low bytes of a register, sign-extended to 64 bits.</summary>
    public void SignExtend(HostRegister to, HostRegister from, int size)
    {
        if (size == 8)
            Mov(to, from);
        else
            Registers(0, 8, SignedMove(size), (int)to, (int)from, bytes: size == 1 ? 2 : 0);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int SignedMove(int size) => size switch
    {
        1 => 0x0fbe,
        2 => 0x0fbf,
        4 => 0x63,
        _ => 0x8b,
    };

    /// <summary>setcc of a byte register; the other bytes stay.</summary>
    public void SetCondition(Condition condition, HostRegister to) =>
        Registers(0, 1, 0x0f90 | (int)condition, 0, (int)to, bytes: 2);

    /// <summary>setcc of a byte in memory.</summary>
    public void SetCondition(Condition condition, in HostAddress to) => Memory(0, 1, 0x0f90 | (int)condition, 0, to);

    /// <summary>cmovcc.</summary>
    public void MoveIf(Condition condition, HostRegister to, HostRegister from, int size = 8) =>
        Registers(0, size, 0x0f40 | (int)condition, (int)to, (int)from);

    /// <summary>cmovcc; the memory is read whatever the condition.</summary>
    public void MoveIf(Condition condition, HostRegister to, in HostAddress from, int size = 8) =>
        Memory(0, size, 0x0f40 | (int)condition, (int)to, from);

    /// <summary>push.</summary>
    public void Push(HostRegister register)
    {
        Room();
        RexAndOpcode((int)register >> 3, false, 0x50 | ((int)register & 7));
    }

    /// <summary>pop.</summary>
    public void Pop(HostRegister register)
    {
        Room();
        RexAndOpcode((int)register >> 3, false, 0x58 | ((int)register & 7));
    }
}
