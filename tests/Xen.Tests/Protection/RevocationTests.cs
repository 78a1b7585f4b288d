using FastXen.Core;
using FastXen.Core.Tests.SystemLevel;
using FastXen.Xen.Grants;
using FastXen.Xen.Memory;

namespace FastXen.Xen.Tests.Protection;

/// <summary>
/// What was mapped in a domain and is not any more is out of its reach, although the domain runs all the time on a thread of its own: its TLBs and its translated code have
/// forgotten it when the operation that ended the mapping returns.
/// </summary>
public sealed unsafe class RevocationTests : IDisposable
{
    private const ulong Code = 0x10_0000, Progress = 0x20_0000, Seen = 0x20_0008, Mapped = 0x4_0000UL << Frame.Shift;
    private const ulong OwnersFrame = 5;
    private const uint Reference = 8;

    private readonly XenHost _host = new();
    private readonly ParavirtualMachine _owner;

    public RevocationTests() => _owner = new ParavirtualMachine(_host, 1, new ParavirtualConfiguration { Memory = 1 << 20 });

    public static TheoryData<EngineKind, bool> Cases => new()
    {
        { EngineKind.Interpreter, false }, { EngineKind.Interpreter, true }, { EngineKind.Translator, false }, { EngineKind.Translator, true },
    };

