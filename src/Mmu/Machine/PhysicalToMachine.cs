using System.Runtime.CompilerServices;

namespace FastXen.Mmu;

/// <summary>
/// The P2M of a paravirtualized domain: guest frame number to machine frame number, for frames of 16 KiB. Lookups take no lock and may run
/// beside changes; whoever takes a frame away has the vCPUs forget it afterwards (<see cref="Changed"/>).
/// </summary>
/// <remarks>
/// Entries have the form of a translation's first word (present 0, frame in 49:12), in leaves of one frame each: so they can be shown to the guest
/// as Xen/ia64's exposed P2M (arch-ia64.h, IA64_DOM0VP_expose_p2m). What FastXen keeps beside them is in bits 63:53, which software may use.
/// </remarks>
public sealed unsafe class PhysicalToMachine : IDisposable
{
    /// <summary>Machine address of guest addresses with nothing behind them: no memory, and no device.</summary>
    public const ulong Nothing = 1UL << 48;

    /// <summary>Set in the machine address of a device's window: the rest is the guest address.</summary>
    public const ulong Device = 1UL << 49;

    /// <summary>Entries of a leaf.</summary>
    public const int LeafEntries = MachineMemory.FrameSize / 8;

    private const int LeafShift = 11;
    // Leaves of the first 64 GiB are found by their number alone.
    private const int DirectLeaves = 1 << 11;

    private readonly MachineMemory _machine;
    private readonly int _domain;
    private readonly nint[] _direct = new nint[DirectLeaves];
    private readonly Lock _lock = new();
    private Dictionary<ulong, nint> _far = [];
    private readonly List<ulong> _leaves = [];

    /// <summary>An empty P2M; its leaves are frames of <paramref name="machine"/>, owned by <paramref name="domain"/>.</summary>
    public PhysicalToMachine(MachineMemory machine, int domain)
    {
        _machine = machine;
        _domain = domain;
    }

    /// <summary>Told, with a guest frame number, after an entry lost its frame or a right. The frame is released only when all who were told have returned.</summary>
    public Action<ulong>? Changed { get; set; }

