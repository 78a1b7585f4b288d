using System.Runtime.InteropServices;

namespace FastXen.Xen.Memory;

/// <summary>
/// The places of a P2M: a radix tree of three levels over guest frame numbers. Readers take no lock; nodes are added, never removed,
/// until the table goes. The number of leaves is bounded, since a guest chooses where it maps.
/// </summary>
internal sealed unsafe class P2mTable(int maximumLeaves)
{
    private const int LevelBits = 12;
    private const int LevelMask = (1 << LevelBits) - 1;
    private readonly Lock growth = new();
    private nint* root = (nint*)NativeMemory.AllocZeroed((nuint)(sizeof(nint) << LevelBits));
    private int leaves;

    /// <summary>The place of a frame number, or null where there never was anything.</summary>
    public P2mSlot* Find(ulong gpfn)
    {
        if (gpfn >= Frame.Limit)
            return null;
        var middle = (nint*)Volatile.Read(ref root[gpfn >> 2 * LevelBits]);
        if (middle == null)
            return null;
        var leaf = (P2mSlot*)Volatile.Read(ref middle[gpfn >> LevelBits & LevelMask]);
        return leaf == null ? null : leaf + (gpfn & LevelMask);
    }

    /// <summary>The place of a frame number; null past the limits.</summary>
    public P2mSlot* FindOrAdd(ulong gpfn)
    {
        P2mSlot* slot = Find(gpfn);
        if (slot != null || gpfn >= Frame.Limit)
            return slot;
        lock (growth)
        {
            slot = Find(gpfn);
            if (slot != null)
                return slot;
            if (leaves >= maximumLeaves)
                return null;
            nint* middle = Child(root, gpfn >> 2 * LevelBits, sizeof(nint));
            nint* leaf = Child(middle, gpfn >> LevelBits & LevelMask, sizeof(P2mSlot));
            leaves++;
            return (P2mSlot*)leaf + (gpfn & LevelMask);
        }
    }

    /// <summary>Frees the table. Nobody may use it any more.</summary>
    public void Free()
    {
        for (int i = 0; i <= LevelMask; i++)
        {
            var middle = (nint*)root[i];
            if (middle == null)
                continue;
            for (int j = 0; j <= LevelMask; j++)
                NativeMemory.Free((void*)middle[j]);
            NativeMemory.Free(middle);
        }
        NativeMemory.Free(root);
        root = null;
    }

    private static nint* Child(nint* parent, ulong index, int size)
    {
        if (parent[index] == 0)
            Volatile.Write(ref parent[index], (nint)NativeMemory.AllocZeroed((nuint)size << LevelBits));
        return (nint*)parent[index];
    }
}
