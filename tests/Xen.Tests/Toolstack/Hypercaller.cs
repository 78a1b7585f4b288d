using System.Runtime.CompilerServices;
using FastXen.Xen.Console;
using FastXen.Xen.Hypercalls;
using FastXen.Xen.Memory;

namespace FastXen.Xen.Tests.Toolstack;

/// <summary>The kernel of a domain that makes hypercalls: its arguments are in its memory, at <see cref="Argument"/> unless a test says otherwise.</summary>
internal sealed unsafe class Hypercaller : IDisposable
{
    public const ulong Argument = 0x8000;

    private const ulong InlineTag = 1UL << 63;

    public Hypercaller(XenHost host, ushort id, bool isPrivileged = false, ulong memory = 1 << 20, ulong? maximum = null, IHypervisorConsole? console = null)
    {
        Host = host;
        Machine = new ParavirtualMachine(host, id, new ParavirtualConfiguration { Memory = memory, MaximumMemory = maximum, IsPrivileged = isPrivileged, Console = console });
    }

    public XenHost Host { get; }

    public ParavirtualMachine Machine { get; }

    public XenDomain Domain => Machine.Domain;

    public DomainMemory Memory => Domain.Memory;

    /// <summary>How many times the last hypercall was executed.</summary>
    public int Executions { get; private set; }

    /// <summary>The handle of an address.</summary>
    public static ulong At(ulong address) => InlineTag | address;

    /// <summary>Executes a hypercall until it is over.</summary>
    public long Call(ulong number, params ReadOnlySpan<ulong> arguments)
    {
        var call = new HypercallFrame { Vcpu = Machine.Vcpus[0].State, State = Machine.Vcpus[0].Processor.State, Number = number };
        for (int k = 0; k < arguments.Length; k++)
            call.Arguments[k] = arguments[k];
        for (Executions = 1; ; Executions++)
        {
            long result = Hypercall.Call(&call);
            if (!call.Again)
                return result;
            call.Again = false;
        }
    }

    /// <summary>Executes a hypercall with a command and a structure; what the hypervisor wrote is in the structure afterwards.</summary>
    public long Call<T>(ulong number, ulong command, ref T structure) where T : unmanaged
    {
        Assert.True(Memory.TryWrite(Argument, structure));
        long result = Call(number, command, At(Argument));
        Assert.True(Memory.TryRead(Argument, out structure));
        return result;
    }

    /// <summary>Puts an array into its memory.</summary>
    public void Put<T>(ulong address, params ReadOnlySpan<T> values) where T : unmanaged
    {
        for (int k = 0; k < values.Length; k++)
            Assert.True(Memory.TryWrite(address + (ulong)(k * Unsafe.SizeOf<T>()), values[k]));
    }

    /// <summary>Reads a value of its memory.</summary>
    public T Get<T>(ulong address) where T : unmanaged
    {
        Assert.True(Memory.TryRead(address, out T value));
        return value;
    }

    /// <summary>True when an event channel was pending; not any more.</summary>
    public bool Take(int port)
    {
        const ulong Pending = (Frame.WindowStart << Frame.Shift) + 0xc00;
        ulong word = Get<ulong>(Pending);
        Put(Pending, word & ~(1UL << port));
        return (word >> port & 1) != 0;
    }

    public void Dispose() => Machine.Dispose();
}
