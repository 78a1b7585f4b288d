using System.Text;
using FastXen.Core;
using FastXen.Core.Tests.SystemLevel;
using FastXen.Xen.Console;

namespace FastXen.Xen.Tests.Processor;

/// <summary>
/// A small kernel on the hypervisor: it starts at <see cref="Code"/> in metaphysical mode with the window of shared registers at <see cref="Window"/>, its vectors
/// at <see cref="Vectors"/>, a place for results in r20, and ends itself by a shutdown.
/// </summary>
internal sealed class Kernel : IDisposable
{
    public const ulong Code = 0x10_0000, Vectors = 0x11_0000, Others = 0x12_0000, Results = 0x20_0000, Window = 0xffff_ffff_fff0_0000;

    /// <summary>Its begin. r21: the shared registers; r22: the vCPU's part of shared_info.</summary>
    public const string Prologue = """
        movl r28=0xfffffffffff00000 ;;
        mov r2=0x600 ;;
        break 0x1000 ;;
        movl r20=0x200000 ;;
        movl r21=0xfffffffffff04000 ;;
        movl r22=0xfffffffffff00000 ;;
        movl r3=0x110000 ;;
        mov cr.iva=r3 ;;
        alloc r3=ar.pfs,0,8,0,0 ;;

        """;

    /// <summary>Stores a register as the next result.</summary>
    public static string Say(string register) => $"st8 [r20]={register},8 ;;\n";

    /// <summary>Ends the domain: sched_op_compat(shutdown, poweroff).</summary>
    public const string Stop = """
        alloc r3=ar.pfs,0,8,0,0 ;;
        mov r32=2 ;;
        mov r33=0 ;;
        mov r2=6 ;;
        break 0x1000 ;;

        """;

    private readonly XenHost _host = new();
    private readonly Recorder _console = new();

    public ParavirtualMachine Machine { get; }

    /// <summary>How the first vCPU stopped.</summary>
    public VcpuStop Stopped { get; private set; }

    /// <summary>Loads a program and handlers by vector, and runs them until the domain ends.</summary>
    public Kernel(EngineKind engine, string program, params (int Vector, string Code)[] handlers)
        : this(engine, isPrivileged: false, program, handlers)
    {
    }

    /// <summary>As dom0 where it is privileged.</summary>
    public Kernel(EngineKind engine, bool isPrivileged, string program, params (int Vector, string Code)[] handlers)
    {
        Machine = new ParavirtualMachine(_host, (ushort)(isPrivileged ? 0 : 1), new ParavirtualConfiguration
        {
            Memory = 16 << 20,
            Engine = engine,
            Deterministic = true,
            Console = _console,
            IsPrivileged = isPrivileged,
        });
        Machine.Domain.Memory.Write(Code, Assembly.Of(Prologue + program));
        foreach ((int vector, string code) in handlers)
            Machine.Domain.Memory.Write(Vectors + (ulong)vector, Assembly.Of(code));
        Machine.Boot(Code, 0);
        Machine.Vcpus[0].Processor.RunLimit = 1_000_000;
        Stopped = Machine.Vcpus[0].Processor.Run();
    }

    /// <summary>
    /// Loads a program and one for the other vCPUs, at <see cref="Others"/>, and runs them in real time until the domain ends. The first program starts the others.
    /// </summary>
    public Kernel(EngineKind engine, int vcpus, string program, string others)
    {
        Machine = new ParavirtualMachine(_host, 1, new ParavirtualConfiguration { Memory = 16 << 20, Vcpus = vcpus, Engine = engine });
        Machine.Domain.Memory.Write(Code, Assembly.Of(Prologue + program));
        Machine.Domain.Memory.Write(Others, Assembly.Of(others));
        List<Thread> threads = [];
        Machine.Started = vcpu =>
        {
            if (vcpu.Number == 0)
                return;
            var thread = new Thread(() => vcpu.Processor.Run());
            threads.Add(thread);
            thread.Start();
        };
        Machine.Boot(Code, 0);
        // A program that goes wrong ends, too.
        using var limit = new Timer(_ => Machine.Shutdown(ShutdownReason.Crash), null, 20_000, Timeout.Infinite);
        Stopped = Machine.Vcpus[0].Processor.Run();
        Machine.Shutdown(ShutdownReason.PowerOff);
        threads.ForEach(thread => thread.Join());
    }

    /// <summary>A result that the program stored.</summary>
    public ulong Result(int index)
    {
        Assert.True(Machine.Domain.Memory.TryRead(Results + 8 * (ulong)index, out ulong value));
        return value;
    }

    /// <summary>What it wrote on the hypervisor's console.</summary>
    public string Written => _console.Text.ToString();

    public void Dispose() => Machine.Dispose();

    private sealed class Recorder : IHypervisorConsole
    {
        public StringBuilder Text { get; } = new();

        public void Write(ReadOnlySpan<byte> text) => Text.Append(Encoding.ASCII.GetString(text));

        public int Read(Span<byte> destination) => 0;
    }
}
