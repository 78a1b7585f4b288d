namespace FastXen.Xen.Grants;

/// <summary>A domain's mappings of other domains' grants, by handle.</summary>
internal sealed class Maptrack(int limit)
{
    private const int ChunkSize = 2048;
    private readonly Lock changes = new();
    private readonly Mapping[]?[] chunks = new Mapping[]?[(limit + ChunkSize - 1) / ChunkSize];
    private int made;
    private int free = -1;

    /// <summary>What a handle stands for. Changed only by whoever has made it <see cref="Busy"/>.</summary>
    internal struct Mapping
    {
        public int State;
        public int NextFree;
        public uint Reference;
        public bool IsReadOnly;
        public ulong Gpfn;
        public nint Host;
        public XenDomain? Owner;
    }

    /// <summary>States of a mapping.</summary>
    public const int Unused = 0, Busy = 1, Mapped = 2;

    /// <summary>Handles are lower.</summary>
    public int Count => Volatile.Read(ref made);

    /// <summary>The mapping of a handle below <see cref="Count"/>.</summary>
    public ref Mapping At(int handle) => ref chunks[handle / ChunkSize]![handle % ChunkSize];

    /// <summary>A handle whose mapping is busy, or -1.</summary>
    public int Take()
    {
        lock (changes)
        {
            int handle = free;
            if (handle >= 0)
            {
                free = At(handle).NextFree;
            }
            else
            {
                if (made == limit)
                    return -1;
                handle = made;
                chunks[handle / ChunkSize] ??= new Mapping[ChunkSize];
                Volatile.Write(ref made, handle + 1);
            }
            At(handle).State = Busy;
            return handle;
        }
    }

    /// <summary>Makes a mapped handle busy. False when it is not mapped.</summary>
    public bool TryClaim(uint handle) =>
        handle < (uint)Count && Interlocked.CompareExchange(ref At((int)handle).State, Busy, Mapped) == Mapped;

    /// <summary>Gives a busy handle back.</summary>
    public void Return(int handle)
    {
        lock (changes)
        {
            ref Mapping mapping = ref At(handle);
            mapping.Owner = null;
            mapping.NextFree = free;
            Volatile.Write(ref mapping.State, Unused);
            free = handle;
        }
    }
}
