using System.Collections.Concurrent;
using FastXen.Core.Interpret;

namespace FastXen.Core;

/// <summary>What other processors and devices do to a vCPU's translations and code: it is asked, and does it itself at its next look-point.</summary>
public sealed unsafe partial class Vcpu
{
    // A vCPU that does not run for long forgets all of its code instead.
    private const int MostWritten = 1024;

    private readonly ConcurrentQueue<(ulong Address, ulong Length)> written = new();
    private int writtenCount;
    private ulong changedStart, changedEnd;
    private bool changesTold;

    /// <summary>The processors that this one shares memory and translations with.</summary>
    public CoherenceDomain Domain { get; }

    internal PurgeMailbox Purges { get; } = new();

    /// <summary>fc, fc.i of a range: its code is forgotten here at once, and on the other processors by the next <see cref="SynchronizeCode"/> at the latest.</summary>
    internal void FlushCode(ulong address, ulong length)
    {
        Code.Forget(address, length);
        if (State->Shared == 0)
            return;
        // The lines of a page come one by one.
        if (address != changedEnd || changedStart == changedEnd)
        {
            TellChanged();
            changedStart = address;
        }

        changedEnd = address + length;
    }

    /// <summary>sync.i: all processors have forgotten what this one flushed (SDM vol 3, sync).</summary>
    internal void SynchronizeCode()
    {
        if (State->Shared == 0)
            return;
        TellChanged();
        if (!changesTold)
            return;
        changesTold = false;
        Domain.Synchronize(this);
    }

    private void TellChanged()
    {
        if (changedStart == changedEnd)
            return;
        Domain.Changed(this, changedStart, changedEnd - changedStart);
        changedStart = changedEnd = 0;
        changesTold = true;
    }

    /// <summary>Does the purges that others asked for. The vCPU's own thread, outside of translated code or in a handler that ends its run.</summary>
    internal void ServePurges()
    {
        if (!Purges.IsAsked)
            return;
        if (Purges.Serve(State->Mmu))
            Alat.Clear(State);
        State->FetchVa = CodePage.NoAddress;
    }

    // Devices and other vCPUs write on their own threads; the vCPU forgets the code before it looks at the interrupt that tells of the write.
    internal void OnWritten(ulong address, ulong length)
    {
        // What is counted is in the queue, or there are too many.
        if (Volatile.Read(ref writtenCount) < MostWritten)
            written.Enqueue((address, length));
        Interlocked.Increment(ref writtenCount);
        Interlocked.Exchange(ref State->Deadline, 0);
    }

    private void ForgetWritten()
    {
        if (Volatile.Read(ref writtenCount) == 0)
            return;
        if (Interlocked.Exchange(ref writtenCount, 0) >= MostWritten)
        {
            written.Clear();
            Code.Clear();
            return;
        }

        while (written.TryDequeue(out (ulong Address, ulong Length) range))
            Code.Forget(range.Address, range.Length);
    }
}
