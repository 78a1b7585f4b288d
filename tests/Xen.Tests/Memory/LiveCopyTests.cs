using FastXen.Core;
using FastXen.Core.Tests.SystemLevel;
using FastXen.Xen.Grants;
using FastXen.Xen.Memory;
using FastXen.Xen.Processor;

namespace FastXen.Xen.Tests.Memory;

/// <summary>
/// The memory of a domain is copied while its vCPUs, the hypervisor and a backend write: first all of it, then what the log says, then, when nobody writes any more, the rest. The copy is
/// then the memory.
/// </summary>
public sealed unsafe class LiveCopyTests
{
    private const int Vcpus = 2, Rounds = 8, Frames = 1 << 10;
    private const ulong Code = 0x10_0000, CodeStep = 0x1_0000, Progress = 0x20_0000, Pages = 0x40_0000, PagesStep = 0x40_0000, Noted = 0x30_0000, Granted = 0x34_0000;
    private const uint Reference = 8;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    [Theory]
    [InlineData(EngineKind.Interpreter)]
    [InlineData(EngineKind.Translator)]
    public void A_copy_of_the_dirty_rounds_is_the_memory(EngineKind engine)
    {
        using var machine = new ParavirtualMachine(new XenHost(), 1, new ParavirtualConfiguration { Memory = (ulong)Frames << Frame.Shift, Vcpus = Vcpus, Engine = engine });
        DomainMemory memory = machine.Domain.Memory;
        machine.Domain.Grants.SetUp(1);
        const uint Permit = 1;
        var entry = (uint*)(memory.Lookup(GrantTable.FirstFrame).Host + (8 * Reference));
        entry[1] = (uint)(Granted >> Frame.Shift);
        entry[0] = Permit | (uint)DomainIds.Host << 16;
        using var running = new Running(machine);
        Turn();

        Assert.True(memory.BeginLog());
        byte[] copy = new byte[Frames << Frame.Shift];
        for (int gpfn = 0; gpfn < Frames; gpfn++)
            Copy((ulong)gpfn);
        int most = 0;
        for (ulong round = 1; round <= Rounds; round++)
        {
            Turn();
            Assert.True(memory.TryWrite(Noted, round));
            Assert.Equal(GrantStatus.Okay, machine.Domain.Grants.CopyFromHost(BitConverter.GetBytes(round), Reference, 8));
            int copied = CopyWritten();
            // Something of everybody's; not all there is.
            Assert.InRange(copied, 2 + Vcpus, Frames / 2);
            most = Math.Max(most, copied);
        }

        Assert.True(most > 100, $"{most} frames at most");
        running.Dispose();
        Assert.True(memory.TryWrite(Noted, 0x111UL));
        CopyWritten();
        for (int gpfn = 0; gpfn < Frames; gpfn++)
            Assert.True(Content((ulong)gpfn).SequenceEqual(copy.AsSpan(gpfn << Frame.Shift, Frame.Size)), $"frame 0x{gpfn:x} was written and is not in the log");
        Assert.Equal(0, CopyWritten());

        // Each comes by all of its pages.
        void Turn()
        {
            for (int n = 0; n < Vcpus; n++)
            {
                ulong from = Count(n);
                Assert.True(SpinWait.SpinUntil(() => Count(n) >= from + 300, Patience), string.Join(", ", machine.Vcpus.Select(static vcpu => vcpu.Processor.CrashReason)));
            }
        }

        ulong Count(int vcpu) => Volatile.Read(ref *(ulong*)(memory.Lookup(Progress >> Frame.Shift).Host + (8 * vcpu)));

        int CopyWritten()
        {
            ulong[] bits = new ulong[Frames / 64];
            Assert.True(memory.ReadLog(bits, Frames, clears: true));
            int count = 0;
            for (int gpfn = 0; gpfn < Frames; gpfn++)
            {
                if ((bits[gpfn / 64] >> gpfn % 64 & 1) == 0)
                    continue;
                Copy((ulong)gpfn);
                count++;
            }

            return count;
        }

        void Copy(ulong gpfn) => Content(gpfn).CopyTo(copy.AsSpan((int)gpfn << Frame.Shift));

        ReadOnlySpan<byte> Content(ulong gpfn) => new(memory.Lookup(gpfn).Host, Frame.Size);
    }

    private sealed class Running(ParavirtualMachine machine) : IDisposable
    {
        private readonly Thread[] _threads = [.. Enumerable.Range(0, Vcpus).Select(n => Start(machine, n))];

        public void Dispose()
        {
            foreach (ParavirtualVcpu vcpu in machine.Vcpus)
                vcpu.Processor.RequestStop(VcpuStop.PowerOff);
            foreach (Thread thread in _threads)
                thread.Join();
        }
    }

    // Each writes a number that grows into 200 pages in turns, by a store and by a semaphore.
    private static Thread Start(ParavirtualMachine machine, int vcpu)
    {
        ulong entry = Code + ((ulong)vcpu * CodeStep);
        machine.Domain.Memory.Write(entry, Assembly.Of($"""
            movl r20={Progress + (8 * (ulong)vcpu)} ;;
            movl r15={Frame.Size} ;;
            mov r16=0 ;;
            2:
            movl r14={Pages + ((ulong)vcpu * PagesStep)} ;;
            mov r17=200 ;;
            1:
            st8 [r14]=r16,8 ;;
            fetchadd8.acq r18=[r14],1 ;;
            adds r14=-8,r14 ;;
            ld8 r18=[r14] ;;
            add r14=r15,r14 ;;
            adds r16=1,r16 ;;
            adds r17=-1,r17 ;;
            st8 [r20]=r16 ;;
            cmp.ne p6,p7=0,r17 ;;
            (p6) br.cond.sptk 1b ;;
            br.sptk 2b ;;
            """));
        machine.Start(machine.Vcpus[vcpu], entry, 0);
        Thread thread = new(() => machine.Vcpus[vcpu].Processor.Run());
        thread.Start();
        return thread;
    }
}
