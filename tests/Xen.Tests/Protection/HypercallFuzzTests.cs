using FastXen.Xen.EventChannels;
using FastXen.Xen.Grants;
using FastXen.Xen.Memory;
using FastXen.Xen.Tests.Toolstack;

namespace FastXen.Xen.Tests.Protection;

/// <summary>
/// Every hypercall and every command of it, seeded, with structures whose fields are as often plausible as not (docs/threat-model.md). FASTXEN_FUZZ_ROUNDS has more of
/// them, FASTXEN_FUZZ_SEED others.
/// </summary>
public sealed unsafe class HypercallFuzzTests : IDisposable
{
    private const ulong DescriptorOffset = 0x3000, Mapped = 0x4_0000;
    private const int Words = 96, Frames = 64, Look = 1000;
    private const ushort Bad = 1, Victim = 2, Stranger = 3;
    private const ulong Shared = 8, SharedToRead = 7;

    private static readonly int Rounds = Number("FASTXEN_FUZZ_ROUNDS", 15_000), Seed = Number("FASTXEN_FUZZ_SEED", 1);

    private readonly XenHost host = new();
    private readonly FakeControl control;
    private readonly Dictionary<(ulong Number, uint Command), (int Calls, int Done)> seen = [];
    private readonly List<Hypercaller> callers = [];
    private Random random = new(0);
    // Where structures are: a frame of its own that the guest has not given away.
    private ulong scratch;

    public HypercallFuzzTests() => host.Control = control = new FakeControl(host) { MostDomains = 12 };

    // Where a hypercall's command is: in its first argument, in the structure that it points to (a version beside it), or nowhere.
    private enum CommandPlace
    {
        Argument,
        Structure,
        None,
    }

    // The commands are those of the public headers, and two that are not.
    private sealed record Call(ulong Number, CommandPlace Place, uint[] Commands, uint[] Versions)
    {
        public Call(ulong number, params uint[] commands) : this(number, CommandPlace.Argument, [.. commands, 63, 1000], [])
        {
        }
    }

    private static readonly Call[] Calls =
    [
        new(6, 0, 1, 2, 3), // sched_op_compat
        new(7, CommandPlace.Structure, [.. Enumerable.Range(0, 60).Select(static n => (uint)n)], [0x0300_0001, 1]),
        new(12, [.. Enumerable.Range(0, 24).Select(static n => (uint)n)]), // memory_op
        new(13, CommandPlace.None, [0], []), // multicall
        new(17, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9), // xen_version
        new(18, 0, 1, 2), // console_io
        new(20, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10), // grant_table_op
        new(24, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10), // vcpu_op
        new(29, 0, 1, 2, 3, 4, 5, 6), // sched_op
        new(30, 0, 1), // callback_op
        new(31, 0, 1, 2), // xenoprof_op
        new(32, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10), // event_channel_op
        new(33, [.. Enumerable.Range(0, 26).Select(static n => (uint)n)]), // physdev_op
        new(34, 0, 1, 2, 3, 4, 5, 6, 7, 8), // hvm_op
        new(35, CommandPlace.Structure, [.. Enumerable.Range(0, 20).Select(static n => (uint)n)], [3, 4, 9, 1]),
        new(36, CommandPlace.Structure, [.. Enumerable.Range(0, 72).Select(static n => (uint)n)], [5, 8, 1]),
        new(48, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), // ia64_dom0vp_op
        new(49, CommandPlace.None, [0], []), // ia64_fast_eoi
        new(50, 0, 1, 2, 3), // ia64_debug_op
        new(99, CommandPlace.None, [0], []),
    ];

