using FastXen.Core;
using FastXen.Core.Tests.SystemLevel;
using FastXen.Xen.Tests.Processor;

namespace FastXen.Xen.Tests.Protection;

/// <summary>Two domains that wait for one another to forget frames serve one another meanwhile.</summary>
public sealed class MutualWaitTests
{
    private const ulong Code = 0x10_0000, Reservation = 0x20_0000, List = 0x20_4000, Target = 500UL << 14;
    private const int Rounds = 300;

    [Theory]
    [InlineData(EngineKind.Interpreter)]
    [InlineData(EngineKind.Translator)]
    public void Domains_that_take_frames_from_one_another_go_on(EngineKind engine)
    {
        var host = new XenHost();
        using ParavirtualMachine first = Make(host, 1, other: 2, engine), second = Make(host, 2, other: 1, engine);
        Thread[] threads = [Start(first), Start(second)];
        bool ended = threads.All(static thread => thread.Join(TimeSpan.FromMinutes(1)));
        foreach (ParavirtualMachine machine in (ParavirtualMachine[])[first, second])
            machine.Vcpus[0].Processor.RequestStop(VcpuStop.Crashed);
        Assert.True(ended);
        Assert.Equal((VcpuStop.PowerOff, VcpuStop.PowerOff), (first.Vcpus[0].Processor.StopReason, second.Vcpus[0].Processor.StopReason));
        Assert.Equal((1024L, 1024L), (first.Domain.Memory.Populated, second.Domain.Memory.Populated));
    }

    private static Thread Start(ParavirtualMachine machine)
    {
        var thread = new Thread(() => machine.Vcpus[0].Processor.Run());
        thread.Start();
        return thread;
    }

    // Uses its own frame 500, takes the other's away and gives it back.
    private static ParavirtualMachine Make(XenHost host, ushort id, ulong other, EngineKind engine)
    {
        var machine = new ParavirtualMachine(host, id, new ParavirtualConfiguration { Memory = 16 << 20, Engine = engine, IsPrivileged = true });
        machine.Domain.Memory.TryWrite(Reservation, 1UL << 63 | List);
        machine.Domain.Memory.TryWrite(Reservation + 8, 1UL);
        machine.Domain.Memory.TryWrite(Reservation + 24, other);
        machine.Domain.Memory.TryWrite(List, Target >> 14);
        machine.Domain.Memory.Write(Code, Assembly.Of($"""
            alloc r3=ar.pfs,0,8,0,0 ;;
            movl r14={Target} ;;
            mov r15={Rounds - 1} ;;
            mov ar.lc=r15 ;;
            1:
            ld8 r16=[r14] ;;
            mov r32=1 ;;
            movl r33={1UL << 63 | Reservation} ;;
            mov r2=12 ;;
            break 0x1000 ;;
            ld8 r16=[r14] ;;
            mov r32=6 ;;
            mov r2=12 ;;
            break 0x1000 ;;
            br.cloop.sptk 1b ;;
            {Kernel.Stop}
            """));
        machine.Boot(Code, 0);
        return machine;
    }
}
