using FastXen.Events;
using FastXen.Platform.Uart;
using FastXen.Xen.EventChannels;

namespace FastXen.Xen.Console;

/// <summary>
/// The host's end of a domain's console: its ring, and the hypervisor's console (console_io). What the guest writes goes out on a thread of the pool,
/// so that a slow reader holds up no vCPU; a ring that nobody empties holds up its guest, and of console_io's text what does not fit is lost.
/// </summary>
public sealed class HostConsole : IHypervisorConsole, ICharacterInput, IEventSink, IThreadPoolWorkItem, IDisposable
{
    /// <summary>Bytes by console_io that wait to go out, at most.</summary>
    public const int WaitingSize = 64 << 10;

    private const int TypedSize = 1024, Piece = 512;

    private readonly ICharacterBackend far;
    private readonly Lock state = new(), serving = new();
    private readonly Queue<byte> waiting = new(), typed = new();
    private ParavirtualMachine? machine;
    private ConsoleRing? ring;
    private HostChannel? channel;
    private ulong frame;
    private int scheduled;
    private bool isClosed;

    /// <summary>A console without a domain yet. <paramref name="far"/>: who reads and types.</summary>
    public HostConsole(ICharacterBackend far)
    {
        ArgumentNullException.ThrowIfNull(far);
        this.far = far;
    }

    /// <summary>Told of what a write to the far end threw, which is no exception that the far end is to throw.</summary>
    public Action<Exception> Failed { get; init; } = static _ => { };

    /// <summary>
    /// Connects a domain. Its ring is in <paramref name="gpfn"/>, with the channel that waits at <paramref name="port"/>; port 0: it has none, and what is typed is
    /// for console_io. Once, before the domain runs.
    /// </summary>
    public unsafe void Open(ParavirtualMachine owner, ulong gpfn, int port)
    {
        ArgumentNullException.ThrowIfNull(owner);
        machine = owner;
        if (port != 0)
        {
            if (!owner.Domain.Memory.TryPin(gpfn, out byte* page))
                throw new ArgumentException($"frame {gpfn} is not the domain's", nameof(gpfn));
            frame = gpfn;
            ring = new ConsoleRing(page);
            channel = owner.Domain.EventChannels.BindHost(0, (uint)port, this);
        }

        far.Connect(this);
    }

    /// <summary>The guest has written into its ring. Any thread.</summary>
    public void Signal()
    {
        if (Interlocked.Exchange(ref scheduled, 1) == 0)
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    /// <inheritdoc/>
    public void Write(ReadOnlySpan<byte> text)
    {
        lock (state)
        {
            foreach (byte b in text[..Math.Min(text.Length, WaitingSize - waiting.Count)])
                waiting.Enqueue(b);
        }

        Signal();
    }

    /// <inheritdoc/>
    public int Read(Span<byte> destination)
    {
        lock (state)
        {
            int count = Math.Min(destination.Length, typed.Count);
            for (int k = 0; k < count; k++)
                destination[k] = typed.Dequeue();
            return count;
        }
    }

    /// <inheritdoc/>
    public int Offer(ReadOnlySpan<byte> bytes)
    {
        int count;
        lock (state)
        {
            if (isClosed)
                return 0;
            if (ring != null)
            {
                count = ring.Write(bytes);
            }
            else
            {
                count = Math.Min(bytes.Length, TypedSize - typed.Count);
                foreach (byte b in bytes[..count])
                    typed.Enqueue(b);
            }
        }

        if (count > 0 && ring != null)
            channel?.Notify();
        else if (count > 0)
            machine?.Domain.EventChannels.SendVirq(Virq.Console);
        return count;
    }

    /// <inheritdoc/>
    void IThreadPoolWorkItem.Execute()
    {
        try
        {
            Flush();
        }
#pragma warning disable CA1031 // Something of this console broke: its domain ends, the process does not.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Failed(e);
        }
    }

    /// <summary>Lets out what the guest has written so far.</summary>
    public void Flush()
    {
        Span<byte> piece = stackalloc byte[Piece];
        lock (serving)
        {
            // Before the look at what there is: a signal from now on counts again.
            Interlocked.Exchange(ref scheduled, 0);
            // As much as a ring holds, so that a guest that writes without end keeps this thread no longer than others.
            for (int done = 0; done < ConsoleRing.OutputSize; done += Piece)
            {
                int count = Take(piece);
                if (count == 0)
                    return;
                far.Write(piece[..count]);
            }
        }

        Signal();
    }

    // On the thread that serves.
    private int Take(Span<byte> piece)
    {
        int count = 0;
        bool wasFilling;
        lock (state)
        {
            while (count < piece.Length && waiting.TryDequeue(out byte b))
                piece[count++] = b;
            if (count != 0 || ring == null || isClosed)
                return count;
            wasFilling = ring.IsFilling;
            count = ring.Read(piece);
        }

        // There is room again. Not for every piece of text: mini-os has no handlers yet when it prints its first lines.
        if (wasFilling)
            channel?.Notify();
        return count;
    }

    /// <summary>Lets the page and the channel go. After the vCPUs have stopped.</summary>
    public void Dispose()
    {
        lock (serving)
        {
            lock (state)
            {
                if (isClosed)
                    return;
                isClosed = true;
            }

            channel?.Close();
            if (ring != null)
                machine!.Domain.Memory.Unpin(frame);
        }
    }
}
