using System.Numerics;
using FastXen.Events;
using FastXen.Xen.Memory;

namespace FastXen.Xen.EventChannels;

/// <summary>
/// The event channels of a domain. Operations return 0 or a port, or a negative error as the hypervisor's do (public header
/// event_channel.h).
/// </summary>
/// <remarks>
/// Binding and closing take the lock of the domain, or of both domains in the order of their identifiers. Sending takes none: the
/// sender reads its own port's word, then enters the receiving port (a count in its word, which only succeeds while that port is
/// bound to the sender's), sets the bits and leaves. Closing first makes the word unenterable, then waits for the senders that are
/// inside, which is a few instructions, and only then clears the pending bit and frees the port: so no bit is set for a port after
/// it was closed, and none for what it is bound to next.
/// </remarks>
public sealed partial class EventChannelTable
{
    /// <summary>Ports of a domain.</summary>
    public const int MaximumPorts = 4096;

    /// <summary>Physical interrupts of a domain.</summary>
    public const int Pirqs = 256;

    // Ports come into being in groups; those of groups that do not exist are invalid, not closed.
    private const int GroupSize = 128;

    private readonly XenDomain domain;
    private readonly IVcpuSignal signal;
    private readonly SharedInfo shared;
    private readonly Lock changes = new();
    private readonly Channel[]?[] groups = new Channel[]?[MaximumPorts / GroupSize];
    private readonly ulong[] used = new ulong[MaximumPorts / 64];
    private readonly ushort[] virqPorts;
    private ushort[]? pirqPorts;
    private volatile int validPorts;
    private bool isDying;

    internal unsafe EventChannelTable(XenDomain domain, IVcpuSignal signal)
    {
        ArgumentNullException.ThrowIfNull(signal);
        this.domain = domain;
        this.signal = signal;
        shared = new SharedInfo(domain.Memory.AddFixed(Frame.WindowStart));
        shared.MaskAllUpcalls();
        // The domain's vCPUs may come later.
        virqPorts = new ushort[XenDomain.MaximumVcpus * Virq.Count];
        polledPorts = new int[XenDomain.MaximumVcpus];
        Take(AllocatePort(), ChannelWord.Of(ChannelState.Reserved));
    }

    private struct Channel
    {
        public ulong Word;
        public HostChannel? Host;
    }

    /// <summary>The domain's physical interrupts; null when it has none.</summary>
    public IPirqController? PirqController { get; set; }

    private ref Channel At(int port) => ref groups[port / GroupSize]![port % GroupSize];

    private ChannelWord Read(int port) => new(Volatile.Read(ref At(port).Word));

    private bool IsValid(uint port) => port < (uint)validPorts;

    // Under the lock. The lowest free port, or a negative error.
    private int AllocatePort()
    {
        if (isDying)
            return -Errno.EINVAL;
        for (int word = 0; word < used.Length; word++)
        {
            if (used[word] == ulong.MaxValue)
                continue;
            int port = word * 64 + BitOperations.TrailingZeroCount(~used[word]);
            if (port >= validPorts)
            {
                Volatile.Write(ref groups[port / GroupSize], new Channel[GroupSize]);
                validPorts += GroupSize;
            }
            return port;
        }
        return -Errno.ENOSPC;
    }

    private int Take(int port, ChannelWord word)
    {
        used[port / 64] |= 1UL << port;
        Set(port, word);
        return port;
    }

    // Under the lock. Senders that are inside stay counted.
    private void Set(int port, ChannelWord word)
    {
        ref ulong place = ref At(port).Word;
        ulong old = Volatile.Read(ref place);
        while (true)
        {
            ulong seen = Interlocked.CompareExchange(ref place, word.WithSendersOf(new ChannelWord(old)).Value, old);
            if (seen == old)
                return;
            old = seen;
        }
    }

    // Under the lock. After it nobody is inside the port and nobody can enter.
    private void Shut(int port)
    {
        Set(port, ChannelWord.Of(ChannelState.Closing));
        var wait = new SpinWait();
        while (Read(port).HasSenders)
            wait.SpinOnce();
    }

    // Enters a port that is bound as given, and keeps it so until Leave.
    internal bool TryEnter(int port, ChannelWord binding, out ChannelWord found)
    {
        ref ulong place = ref At(port).Word;
        ulong old = Volatile.Read(ref place);
        var wait = new SpinWait();
        while (true)
        {
            found = new ChannelWord(old);
            if (!found.IsBoundAs(binding))
                return false;
            if (found.IsFull)
            {
                wait.SpinOnce();
                old = Volatile.Read(ref place);
                continue;
            }
            ulong seen = Interlocked.CompareExchange(ref place, old + ChannelWord.OneSender, old);
            if (seen == old)
                return true;
            old = seen;
        }
    }

    internal void Leave(int port) => Interlocked.Add(ref At(port).Word, unchecked(0 - ChannelWord.OneSender));

    // Sets a port's bits on behalf of whatever it is bound to. False when it is not bound so (any more).
    private bool Raise(int port, ChannelWord binding, HostChannel? from = null)
    {
        if (!TryEnter(port, binding, out ChannelWord word))
            return false;
        bool isFor = from == null || At(port).Host == from;
        ulong wake = isFor ? SetPending(port, word.Vcpu) : 0;
        Leave(port);
        Wake(wake);
        return isFor;
    }

    private void Wake(ulong vcpus)
    {
        for (; vcpus != 0; vcpus &= vcpus - 1)
            signal.Notify(BitOperations.TrailingZeroCount(vcpus));
    }

    // The vCPUs to wake, as a set.
    private ulong SetPending(int port, int vcpu)
    {
        if (!shared.SetPending(port))
            return 0;
        ulong wake = !shared.IsMasked(port) && shared.Raise(vcpu, port) ? 1UL << vcpu : 0;
        return wake | TakePollers(port);
    }
}
