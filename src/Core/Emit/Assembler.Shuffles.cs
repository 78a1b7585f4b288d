namespace FastXen.Core.Emit;

/// <summary>Vector elements that change places, chosen by an immediate (AVX2).</summary>
public sealed unsafe partial class Assembler
{
    /// <summary>vpermq of 32 bytes: element k of the result is element (order >> 2k) &amp; 3.</summary>
    public void VectorPermute(HostVector to, in HostAddress from, int order)
    {
        VexMemory(Map0F3A, Prefix66, 0x00, (int)to, NoSource, from, wide: 1, width: 32);
        Byte(order);
    }

    /// <summary>vpblendd: 4-byte elements of <paramref name="b"/> where the mask has a one, of <paramref name="a"/> elsewhere.</summary>
    public void VectorBlend(HostVector to, HostVector a, HostVector b, int mask, int width = 16)
    {
        VexRegisters(Map0F3A, Prefix66, 0x02, (int)to, (int)a, (int)b, width: width);
        Byte(mask);
    }

    /// <summary>vpalignr of 16 bytes: high:low shifted right by a number of bytes.</summary>
    public void VectorAlign(HostVector to, HostVector high, HostVector low, int bytes)
    {
        VexRegisters(Map0F3A, Prefix66, 0x0f, (int)to, (int)high, (int)low);
        Byte(bytes);
    }

    /// <summary>vpslldq (shl) or vpsrldq (shr) of 16 bytes: a shift by a number of bytes.</summary>
    public void VectorShiftBytes(Shift op, HostVector to, HostVector from, int bytes)
    {
        VexRegisters(Map0F, Prefix66, 0x73, op == Shift.Shl ? 7 : 3, (int)to, (int)from);
        Byte(bytes);
    }

    /// <summary>vpshufd: 4-byte element k of the result is element (order >> 2k) &amp; 3.</summary>
    public void VectorShuffleD(HostVector to, HostVector from, int order)
    {
        VexRegisters(Map0F, Prefix66, 0x70, (int)to, NoSource, (int)from);
        Byte(order);
    }

    /// <summary>vpshuflw: as <see cref="VectorShuffleD"/>, the four low 2-byte elements.</summary>
    public void VectorShuffleLowW(HostVector to, HostVector from, int order)
    {
        VexRegisters(Map0F, PrefixF2, 0x70, (int)to, NoSource, (int)from);
        Byte(order);
    }

    /// <summary>A shift of packed elements of 2 or 4 bytes by the number in the low 8 bytes of a vector; a large one shifts everything out.</summary>
    public void VectorShiftBy(Shift op, HostVector to, HostVector from, HostVector count, int elementSize)
    {
        int row = op switch
        {
            Shift.Shl => 0xf0,
            Shift.Shr => 0xd0,
            _ => 0xe0,
        };
        VexRegisters(Map0F, Prefix66, row | (elementSize / 2), (int)to, (int)from, (int)count);
    }
}
