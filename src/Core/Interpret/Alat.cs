using System.Numerics;
using FastXen.Core.State;

namespace FastXen.Core.Interpret;

/// <summary>
/// The advanced load address table (SDM vol 1, 4.4.5): 32 entries, each for certain registers, with the physical range of the load. An entry
/// may be dropped at any time: it is where another register takes its place, and those of registers that are renamed (rotation, frame and bank
/// changes) are dropped rather than followed.
/// </summary>
/// <remarks>
/// An entry that is not valid is zero in all arrays. <see cref="VcpuState.AlatValid"/> and <see cref="VcpuState.AlatRenamed"/> have a bit for
/// each entry; <see cref="VcpuState.AlatFilter"/> is zero while none is valid. Translated code keeps all of this, too.
/// </remarks>
public static unsafe class Alat
{
    /// <summary>Entries.</summary>
    public const int Entries = 32;

    /// <summary>The entry of a register.</summary>
    public static int Slot(uint register, bool isFloat) => (int)(register + (isFloat ? 16u : 0)) & (Entries - 1);

    /// <summary>What stands in <see cref="VcpuState.AlatName"/> for a register.</summary>
    public static uint Name(uint register, bool isFloat) => 1u << 31 | (isFloat ? 1u << 8 : 0) | register;

    /// <summary>True when renaming drops the register's entry.</summary>
    public static bool IsRenamed(uint register) => register >= 32;

    /// <summary>Records an advanced load of <paramref name="length"/> bytes at a physical address, in place of the register's older entry.</summary>
    public static void Insert(VcpuState* s, uint register, bool isFloat, ulong physical, int length)
    {
        int slot = Slot(register, isFloat);
        uint bit = 1u << slot;
        s->AlatName[slot] = Name(register, isFloat);
        s->AlatStart[slot] = physical;
        s->AlatEnd[slot] = physical + (uint)length;
        s->AlatValid |= bit;
        s->AlatRenamed = IsRenamed(register) ? s->AlatRenamed | bit : s->AlatRenamed & ~bit;
        for (ulong granule = physical >> 3; granule <= (physical + (uint)length - 1) >> 3; granule++)
            s->AlatFilter |= 1UL << (int)(granule & 63);
    }

    /// <summary>True when the register has an entry.</summary>
    public static bool Check(VcpuState* s, uint register, bool isFloat) => s->AlatName[Slot(register, isFloat)] == Name(register, isFloat);

    /// <summary>Drops the register's entry.</summary>
    public static void Remove(VcpuState* s, uint register, bool isFloat)
    {
        if (Check(s, register, isFloat))
            Drop(s, Slot(register, isFloat));
    }

    /// <summary>A store of <paramref name="length"/> bytes at a physical address: drops the entries that it touches.</summary>
    public static void Store(VcpuState* s, ulong physical, int length)
    {
        for (uint valid = s->AlatValid; valid != 0; valid &= valid - 1)
        {
            int slot = BitOperations.TrailingZeroCount(valid);
            if (physical < s->AlatEnd[slot] && s->AlatStart[slot] < physical + (ulong)length)
                Drop(s, slot);
        }
    }

    /// <summary>Drops everything (invala).</summary>
    public static void Clear(VcpuState* s)
    {
        for (int slot = 0; slot < Entries; slot++)
            Drop(s, slot);
    }

    /// <summary>Drops the entries of stacked and rotating registers: their names now mean others.</summary>
    public static void ForgetRenamed(VcpuState* s)
    {
        while (s->AlatRenamed != 0)
            Drop(s, BitOperations.TrailingZeroCount(s->AlatRenamed));
    }

    /// <summary>Drops the entries of the banked registers r16-r31.</summary>
    public static void ForgetBank(VcpuState* s)
    {
        for (uint register = 16; register < 32; register++)
            Remove(s, register, isFloat: false);
    }

    private static void Drop(VcpuState* s, int slot)
    {
        uint bit = 1u << slot;
        s->AlatName[slot] = 0;
        s->AlatStart[slot] = s->AlatEnd[slot] = 0;
        s->AlatRenamed &= ~bit;
        s->AlatValid &= ~bit;
        if (s->AlatValid == 0)
            s->AlatFilter = 0;
    }
}
