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
/// Stores of other processors do not come by here. Where there are some (<see cref="VcpuState.Shared"/>), a check load always loads again, a chk.a also
/// compares what memory holds with what the load read, and floating-point registers get no entries: nobody can tell that from an entry that was dropped.
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

    /// <summary>
    /// Records an advanced load of <paramref name="length"/> bytes at a physical address, in place of the register's older entry. <paramref name="value"/>: what
    /// a general register was loaded with.
    /// </summary>
    public static void Insert(VcpuState* s, uint register, bool isFloat, ulong physical, int length, ulong value = 0)
    {
        if (s->Shared != 0 && (isFloat || (physical & 0xFFF) + (uint)length > CodePage.Size))
        {
            Remove(s, register, isFloat);
            return;
        }

        int slot = Slot(register, isFloat);
        uint bit = 1u << slot;
        s->AlatName[slot] = Name(register, isFloat);
        s->AlatStart[slot] = physical;
        s->AlatEnd[slot] = physical + (uint)length;
        s->AlatValue[slot] = value;
        s->AlatValid |= bit;
        s->AlatRenamed = IsRenamed(register) ? s->AlatRenamed | bit : s->AlatRenamed & ~bit;
        for (ulong granule = physical >> 3; granule <= (physical + (uint)length - 1) >> 3; granule++)
            s->AlatFilter |= 1UL << (int)(granule & 63);
    }

    /// <summary>True when the register has an entry.</summary>
    public static bool Check(VcpuState* s, uint register, bool isFloat) => s->AlatName[Slot(register, isFloat)] == Name(register, isFloat);

    /// <summary>True when a chk.a of the register finds its entry, and no other processor has stored there since.</summary>
    public static bool Holds(VcpuState* s, uint register, bool isFloat)
    {
        if (!Check(s, register, isFloat))
            return false;
        if (s->Shared == 0)
            return true;
        int slot = Slot(register, isFloat);
        byte* host = s->MemoryBase + s->AlatStart[slot];
        int length = (int)(s->AlatEnd[slot] - s->AlatStart[slot]);
        ulong now = length switch { 1 => *host, 2 => *(ushort*)host, 4 => *(uint*)host, _ => *(ulong*)host };
        return s->AlatValue[slot] == ((s->PsrValue & Psr.Be) != 0 ? DataAccess.Swap(now, length) : now);
    }

    /// <summary>True when a check load of the register need not load again.</summary>
    public static bool NeedsNoLoad(VcpuState* s, uint register, bool isFloat) => s->AlatValid != 0 && s->Shared == 0 && Check(s, register, isFloat);

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
