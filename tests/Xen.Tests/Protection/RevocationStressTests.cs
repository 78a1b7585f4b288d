using FastXen.Core;
using FastXen.Core.Tests.SystemLevel;
using FastXen.Xen.Grants;
using FastXen.Xen.Memory;
using FastXen.Xen.Processor;

namespace FastXen.Xen.Tests.Protection;

/// <summary>
/// Grants that come and go while several vCPUs use them: those that only one uses, of which one place of one TLB is forgotten, and those of all. What was mapped is seen at once, what
/// was unmapped is out of reach at once.
/// </summary>
public sealed unsafe class RevocationStressTests : IDisposable
{
    private const int Vcpus = 3, Slots = Vcpus + 1, Rounds = 10, Turns = 300;
    private const uint FirstReference = 8, FirstFrame = 4, HostMap = 2;
    private const ulong Code = 0x10_0000, CodeStep = 0x1_0000, Area = 0x20_0000, AreaStep = 0x4000, Nothing = ulong.MaxValue, Secret = 0x5ec2e7;
    // Frames with places of their own in the engines' TLBs, one for each vCPU and one of all.
    private const ulong Mapped = 0x4_0000UL << Frame.Shift, MappedStep = 1 << 20;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly XenHost _host = new();
    private readonly ParavirtualMachine _owner;
    private readonly List<Thread> _threads = [];
    private ParavirtualMachine? _user;

    public RevocationStressTests()
    {
        _owner = new ParavirtualMachine(_host, 1, new ParavirtualConfiguration { Memory = 1 << 20 });
        _owner.Domain.Grants.SetUp(1);
        for (uint slot = 0; slot < Slots; slot++)
        {
            const uint Permit = 1;
            var entry = (uint*)(_owner.Domain.Memory.Lookup(GrantTable.FirstFrame).Host + (8 * (FirstReference + slot)));
            entry[1] = FirstFrame + slot;
            Volatile.Write(ref entry[0], Permit | 2u << 16);
        }
    }

    private ParavirtualMachine User => _user!;

    // Each vCPU reads its frame and the one of all and writes into them; this thread maps and unmaps.
    [Theory]
    [InlineData(EngineKind.Interpreter)]
    [InlineData(EngineKind.Translator)]
    public void Vcpus_see_what_is_mapped_and_nothing_of_what_was(EngineKind engine)
    {
        Make(engine);
        for (int n = 0; n < Vcpus; n++)
        {
            Start(n, $"""
                movl r14={Mapped + ((ulong)n * MappedStep)} ;;
                movl r15={Mapped + (Vcpus * MappedStep)} ;;
                movl r20={AreaOf(n)} ;;
                movl r21={AreaOf(n) + 8} ;;
                adds r24=8,r14 ;;
                adds r25={8 + (8 * n)},r15 ;;
                mov r16=0 ;;
                1:
                ld8 r17=[r14] ;;
                ld8 r18=[r15] ;;
                st8 [r21]=r17,8 ;;
                st8 [r21]=r18,-8 ;;
                st8 [r24]=r16 ;;
                st8 [r25]=r16 ;;
                adds r16=1,r16 ;;
                st8 [r20]=r16 ;;
                br.sptk 1b ;;
                """);
        }

        for (ulong round = 1; round <= Rounds; round++)
        {
            uint[] handles = new uint[Slots];
            for (uint slot = 0; slot < Slots; slot++)
            {
                Word(slot, 0) = round;
                Assert.Equal(GrantStatus.Okay, User.Domain.Grants.Map(AddressOf(slot), HostMap, FirstReference + slot, 1, out handles[slot], out _));
            }

            Advance();
            Assert.All(AllSeen(), seen => Assert.Equal(round, seen));
            // One after the other, so that the rest stays in use.
            for (uint slot = 0; slot < Slots; slot++)
            {
                Assert.Equal(GrantStatus.Okay, User.Domain.Grants.BeginUnmap(AddressOf(slot), 0, handles[slot], out P2mChange? change));
                P2mChange gone = change!.Value;
                User.Domain.Memory.Tell(new ReadOnlySpan<P2mChange>(in gone));
                User.Domain.Grants.EndUnmap(handles[slot]);
                for (int word = 0; word <= Vcpus; word++)
                    Word(slot, word) = Secret;
                Advance();
                // In the order in which they are stored: each one's own, and that of all.
                Assert.All(AllSeen(), (seen, k) => Assert.Equal((k % 2 == 0 ? (uint)k / 2 : Vcpus) <= slot ? Nothing : round, seen));
                for (int word = 0; word <= Vcpus; word++)
                    Assert.Equal(Secret, Word(slot, word));
            }
        }
    }

