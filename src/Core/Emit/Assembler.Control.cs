namespace FastXen.Core.Emit;

/// <summary>Jumps, calls and alignment.</summary>
public sealed unsafe partial class Assembler
{
    /// <summary>jmp: short where the label is bound and near.</summary>
    public void Jump(Label target)
    {
        Room();
        if (ShortJump(0xeb, target))
            return;
        Byte(0xe9);
        Displacement(target);
    }

    /// <summary>jcc: short where the label is bound and near.</summary>
    public void Jump(Condition condition, Label target)
    {
        Room();
        if (ShortJump(0x70 | (int)condition, target))
            return;
        Byte(0x0f);
        Byte(0x80 | (int)condition);
        Displacement(target);
    }

    private bool ShortJump(int opcode, Label target)
    {
        int state = _labels[target.Id];
        int distance = state - (Size + 2);
        if (state < 0 || distance < sbyte.MinValue)
            return false;
        Byte(opcode);
        Byte(distance);
        return true;
    }

    /// <summary>jmp rel32 to where code runs.</summary>
    public void Jump(byte* target)
    {
        Room();
        Byte(0xe9);
        Displacement(target);
    }

    /// <summary>jcc rel32 to where code runs.</summary>
    public void Jump(Condition condition, byte* target)
    {
        Room();
        Byte(0x0f);
        Byte(0x80 | (int)condition);
        Displacement(target);
    }

    /// <summary>
    /// jmp rel32 whose displacement is aligned, so that it can be replaced in one store while other processors run it.
    /// </summary>
    /// <returns>Offset of the displacement from the beginning of the code.</returns>
    public int JumpPatchable(byte* target)
    {
        Nops((int)(3 - ((nuint)Here & 3)));
        Jump(target);
        return Size - 4;
    }

    /// <summary>jmp to the address in a register.</summary>
    public void Jump(HostRegister target) => Registers(0, 4, 0xff, 4, (int)target);

    /// <summary>jmp to the address in memory.</summary>
    public void Jump(in HostAddress target) => Memory(0, 4, 0xff, 4, target);

    /// <summary>call rel32 to where code runs.</summary>
    public void Call(byte* target)
    {
        Room();
        Byte(0xe8);
        Displacement(target);
    }

    /// <summary>call rel32.</summary>
    public void Call(Label target)
    {
        Room();
        Byte(0xe8);
        Displacement(target);
    }

    /// <summary>call of the address in a register.</summary>
    public void Call(HostRegister target) => Registers(0, 4, 0xff, 2, (int)target);

    /// <summary>call of the address in memory.</summary>
    public void Call(in HostAddress target) => Memory(0, 4, 0xff, 2, target);

    /// <summary>ret.</summary>
    public void Return()
    {
        Room();
        Byte(0xc3);
    }

    /// <summary>ud2.</summary>
    public void Trap()
    {
        Room();
        Byte(0x0f);
        Byte(0x0b);
    }

    /// <summary>Nops until the next instruction runs at a multiple of a power of two.</summary>
    public void Align(int alignment) => Nops((int)(-(nint)Here & (alignment - 1)));

    /// <summary>The fewest nops of so many bytes (Intel SDM volume 2, NOP: the recommended sequences of up to 9 bytes).</summary>
    private void Nops(int count)
    {
        for (; count > 0; count -= 9)
        {
            Room();
            switch (Math.Min(count, 9))
            {
                case 1: Nop([0x90]); break;
                case 2: Nop([0x66, 0x90]); break;
                case 3: Nop([0x0f, 0x1f, 0x00]); break;
                case 4: Nop([0x0f, 0x1f, 0x40, 0x00]); break;
                case 5: Nop([0x0f, 0x1f, 0x44, 0x00, 0x00]); break;
                case 6: Nop([0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00]); break;
                case 7: Nop([0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00]); break;
                case 8: Nop([0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00]); break;
                default: Nop([0x66, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00]); break;
            }
        }
    }

    private void Nop(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(new Span<byte>(_at, bytes.Length));
        _at += bytes.Length;
    }
}
