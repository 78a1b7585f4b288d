using FastXen.Core;
using FastXen.Loader.Images;
using FastXen.Mmu;
using FastXen.Smp;

namespace FastXen.Loader.Machines;

/// <summary>The machine of one power-on, whatever interface its guest finds: from its making to a power-off, a reboot or a crash.</summary>
internal interface IGuestMachine : IDisposable
{
    /// <summary>The processors, the boot processor first; those that are down are among them.</summary>
    IReadOnlyList<Vcpu> Processors { get; }

    /// <summary>Guest physical memory.</summary>
    PhysicalMemory Memory { get; }

    /// <summary>What of it is RAM, ascending.</summary>
    IReadOnlyList<MemoryRange> Ram { get; }

    /// <summary>Bytes of memory that the guest has now.</summary>
    ulong MemoryBytes { get; }

    /// <summary>Why the machine's run is over; <see cref="VcpuStop.None"/> before.</summary>
    VcpuStop StopReason { get; }

    /// <summary>The processors as things to schedule. <paramref name="stopped"/> is called when one of them has stopped that does not say so by its slice. Once.</summary>
    IReadOnlyList<ISchedulable> Work(Action<Vcpu> stopped);

    /// <summary>A processor has stopped; true when the machine's run is over. Once for each processor, on any thread.</summary>
    bool Stopped(Vcpu processor);

    /// <summary>After the run: what the guest wrote goes out, a crash is reported. Returns <see cref="StopReason"/>.</summary>
    VcpuStop Finish();

    /// <summary>Stops the machine as if its plug were pulled. Any thread.</summary>
    void RequestStop();

    /// <summary>Stops the machine as crashed, for a reason of the host's own. Any thread.</summary>
    void Fail(string reason) => Processors[0].Crash(reason);

    /// <summary>Stops the machine to be made anew. Any thread.</summary>
    void RequestReset();

    /// <summary>Asks the guest to shut itself down, or to reboot. False when it does not listen. Any thread.</summary>
    bool AskToShutDown(bool thenReboot);

    /// <summary>Asks the guest to have so many processors online, of those that it was made with. False where it cannot be asked. Any thread.</summary>
    bool AskForVcpus(int count) => false;

    /// <summary>Asks the guest to give memory back, or to take it again, until it has so many bytes. False where it cannot be asked. Any thread.</summary>
    bool AskForMemory(ulong bytes) => false;

    /// <summary>Why nothing can be asked of the guest, as a clause ("... : ask there"); null where there is no such reason. Any thread.</summary>
    string? CannotBeAsked => null;

    /// <summary>Asks the guest to suspend itself, so that it can be saved. False where it does not listen, or cannot be saved. Any thread.</summary>
    bool AskToSuspend() => false;

    /// <summary>Takes back <see cref="AskToSuspend"/>, where the guest has not noticed it. Any thread.</summary>
    void WithdrawSuspend()
    {
    }

    /// <summary>The run is over because the guest has suspended itself.</summary>
    bool HasSuspended => false;

    /// <summary>A machine that is kept although its guest has suspended itself is to go on: false where it is not one. Its run is to be ended then. Any thread.</summary>
    bool AskToGoOn() => false;

    /// <summary>After the run: true where <see cref="AskToGoOn"/> ended it; the machine may be run again.</summary>
    bool GoesOn() => false;

    /// <summary>Writes a machine that has suspended itself. What it cannot write is an <see cref="InvalidOperationException"/>.</summary>
    void Save(Stream to) => throw new InvalidOperationException("only a domain on the Xen interface can be saved");

    /// <summary>A machine that has suspended itself is to go on, as if the save had been called off: it may be run again.</summary>
    void Resume() => throw new InvalidOperationException("only a domain on the Xen interface suspends itself");
}
