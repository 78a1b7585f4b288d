using FastXen.Events;
using FastXen.Mmu;
using FastXen.Xen.Memory;

namespace FastXen.Xen.Tests;

/// <summary>Domains without processors: tests play the vCPUs.</summary>
internal sealed class Machine : IDisposable
{
    public const int Megabyte = 1 << 20;

    private readonly List<Guest> guests = [];

    public MachineFrames Frames { get; } = new();

    public DomainDirectory Directory { get; } = new();

    /// <summary>A domain with all of its memory populated.</summary>
    public Guest Add(ushort id, int vcpus = 1, bool isPrivileged = false, int frames = 64)
    {
        var arena = new PhysicalMemory((ulong)frames << Frame.Shift);
        arena.AddRam(0, arena.Span);
        var memory = new DomainMemory(arena, Frames);
        for (ulong gpfn = 0; gpfn < (ulong)frames; gpfn++)
            Assert.True(memory.Populate(gpfn));
        var guest = new Guest(Directory, id, memory, vcpus, isPrivileged);
        guests.Add(guest);
        return guest;
    }

    public void Dispose()
    {
        foreach (Guest guest in guests)
            guest.Domain.Destroy();
    }
}

/// <summary>A domain, with a recorder of what its vCPUs and TLBs are told.</summary>
internal sealed unsafe class Guest : IVcpuSignal, IP2mObserver
{
    private readonly int[] notified;

    public Guest(DomainDirectory directory, ushort id, DomainMemory memory, int vcpus, bool isPrivileged)
    {
        notified = new int[vcpus];
        Domain = new XenDomain(directory, id, memory, vcpus, this, isPrivileged);
        memory.Observer = this;
    }

    public XenDomain Domain { get; }

    public DomainMemory Memory => Domain.Memory;

    public List<P2mChange> Changes { get; } = [];

    public byte* SharedInfo => Memory.Lookup(Frame.WindowStart).Host;

    public int Notified(int vcpu = 0) => Volatile.Read(ref notified[vcpu]);

    public ref byte UpcallPending(int vcpu = 0) => ref SharedInfo[48 * vcpu];

    public ref byte UpcallMask(int vcpu = 0) => ref SharedInfo[48 * vcpu + 1];

    public ref ulong Selector(int vcpu = 0) => ref *(ulong*)(SharedInfo + 48 * vcpu + 8);

    public ref ulong Pending(int word) => ref *(ulong*)(SharedInfo + 0xc00 + 8 * word);

    public ref ulong Mask(int word) => ref *(ulong*)(SharedInfo + 0xe00 + 8 * word);

    public bool IsPending(int port) => (Volatile.Read(ref Pending(port / 64)) >> port & 1) != 0;

    /// <summary>The guest's handler: takes the pending bits of a vCPU's selected words.</summary>
    public List<int> TakeEvents(int vcpu = 0)
    {
        var ports = new List<int>();
        Interlocked.Exchange(ref UpcallPending(vcpu), 0);
        ulong selected = Interlocked.Exchange(ref Selector(vcpu), 0);
        for (int word = 0; word < 64; word++)
        {
            if ((selected >> word & 1) == 0)
                continue;
            ulong bits = Interlocked.Exchange(ref Pending(word), 0);
            for (int bit = 0; bit < 64; bit++)
            {
                if ((bits >> bit & 1) != 0)
                    ports.Add(word * 64 + bit);
            }
        }
        return ports;
    }

    public byte* Host(ulong gpfn) => Memory.Lookup(gpfn).Host;

    void IVcpuSignal.Notify(int vcpu) => Interlocked.Increment(ref notified[vcpu]);

    void IP2mObserver.Changed(ReadOnlySpan<P2mChange> changes)
    {
        lock (Changes)
            Changes.AddRange(changes);
    }
}