    // Each maps two frames in turns at an address of its own, reads, unmaps, reads again, and counts what is wrong.
    [Theory]
    [InlineData(EngineKind.Interpreter)]
    [InlineData(EngineKind.Translator)]
    public void Vcpus_that_map_and_unmap_themselves_see_no_old_frame(EngineKind engine)
    {
        Make(engine);
        for (uint slot = 0; slot < Slots; slot++)
            Word(slot, 0) = 100 + slot;
        for (int n = 0; n < Vcpus; n++)
        {
            AreaWord(n, 0) = Nothing;
            ulong map = AreaOf(n) + 0x100, unmap = AreaOf(n) + 0x200, address = Mapped + ((ulong)n * MappedStep);
            Start(n, $"""
                alloc r3=ar.pfs,0,8,0,0 ;;
                movl r14={address} ;;
                movl r20={AreaOf(n)} ;;
                movl r21={map} ;;
                movl r22={unmap} ;;
                movl r26={map + 20} ;;
                movl r27={unmap + 16} ;;
                movl r28={map + 12} ;;
                mov r16=0 ;;
                mov r19={Turns - 1} ;;
                mov ar.lc=r19 ;;
                st8 [r21]=r14 ;;
                st8 [r22]=r14 ;;
                adds r29=8,r21 ;;
                mov r30={HostMap} ;;
                st4 [r29]=r30 ;;
                adds r29=16,r21 ;;
                mov r30=1 ;;
                st2 [r29]=r30 ;;
                mov r18=0 ;;
                1:
                mov r30={FirstReference} ;;
                add r30=r30,r18 ;;
                st4 [r28]=r30 ;;
                mov r32=0 ;;
                movl r33={(1UL << 63) | map} ;;
                mov r34=1 ;;
                mov r2=20 ;;
                break 0x1000 ;;
                ld8 r15=[r14] ;;
                adds r30=100,r18 ;;
                cmp.ne p6,p7=r15,r30 ;;
                (p6) adds r16=1,r16 ;;
                ld4 r30=[r26] ;;
                st4 [r27]=r30 ;;
                mov r32=1 ;;
                movl r33={(1UL << 63) | unmap} ;;
                mov r34=1 ;;
                mov r2=20 ;;
                break 0x1000 ;;
                ld8 r15=[r14] ;;
                cmp.ne p6,p7=-1,r15 ;;
                (p6) adds r16=1,r16 ;;
                mov r30=1 ;;
                xor r18=r18,r30 ;;
                br.cloop.sptk 1b ;;
                st8 [r20]=r16 ;;
                2: br.sptk 2b ;;
                """);
        }

        Assert.True(SpinWait.SpinUntil(() => Enumerable.Range(0, Vcpus).All(n => Volatile.Read(ref AreaWord(n, 0)) != Nothing), Patience), Reasons());
        for (int n = 0; n < Vcpus; n++)
            Assert.Equal(0UL, AreaWord(n, 0));
    }

    private void Make(EngineKind engine) => _user = new ParavirtualMachine(_host, 2, new ParavirtualConfiguration { Memory = 16 << 20, Vcpus = Vcpus, Engine = engine });

    private void Start(int vcpu, string program)
    {
        ulong entry = Code + ((ulong)vcpu * CodeStep);
        User.Domain.Memory.Write(entry, Assembly.Of(program));
        User.Start(User.Vcpus[vcpu], entry, 0);
        Thread thread = new(() => User.Vcpus[vcpu].Processor.Run());
        _threads.Add(thread);
        thread.Start();
    }

    // Each comes through its loop twice at least: all of it, since now.
    private void Advance()
    {
        for (int n = 0; n < Vcpus; n++)
        {
            ulong from = Volatile.Read(ref AreaWord(n, 0));
            Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref AreaWord(n, 0)) >= from + 2, Patience), Reasons());
        }
    }

    private ulong[] AllSeen() => [.. Enumerable.Range(0, 2 * Vcpus).Select(k => AreaWord(k / 2, 8 + (8 * ((ulong)k % 2))))];

    private string Reasons() => string.Join(", ", User.Vcpus.Select(static vcpu => $"{vcpu.Processor.StopReason} {vcpu.Processor.CrashReason}"));

    private static ulong AddressOf(uint slot) => Mapped + (slot * MappedStep);

    private static ulong AreaOf(int vcpu) => Area + ((ulong)vcpu * AreaStep);

    private ref ulong Word(uint slot, int index) => ref *(ulong*)(_owner.Domain.Memory.Lookup(FirstFrame + slot).Host + (8 * index));

    private ref ulong AreaWord(int vcpu, ulong offset) => ref *(ulong*)(User.Domain.Memory.Lookup(AreaOf(vcpu) >> Frame.Shift).Host + offset);

    public void Dispose()
    {
        foreach (ParavirtualVcpu vcpu in _user?.Vcpus ?? [])
            vcpu.Processor.RequestStop(VcpuStop.PowerOff);
        _threads.ForEach(static thread => thread.Join());
        _user?.Dispose();
        _owner.Dispose();
    }
}