    private static int Number(string name, int otherwise) => int.TryParse(Environment.GetEnvironmentVariable(name), out int number) ? number : otherwise;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void What_a_guest_calls_reaches_no_page_channel_or_grant_of_others(int seed)
    {
        random = new Random(1000 * Seed + seed);
        Hypercaller bad = Add(Bad), victim = Add(Victim), stranger = Add(Stranger);
        Prepare(bad);
        Prepare(victim);
        Prepare(stranger);
        // All that the victim shares: two pages, and a port for a channel.
        Grant(victim, 9, Shared, isReadOnly: false);
        Grant(victim, 10, SharedToRead, isReadOnly: true);
        int port = victim.Domain.EventChannels.AllocateUnbound(Bad), own = victim.Domain.EventChannels.AllocateUnbound(Stranger);
        int peer = stranger.Domain.EventChannels.BindInterdomain(Victim, (uint)own);
        Assert.True(port > 0 && own > 0 && peer > 0);
        byte[] before = Pages(stranger);
        for (int round = 1; round <= Rounds; round++)
        {
            One(bad);
            if (round % Look != 0)
                continue;
            for (ulong gpfn = 0; gpfn < Frames; gpfn++)
            {
                Assert.Equal(FrameKind.Ram, victim.Memory.Lookup(gpfn).Kind);
                if (gpfn != Shared)
                    Assert.Equal(-1, new ReadOnlySpan<byte>(victim.Memory.Lookup(gpfn).Host, Frame.Size).IndexOfAnyExcept((byte)Victim));
            }
            Assert.True(before.AsSpan().SequenceEqual(Pages(stranger)), $"round {round}: the stranger's pages are not what they were");
            Assert.Equal((Frames, Frames), (victim.Memory.Populated, stranger.Memory.Populated));
            Assert.Equal(0, victim.Domain.EventChannels.Status((uint)own, out ChannelStatus status));
            Assert.Equal((ChannelState.Interdomain, Stranger, peer), (status.State, status.Domain, status.Target));
            Assert.InRange(bad.Memory.Populated, 0, bad.Memory.Maximum);
            Assert.Null(victim.Machine.ShutdownReason);
            Assert.Null(stranger.Machine.ShutdownReason);
        }
        AssertAllWereCalled();
        // Nothing of a toolstack's is done for it.
        Assert.All(seen.Where(static one => one.Key.Number is 7 or 35 or 36), static one => Assert.Equal(0, one.Value.Done));
        bad.Dispose();
        for (ulong gpfn = 0; gpfn < Frames; gpfn++)
            Assert.False(victim.Memory.IsPinned(gpfn));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    public void A_privileged_guest_is_answered_whatever_it_calls(int seed)
    {
        random = new Random(1000 * Seed + seed);
        Hypercaller bad = Add(0, isPrivileged: true);
        Prepare(Add(Victim));
        Prepare(Add(Stranger));
        Prepare(bad);
        for (int round = 1; round <= Rounds; round++)
        {
            One(bad);
            // A toolstack of its own destroys what it made as often as not.
            if (random.Next(400) == 0 && control.Made.FirstOrDefault() is { } oldest)
                control.Destroy(oldest);
        }
        AssertAllWereCalled();
        Assert.InRange(seen.Count(static one => one.Key.Number is 35 or 36 && one.Value.Done > 0), 15, int.MaxValue);
        Assert.Equal(0, control.Holds);
    }

    private void AssertAllWereCalled()
    {
        foreach (Call call in Calls)
        {
            foreach (uint command in call.Commands)
                Assert.True(seen.GetValueOrDefault((call.Number, command)).Calls > 0, $"hypercall {call.Number} was never called with {command}");
        }
        // Random calls that are never carried out test only the first check.
        foreach (ulong number in (ulong[])[6, 12, 13, 17, 18, 20, 24, 29, 30, 32, 33, 34, 48, 49])
            Assert.True(seen.Any(one => one.Key.Number == number && one.Value.Done > 0), $"hypercall {number} was never carried out");
    }

    private void One(Hypercaller caller)
    {
        Call call = Calls[random.Next(Calls.Length)];
        uint command = call.Commands[random.Next(call.Commands.Length)];
        ulong[] arguments = Fill(caller, call, command);
        long result = caller.Call(call.Number, arguments);
        (int calls, int done) = seen.GetValueOrDefault((call.Number, command));
        seen[(call.Number, command)] = (calls + 1, done + (result >= 0 ? 1 : 0));
    }

    private ulong[] Fill(Hypercaller caller, Call call, uint command)
    {
        scratch = Ground(caller);
        Span<ulong> words = stackalloc ulong[Words];
        for (int k = 0; k < Words; k++)
            words[k] = Word();
        ulong[] arguments = [Word(), Word(), Word(), Word(), Word()];
        bool isWell = random.Next(8) != 0;
        if (call.Place == CommandPlace.Argument)
        {
            arguments[0] = command | (random.Next(16) == 0 ? (ulong)random.Next(512) << 6 : 0);
            // The structure, behind a vCPU's number in some calls.
            if (isWell)
                arguments[1] = arguments[2] = Handle();
            if (call.Number is 24 or 50)
                arguments[1] = (ulong)random.Next(4);
            if (call.Number == 20)
                arguments[2] = Few();
            if (call.Number == 18)
                arguments[1] = Few() * 700;
            if (call.Number == 48 && random.Next(2) == 0)
                (arguments[1], arguments[2], arguments[3], arguments[4]) = (FrameNumber(), FrameNumber(), (ulong)random.Next(4), Id());
        }
        else if (isWell)
            arguments[0] = Handle();
        if (call.Place == CommandPlace.Structure)
        {
            words[0] = (ulong)call.Versions[random.Next(call.Versions.Length)] << 32 | command;
            words[1] = Id() | (random.Next(4) == 0 ? Word() << 16 : 0);
        }
        if (call.Number == 13)
            FillMulticall(words, arguments);
        caller.Put<ulong>(scratch, words);
        caller.Put(scratch + DescriptorOffset, Few() << 32 | 0x5843_4f4d, Word(), scratch, scratch + 0x400, FrameNumber() << Frame.Shift, scratch);
        return arguments;
    }

    private void FillMulticall(Span<ulong> words, ulong[] arguments)
    {
        for (int k = 0; k < 8; k++)
        {
            words[8 * k] = Calls[random.Next(Calls.Length)].Number;
            words[8 * k + 2] = (ulong)random.Next(12);
            words[8 * k + 3] = Handle();
            words[8 * k + 4] = Few();
        }
        arguments[0] = Hypercaller.At(scratch);
        arguments[1] = Few();
    }

    private ulong Ground(Hypercaller caller)
    {
        for (ulong gpfn = 2; gpfn < Frames; gpfn++)
        {
            if (caller.Memory.Lookup(gpfn).Kind == FrameKind.Ram || caller.Memory.Populate(gpfn))
                return gpfn << Frame.Shift;
        }
        // One with privileges has said that it may have no memory.
        caller.Memory.Maximum = (long)caller.Memory.ArenaFrames;
        return Ground(caller);
    }

    // Lists of few elements, most of the time: others end where memory does.
    private ulong Few() => random.Next(32) == 0 ? Word() : (ulong)random.Next(9);

    private ulong Id() => random.Next(8) switch
    {
        0 => DomainIds.Self,
        1 => DomainIds.Host,
        2 => (ulong)random.Next(0x10000),
        _ => (ulong)random.Next(8),
    };

    private ulong FrameNumber() => random.Next(6) switch
    {
        0 => Mapped + (ulong)random.Next(64),
        1 => Frame.WindowStart + (ulong)random.Next(80),
        // Machine frames of somebody.
        2 => (ulong)random.Next(1 << 16),
        3 => 1UL << random.Next(64),
        _ => (ulong)random.Next(Frames),
    };

    private ulong Handle() => random.Next(12) switch
    {
        0 => 0,
        1 => (ulong)random.NextInt64(),
        2 => scratch + DescriptorOffset,
        3 => Hypercaller.At(FrameNumber() << Frame.Shift),
        4 => Hypercaller.At((Frames << Frame.Shift) - (ulong)random.Next(64)),
        _ => Hypercaller.At(scratch),
    };

    private ulong Word() => random.Next(12) switch
    {
        0 => 0,
        1 => ulong.MaxValue >> random.Next(64),
        2 => (ulong)random.NextInt64(),
        3 => Handle(),
        4 => Hypercaller.At(scratch + 8 * (ulong)random.Next(Words)),
        5 or 6 => FrameNumber(),
        // Two fields in a word.
        7 => Id() | (ulong)random.Next(16) << 16 | (ulong)random.Next(16) << 32,
        8 => Id() | FrameNumber() << 32,
        9 => FrameNumber() << Frame.Shift,
        10 => (ulong)random.Next(16) << 32 | (uint)random.Next(16),
        _ => (ulong)random.Next(16),
    };

    private Hypercaller Add(ushort id, bool isPrivileged = false)
    {
        var caller = new Hypercaller(host, id, isPrivileged, maximum: 2 << 20);
        callers.Add(caller);
        return caller;
    }

    // Its memory is full of its number; it has a grant table.
    private static void Prepare(Hypercaller domain)
    {
        for (ulong gpfn = 0; gpfn < Frames; gpfn++)
            new Span<byte>(domain.Memory.Lookup(gpfn).Host, Frame.Size).Fill((byte)domain.Domain.Id);
        Assert.Equal(GrantStatus.Okay, domain.Domain.Grants.SetUp(1));
    }

    private static void Grant(Hypercaller domain, uint reference, ulong gpfn, bool isReadOnly)
    {
        uint* entry = (uint*)domain.Memory.Lookup(GrantTable.FirstFrame).Host + 2 * reference;
        entry[1] = (uint)gpfn;
        Volatile.Write(ref *entry, 1 | (isReadOnly ? 4u : 0) | (uint)Bad << 16);
    }

    // A domain's memory, its shared_info and its grant table.
    private static byte[] Pages(Hypercaller domain)
    {
        var pages = new MemoryStream();
        for (ulong gpfn = 0; gpfn < Frames; gpfn++)
            pages.Write(new ReadOnlySpan<byte>(domain.Memory.Lookup(gpfn).Host, Frame.Size));
        foreach (ulong gpfn in (ulong[])[Frame.WindowStart, GrantTable.FirstFrame])
            pages.Write(new ReadOnlySpan<byte>(domain.Memory.Lookup(gpfn).Host, Frame.Size));
        return pages.ToArray();
    }

    public void Dispose()
    {
        control.DestroyAll();
        callers.ForEach(static caller => caller.Dispose());
        host.Dispose();
    }
}