    /// <summary>The entry of a guest frame; 0 where nothing is mapped.</summary>
    public P2mEntry this[ulong gpfn]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            nint leaf = Leaf(gpfn >> LeafShift);
            return leaf == 0 ? default : new P2mEntry(Volatile.Read(ref ((ulong*)leaf)[gpfn & (LeafEntries - 1)]));
        }
    }

    /// <summary>The machine address of a guest address: of memory, of a device's window (<see cref="Device"/>), or <see cref="Nothing"/>.</summary>
    public ulong Translate(ulong gpa, out P2mEntry entry)
    {
        entry = this[gpa >> MachineMemory.FrameShift];
        return entry.IsMemory ? entry.MachineAddress | (gpa & (MachineMemory.FrameSize - 1))
            : entry.IsDevice ? gpa | Device
            : Nothing | (gpa & (MachineMemory.FrameSize - 1));
    }

    /// <summary>Host address of <paramref name="length"/> bytes at a guest address, which do not leave their frame; null where they are no memory, or may not be written.</summary>
    public byte* Host(ulong gpa, int length, bool write)
    {
        const ulong Offset = MachineMemory.FrameSize - 1;
        if (length < 0 || (gpa & Offset) + (ulong)length > Offset + 1)
            return null;
        ulong machine = Translate(gpa, out P2mEntry entry);
        return entry.IsMemory && !(write && entry.IsReadOnly) ? _machine.Base + machine : null;
    }

    /// <summary>Sets an entry and returns the one before. Where that had a frame, <see cref="Changed"/> has been told before this returns.</summary>
    public P2mEntry Exchange(ulong gpfn, P2mEntry entry)
    {
        var old = new P2mEntry(Interlocked.Exchange(ref *Place(gpfn), entry.Value));
        if (old.IsMemory)
            Changed?.Invoke(gpfn);
        return old;
    }

    /// <summary>Sets an entry where it is <paramref name="expected"/> now; false, and nothing done, where it is not.</summary>
    public bool TryReplace(ulong gpfn, P2mEntry expected, P2mEntry entry)
    {
        if (Interlocked.CompareExchange(ref *Place(gpfn), entry.Value, expected.Value) != expected.Value)
            return false;
        if (expected.IsMemory)
            Changed?.Invoke(gpfn);
        return true;
    }

    /// <summary>Maps <paramref name="count"/> guest frames from <paramref name="gpfn"/> on to machine frames from <paramref name="mfn"/> on. They were not mapped before.</summary>
    public void MapRange(ulong gpfn, ulong mfn, ulong count)
    {
        for (ulong k = 0; k < count; k++)
            *Place(gpfn + k) = P2mEntry.Memory(mfn + k).Value;
    }

    /// <summary>The machine frame that holds the entries of <see cref="LeafEntries"/> guest frames from <paramref name="gpfn"/> on; null where there are none.</summary>
    public ulong? LeafFrame(ulong gpfn) => Leaf(gpfn >> LeafShift) is var leaf and not 0 ? (ulong)((byte*)leaf - _machine.Base) >> MachineMemory.FrameShift : null;

    /// <summary>Guest frame numbers that have an entry, with it, in ascending order. A moment's view.</summary>
    public IEnumerable<(ulong Gpfn, P2mEntry Entry)> Entries()
    {
        ulong[] leaves;
        lock (_lock)
            leaves = [.. _leaves.Order()];
        foreach (ulong leaf in leaves)
        {
            for (ulong k = 0; k < LeafEntries; k++)
            {
                P2mEntry entry = this[leaf << LeafShift | k];
                if (entry.Value != 0)
                    yield return (leaf << LeafShift | k, entry);
            }
        }
    }

    private nint Leaf(ulong number) =>
        number < DirectLeaves ? Volatile.Read(ref _direct[number])
        : Volatile.Read(ref _far).TryGetValue(number, out nint leaf) ? leaf : 0;

    private ulong* Place(ulong gpfn)
    {
        ulong number = gpfn >> LeafShift;
        nint leaf = Leaf(number);
        return (ulong*)(leaf != 0 ? leaf : AddLeaf(number)) + (gpfn & (LeafEntries - 1));
    }

    private nint AddLeaf(ulong number)
    {
        lock (_lock)
        {
            if (Leaf(number) is var known and not 0)
                return known;
            if (!_machine.TryTake(_domain, 1, huge: false, out ulong mfn))
                throw new IOException("no machine frame is left for a P2M");
            var leaf = (nint)_machine.Host(mfn);
            _leaves.Add(number);
            if (number < DirectLeaves)
                Volatile.Write(ref _direct[number], leaf);
            else
                Volatile.Write(ref _far, new Dictionary<ulong, nint>(_far) { [number] = leaf });
            return leaf;
        }
    }

    /// <summary>Gives the leaves back. The frames of the entries are their holders' to release; nobody looks anything up any more.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            foreach (ulong number in _leaves)
                _machine.Release(LeafFrame(number << LeafShift)!.Value);
            _leaves.Clear();
            Array.Clear(_direct);
            _far = [];
        }
    }
}

/// <summary>An entry of a P2M.</summary>
public readonly record struct P2mEntry(ulong Value)
{
    private const ulong Present = 1, ReadOnly = 1UL << 53, Foreign = 1UL << 54, DeviceWindow = 1UL << 55;
    // Accessed, dirty, privilege level 0, read and write (as Linux's own entries).
    private const ulong Rights = 1 << 5 | 1 << 6 | 2 << 9;
    private const ulong FrameMask = 0x0003_ffff_ffff_c000;

    /// <summary>Memory of the domain's own.</summary>
    public static P2mEntry Memory(ulong mfn) => new(mfn << MachineMemory.FrameShift | Rights | Present);

    /// <summary>Memory of another domain's (a grant, a foreign mapping).</summary>
    public static P2mEntry Of(ulong mfn, bool readOnly) => new(Memory(mfn).Value | Foreign | (readOnly ? ReadOnly : 0));

    /// <summary>A device's window.</summary>
    public static P2mEntry Window => new(DeviceWindow);

    /// <summary>True when there is memory.</summary>
    public bool IsMemory => (Value & Present) != 0;

    /// <summary>True when the memory is another domain's.</summary>
    public bool IsForeign => (Value & Foreign) != 0;

    /// <summary>True when the domain may not write the memory.</summary>
    public bool IsReadOnly => (Value & ReadOnly) != 0;

    /// <summary>True for a device's window.</summary>
    public bool IsDevice => (Value & DeviceWindow) != 0;

    /// <summary>The frame's machine address.</summary>
    public ulong MachineAddress => Value & FrameMask;

    /// <summary>Machine frame number.</summary>
    public ulong Mfn => MachineAddress >> MachineMemory.FrameShift;
}
