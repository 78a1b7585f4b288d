using System.Diagnostics;
using FastXen.Core.State;
using FastXen.Events;

namespace FastXen.Core;

/// <summary>What traces tell of a vCPU. The methods are called behind a test of <see cref="Tracing"/>.</summary>
public sealed unsafe partial class Vcpu
{
    private static readonly string[] PauseNames = Enum.GetNames<VcpuPause>();

    private bool started;
    private ulong slotsAtSwitch;
    private long switchedIn, runNanoseconds;
    private readonly long[] pauses = new long[PauseNames.Length];

    /// <summary>Number of the domain, by which traces name it.</summary>
    public int DomainNumber { get; set; }

    /// <summary>Number in the domain.</summary>
    public int Number { get; set; }

    /// <summary>Time for which it had a host thread, in the slices that ended, nanoseconds. Any thread.</summary>
    public long RunNanoseconds => Volatile.Read(ref runNanoseconds);

    /// <summary>Slices that ended, by <see cref="VcpuPause"/>. Any thread; a moment's view.</summary>
    public IEnumerable<(string Reason, long Count)> Pauses => PauseNames.Zip(pauses).Where(static pair => pair.Second != 0);

    /// <summary>Returns from translated code, by reason. Any thread; a moment's view.</summary>
    public IEnumerable<(string Reason, long Count)> Exits => dispatcher?.Counts.ByReason() ?? [];

    private void TraceSwitchIn()
    {
        switchedIn = Stopwatch.GetTimestamp();
        Tracing.Run(DomainNumber, Number);
        if (Tracing.Lifecycle && !started)
            FastXenEventSource.Log.VcpuStarted(DomainNumber, Number, State->Ip);
        started = true;
        slotsAtSwitch = State->Retired;
        if (Tracing.Scheduling)
            FastXenEventSource.Log.SwitchIn(DomainNumber, Number, Environment.CurrentManagedThreadId);
    }

    private void TraceSwitchOut()
    {
        Volatile.Write(ref runNanoseconds, runNanoseconds + (long)Since(switchedIn));
        pauses[(int)pause]++;
        if (Tracing.Exits)
            dispatcher?.Counts.TraceExits(pause == VcpuPause.Stopped);
        if (Tracing.Scheduling)
            FastXenEventSource.Log.SwitchOut(DomainNumber, Number, Environment.CurrentManagedThreadId, State->Retired - slotsAtSwitch, PauseNames[(int)pause]);
        if (Tracing.Lifecycle && pause == VcpuPause.Stopped)
            FastXenEventSource.Log.VcpuStopped(DomainNumber, Number, State->Retired, StopReason.ToString());
    }

    private FirmwareReturn CallTraced(IFirmware firmware, uint service)
    {
        if (!Tracing.Firmware)
            return firmware.Call(this, service);
        // PAL's static convention has the index in r28, the others have arguments on the stack.
        ulong index = service == 0 ? State->Gr[28] : Argument(0);
        long begin = Stopwatch.GetTimestamp();
        FirmwareReturn result = firmware.Call(this, service);
        FastXenEventSource.Log.FirmwareCall(DomainNumber, Number, (int)service, index, State->Gr[8], Since(begin));
        return result;
    }

    internal void TraceInterrupt(byte vector) => FastXenEventSource.Log.InterruptInjected(DomainNumber, Number, vector);

    /// <summary>Before IP leaves the interrupted code.</summary>
    internal static void TraceInterruption(VcpuState* s, Vector vector, ulong isr)
    {
        if (vector >= Vector.InstructionKeyMiss)
        {
            if (Tracing.Interruptions)
                FastXenEventSource.Log.Interruption(Tracing.Domain, Tracing.Vcpu, (int)vector, s->Ip, isr, s->Cr[Cr.Ifa]);
        }
        else if (Tracing.TlbMisses)
        {
            FastXenEventSource.Log.TlbMiss(Tracing.Domain, Tracing.Vcpu, (int)vector, s->Cr[Cr.Ifa], s->Ip);
        }
    }

    internal static void TraceDevice(string device, bool write, ulong address, int size, ulong value, long begin) =>
        FastXenEventSource.Log.DeviceAccess(Tracing.Domain, Tracing.Vcpu, write ? 1 : 0, size, address, value, Since(begin), device);

    internal static void TraceRegion(int slots, int bytes, ulong address, long begin) =>
        FastXenEventSource.Log.RegionTranslated(Tracing.Domain, Tracing.Vcpu, slots, bytes, address, Since(begin));

    // Timestamps are nanoseconds on Linux.
    private static ulong Since(long begin) => (ulong)(Stopwatch.GetTimestamp() - begin);
}
