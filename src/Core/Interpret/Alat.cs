using FastXen.Core.State;

namespace FastXen.Core.Interpret;

/// <summary>
/// The advanced load address table (SDM vol 1, 4.4.5): 32 entries by register name, with the physical range of the load. An entry may be
/// dropped at any time; those of registers that are renamed (rotation, frame and bank changes) are dropped rather than followed.
/// </summary>
public static unsafe class Alat
{
    /// <summary>Entries.</summary>
    public const int Entries = 32;

    // An entry is two words: physical address; valid 63, floating-point 40, register 39:32, length 7:0.
    private const ulong Valid = 1UL << 63;
    private const ulong Float = 1UL << 40;

    private static ulong Name(uint register, bool isFloat) => Valid | (isFloat ? Float : 0) | (ulong)register << 32;

    /// <summary>Records an advanced load of <paramref name="length"/> bytes at a physical address, in place of the register's older entry.</summary>
    public static void Insert(VcpuState* s, uint register, bool isFloat, ulong physical, int length)
    {
        Remove(s, register, isFloat);
        int slot = (int)(register % Entries);
        for (int k = 0; k < Entries && (s->Alat[2 * slot + 1] & Valid) != 0; k++)
            slot = (slot + 1) % Entries;
        if ((s->Alat[2 * slot + 1] & Valid) == 0)
            s->AlatCount++;
        s->Alat[2 * slot] = physical;
        s->Alat[2 * slot + 1] = Name(register, isFloat) | (uint)length;
    }

    /// <summary>True when the register has an entry.</summary>
    public static bool Check(VcpuState* s, uint register, bool isFloat) => s->AlatCount != 0 && Find(s, register, isFloat) >= 0;

    /// <summary>Drops the register's entry.</summary>
    public static void Remove(VcpuState* s, uint register, bool isFloat)
    {
        int slot = s->AlatCount == 0 ? -1 : Find(s, register, isFloat);
        if (slot >= 0)
            Drop(s, slot);
    }

    /// <summary>A store of <paramref name="length"/> bytes at a physical address: drops the entries that it touches.</summary>
    public static void Store(VcpuState* s, ulong physical, int length)
    {
        for (int slot = 0; slot < Entries; slot++)
        {
            ulong word = s->Alat[2 * slot + 1];
            ulong address = s->Alat[2 * slot];
            if ((word & Valid) != 0 && physical < address + (word & 0xFF) && address < physical + (ulong)length)
                Drop(s, slot);
        }
    }

    /// <summary>Drops everything (invala).</summary>
    public static void Clear(VcpuState* s)
    {
        for (int slot = 0; slot < Entries; slot++)
            s->Alat[2 * slot + 1] = 0;
        s->AlatCount = 0;
    }

    /// <summary>Drops the entries of stacked and rotating registers: their names now mean others.</summary>
    public static void ForgetRenamed(VcpuState* s) => Forget(s, 32, 128);

    /// <summary>Drops the entries of the banked registers r16-r31.</summary>
    public static void ForgetBank(VcpuState* s) => Forget(s, 16, 32);

    private static void Forget(VcpuState* s, uint first, uint end)
    {
        for (int slot = 0; slot < Entries; slot++)
        {
            ulong word = s->Alat[2 * slot + 1];
            uint register = (uint)(word >> 32) & 0xFF;
            if ((word & Valid) != 0 && register >= first && register < end)
                Drop(s, slot);
        }
    }

    private static void Drop(VcpuState* s, int slot)
    {
        s->Alat[2 * slot + 1] = 0;
        s->AlatCount--;
    }

    private static int Find(VcpuState* s, uint register, bool isFloat)
    {
        ulong name = Name(register, isFloat);
        for (int slot = 0; slot < Entries; slot++)
        {
            if ((s->Alat[2 * slot + 1] & ~0xFFUL) == name)
                return slot;
        }

        return -1;
    }
}
