using FastXen.Core;
using FastXen.Core.State;

namespace FastXen.Platform;

/// <summary>The machine's life: its processors run until one of them stops for a reason that concerns all.</summary>
public sealed partial class PlatformMachine
{
    private int running;
    private volatile int ended;

    /// <summary>Why the machine's run is over; <see cref="VcpuStop.None"/> before.</summary>
    public VcpuStop StopReason => (VcpuStop)ended;

    /// <summary>
    /// Runs until the guest powers off, reboots, halts or crashes, or <see cref="RequestStop"/> is called. Each processor has a host thread, that of the
    /// boot processor is the caller's; deterministic ones take turns on the caller's.
    /// </summary>
    public VcpuStop Run()
    {
        if (Deterministic && Processors.Count > 1)
        {
            TakeTurns();
            return Finish();
        }

        foreach (Vcpu processor in Processors)
            processor.Overcommitted = Processors.Count > Environment.ProcessorCount;
        Thread[] threads = [.. Processors.Skip(1).Select((processor, n) => new Thread(() => RunProcessor(processor)) { IsBackground = true, Name = $"vcpu-{n + 1}" })];
        foreach (Thread thread in threads)
            thread.Start();
        RunProcessor(Processor);
        foreach (Thread thread in threads)
            thread.Join();
        return Finish();
    }

    /// <summary>
    /// A processor has stopped (its slice returned <see cref="VcpuPause.Stopped"/>): one that only halted leaves the others running, else all are asked to
    /// stop. True when the machine's run is over. To be called once for each processor, on any thread.
    /// </summary>
    public bool Stopped(Vcpu processor)
    {
        ArgumentNullException.ThrowIfNull(processor);
        // An operating system halts on its boot processor; others halt when they are to be out of the way.
        bool last = Interlocked.Decrement(ref running) == 0;
        if (processor.StopReason == VcpuStop.Halted && processor != Processor && !last)
            return ended != 0;
        Interlocked.CompareExchange(ref ended, (int)processor.StopReason, (int)VcpuStop.None);
        foreach (Vcpu other in Processors)
            other.RequestStop((VcpuStop)ended);
        return true;
    }

    /// <summary>After all processors have stopped: what the guest wrote goes out, and a crash is reported. Returns <see cref="StopReason"/>.</summary>
    public VcpuStop Finish()
    {
        uart.Flush();
        // Also when the last of the output was what failed.
        if (StateDump.OfCrashed(Processors) is { } crash)
            Report(crash);
        return StopReason;
    }

    /// <summary>Stops the machine from outside. Any thread.</summary>
    public void RequestStop() => Processor.RequestStop(VcpuStop.Requested);

    /// <summary>Pulls the reset line: the machine stops to be made anew. Any thread.</summary>
    public void RequestReset() => Processor.RequestStop(VcpuStop.Reboot);

    // An invariant of a device broke, on a device thread: as one that breaks on a vCPU's.
    private void DeviceFailed(Exception exception) => Processor.Crash($"internal error: {exception}");

    // Deterministic processors, all on this thread.
    private void TakeTurns()
    {
        try
        {
            new TurnTaking(Processors) { Stopped = processor => Stopped(processor) }.Run();
        }
#pragma warning disable CA1031 // As below.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Processor.Crash($"internal error: {e}");
            Stopped(Processor);
        }
    }

    private void RunProcessor(Vcpu processor)
    {
        try
        {
            processor.Run();
        }
#pragma warning disable CA1031 // An invariant of the engine or of a device broke: this domain ends with a dump, the process does not.
        catch (Exception e)
#pragma warning restore CA1031
        {
            processor.Crash($"internal error: {e}");
        }

        Stopped(processor);
    }
}
