using System.Collections.Concurrent;
using System.Diagnostics;
using FastXen.Xen.Memory;

namespace FastXen.Xen;

/// <summary>What the paravirtualized domains of the process have in common.</summary>
public sealed class XenHost
{
    private readonly long _start = Stopwatch.GetTimestamp();
    private readonly ConcurrentDictionary<XenDomain, ParavirtualMachine> _machines = new();

    /// <summary>The domains.</summary>
    public DomainDirectory Directory { get; } = new();

    /// <summary>The machine frames.</summary>
    public MachineFrames Frames { get; } = new();

    /// <summary>Nanoseconds since the host began: Xen's system time.</summary>
    public ulong SystemTime => (ulong)Stopwatch.GetElapsedTime(_start).Ticks * 100;

    /// <summary>The machine of a domain, or null where it is gone.</summary>
    public ParavirtualMachine? MachineOf(XenDomain domain) => _machines.GetValueOrDefault(domain);

    internal void Add(ParavirtualMachine machine) => _machines[machine.Domain] = machine;

    internal void Remove(ParavirtualMachine machine) => _machines.TryRemove(machine.Domain, out _);
}