    private ref ulong OwnersWord => ref *(ulong*)_owner.Domain.Memory.Lookup(OwnersFrame).Host;

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_reader_does_not_see_what_is_written_afterwards(EngineKind engine, bool granted)
    {
        using Runner runner = Run(engine, granted, $"""
            movl r14={Mapped} ;;
            movl r20={Progress} ;;
            movl r21={Seen} ;;
            mov r16=0 ;;
            1:
            ld8 r15=[r14] ;;
            st8 [r21]=r15 ;;
            adds r16=1,r16 ;;
            st8 [r20]=r16 ;;
            br.sptk 1b ;;
            """);
        Volatile.Write(ref OwnersWord, 0x111);
        runner.Advance();
        Assert.Equal(0x111UL, runner.Word(Seen));
        runner.Unmap();
        Volatile.Write(ref OwnersWord, 0x5ec2e7);
        runner.Advance();
        Assert.NotEqual(0x5ec2e7UL, runner.Word(Seen));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_writer_changes_nothing_afterwards(EngineKind engine, bool granted)
    {
        using Runner runner = Run(engine, granted, $"""
            movl r14={Mapped} ;;
            movl r20={Progress} ;;
            mov r16=0 ;;
            1:
            adds r16=1,r16 ;;
            st8 [r14]=r16 ;;
            st8 [r20]=r16 ;;
            br.sptk 1b ;;
            """);
        runner.Advance();
        Assert.NotEqual(0UL, Volatile.Read(ref OwnersWord));
        runner.Unmap();
        Volatile.Write(ref OwnersWord, 0x111);
        runner.Advance();
        Assert.Equal(0x111UL, Volatile.Read(ref OwnersWord));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Code_of_the_frame_is_not_executed_afterwards(EngineKind engine, bool granted)
    {
        // The function in the other's frame counts.
        Assembly.Of($"""
            ld8 r15=[r20] ;;
            adds r15=1,r15 ;;
            st8 [r20]=r15 ;;
            br.ret.sptk b0 ;;
            """).CopyTo(new Span<byte>(_owner.Domain.Memory.Lookup(OwnersFrame).Host, Frame.Size));
        using Runner runner = Run(engine, granted, $"""
            movl r14={Mapped} ;;
            movl r20={Progress} ;;
            mov b6=r14 ;;
            1:
            br.call.sptk b0=b6 ;;
            br.sptk 1b ;;
            """);
        runner.Advance();
        runner.Unmap();
        // What it is that the domain fetches there now ends it.
        ulong last = runner.Word(Progress);
        Assert.True(runner.Join());
        Assert.InRange(runner.Word(Progress), last, last + 1);
    }

    [Fact]
    public void Without_a_grant_there_is_no_mapping()
    {
        using var other = new ParavirtualMachine(_host, 2, new ParavirtualConfiguration { Memory = 1 << 20 });
        Assert.Equal(GrantStatus.Okay, _owner.Domain.Grants.SetUp(1));
        const uint HostMap = 2;
        Assert.NotEqual(GrantStatus.Okay, other.Domain.Grants.Map(Mapped, HostMap, Reference, 1, out _, out _));
        // Granted to somebody else; granted for reading.
        SetGrant(3, readOnly: false);
        Assert.NotEqual(GrantStatus.Okay, other.Domain.Grants.Map(Mapped, HostMap, Reference, 1, out _, out _));
        SetGrant(2, readOnly: true);
        Assert.NotEqual(GrantStatus.Okay, other.Domain.Grants.Map(Mapped, HostMap, Reference, 1, out _, out _));
        Assert.Equal(FrameKind.Hole, other.Domain.Memory.Lookup(Mapped >> Frame.Shift).Kind);
        Assert.False(_owner.Domain.Memory.IsPinned(OwnersFrame));
    }

    private void SetGrant(ushort to, bool readOnly)
    {
        const uint Permit = 1, ReadOnly = 4;
        byte* entry = _owner.Domain.Memory.Lookup(GrantTable.FirstFrame).Host + 8 * Reference;
        ((uint*)entry)[1] = (uint)OwnersFrame;
        Volatile.Write(ref *(uint*)entry, Permit | (readOnly ? ReadOnly : 0) | (uint)to << 16);
    }

    private Runner Run(EngineKind engine, bool granted, string program)
    {
        _owner.Domain.Grants.SetUp(1);
        SetGrant(2, readOnly: false);
        return new Runner(_host, _owner, engine, granted, program);
    }

    public void Dispose() => _owner.Dispose();

    // A domain with the frame mapped, which runs.
    private sealed class Runner : IDisposable
    {
        private readonly ParavirtualMachine _machine;
        private readonly Thread _thread;
        private readonly bool _granted;
        private readonly uint _handle;

        public Runner(XenHost host, ParavirtualMachine owner, EngineKind engine, bool granted, string program)
        {
            _machine = new ParavirtualMachine(host, 2, new ParavirtualConfiguration { Memory = 16 << 20, Engine = engine, IsPrivileged = true });
            _granted = granted;
            const uint HostMap = 2;
            if (granted)
                Assert.Equal(GrantStatus.Okay, _machine.Domain.Grants.Map(Mapped, HostMap, Reference, 1, out _handle, out _));
            else
                Assert.True(_machine.Domain.Foreign.Map(Mapped >> Frame.Shift, owner.Domain.Memory, OwnersFrame, writable: true));
            _machine.Domain.Memory.Write(Code, Assembly.Of(program));
            _machine.Boot(Code, 0);
            _thread = new Thread(() => _machine.Vcpus[0].Processor.Run());
            _thread.Start();
        }

        public ulong Word(ulong address) => Volatile.Read(ref *(ulong*)(_machine.Domain.Memory.Lookup(address >> Frame.Shift).Host + (address & (Frame.Size - 1))));

        /// <summary>Lets the domain come through its loop some times; one that has ended comes no further.</summary>
        public void Advance()
        {
            ulong from = Word(Progress);
            while (Word(Progress) < from + 1000 && _thread.IsAlive)
                Thread.Yield();
        }

        public void Unmap()
        {
            if (!_granted)
            {
                Assert.True(_machine.Domain.Foreign.Unmap(Mapped >> Frame.Shift));
                return;
            }

            Assert.Equal(GrantStatus.Okay, _machine.Domain.Grants.BeginUnmap(Mapped, 0, _handle, out P2mChange? change));
            P2mChange gone = change!.Value;
            _machine.Domain.Memory.Tell(new ReadOnlySpan<P2mChange>(in gone));
            _machine.Domain.Grants.EndUnmap(_handle);
        }

        public bool Join() => _thread.Join(TimeSpan.FromSeconds(60));

        public void Dispose()
        {
            _machine.Vcpus[0].Processor.RequestStop(VcpuStop.PowerOff);
            _thread.Join();
            _machine.Dispose();
        }
    }
}
