using FastXen.Core.Interpret;

namespace FastXen.Core;

/// <summary>What other processors and devices do to a vCPU's translations and code: it is asked, and does it itself at its next look-point.</summary>
public sealed unsafe partial class Vcpu
{
    private bool flushedCode;

    /// <summary>The processors that this one shares memory and translations with.</summary>
    public CoherenceDomain Domain { get; }

    internal PurgeMailbox Purges { get; } = new();

    /// <summary>fc, fc.i of a range: its code is forgotten here at once, and on the other processors by the next <see cref="SynchronizeCode"/> at the latest.</summary>
    internal void FlushCode(ulong address, ulong length) => flushedCode |= Code.Forget(address, length);

    /// <summary>
    /// sync.i: no processor runs any more what this one flushed (SDM vol 3, sync). One that has been told by memory and executes srlz.i would not need that; software that
    /// omits the srlz.i works on processors, too.
    /// </summary>
    internal void SynchronizeCode()
    {
        if (flushedCode && State->Shared != 0)
            Domain.Synchronize(this);
        flushedCode = false;
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
}
