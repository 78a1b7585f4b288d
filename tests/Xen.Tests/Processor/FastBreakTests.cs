using FastXen.Core;
using FastXen.Core.Lockstep;
using FastXen.Core.Tests.SystemLevel;

namespace FastXen.Xen.Tests.Processor;

/// <summary>Breaks that are done in host code: a machine on the translator against one on the interpreter, which knows none.</summary>
public sealed class FastBreakTests : IDisposable
{
    private const int BreakVector = 0x2c00, Rounds = 400;

    // Neither a divisor of the rounds' lengths nor so short that nothing happens in between.
    private const ulong Stride = 1009;

    // The kernel's first 16 MiB as they are, and out of metaphysical mode.
    private const string Translated = """
        movl r3=0xfffffffffff048a0 ;;
        st8 [r3]=r0 ;;
        adds r3=8,r3 ;;
        mov r15=24<<2 ;;
        st8 [r3]=r15 ;;
        mov r8=0 ;;
        movl r9=0x0010000000000661 ;;
        break 0xf ;;
        mov r16=0 ;;
        movl r9=0x0010000000000661 ;;
        itr.i itr[r16]=r9 ;;
        break 0x3 ;;
        movl r14=0xfffffffffff04c10 ;;
        mov r3=1 ;;
        st4 [r14]=r3 ;;
        st1 [r22]=r0 ;;

        """;

    // To the slot behind the break.
    private const string Advance = """
        movl r16=0xfffffffffff04898 ;;
        ld8 r17=[r16] ;;
        movl r18=0xfffffffffff04880 ;;
        ld8 r19=[r18] ;;
        extr.u r20=r19,41,2 ;;
        cmp.eq p6,p7=2,r20 ;;
        (p6) adds r17=16,r17 ;;
        (p6) mov r20=-1 ;;
        adds r20=1,r20 ;;
        dep r19=r20,r19,41,2 ;;
        st8 [r16]=r17 ;;
        st8 [r18]=r19 ;;

        """;

    private const string Return = "break.m 0x1 ;;\n";

    // The frame is put away and comes back by IFS.
    private const string WithFrame = """
        cover ;;
        movl r16=0xfffffffffff04c00 ;;
        ld8 r17=[r16] ;;
        movl r16=0xfffffffffff048b8 ;;
        st8 [r16]=r17 ;;
        alloc r16=ar.pfs,0,3,0,0 ;;
        mov r33=r17 ;;

        """;

    private readonly XenHost _host = new();
    private readonly List<ParavirtualMachine> _machines = [];
    private Action<ParavirtualMachine>? _prepare;

    private static string Loop(string body) => $"""
        {Translated}
        mov r31={Rounds} ;;
        mov ar.lc=r31 ;;
        again:
        adds r30=1,r30 ;;
        mov r35=r30 ;;
        {body}
        br.cloop.sptk.few again ;;
        {Kernel.Stop}
        """;

    private ParavirtualMachine Make(EngineKind engine, string program, string handler, (int Vector, string Code)[] others)
    {
        ParavirtualMachine machine = new(_host, (ushort)(1 + _machines.Count), new ParavirtualConfiguration
        {
            Memory = 16 << 20,
            Engine = engine,
            Deterministic = true,
            Translator = new TranslatorOptions { Threshold = 2 },
        });
        _machines.Add(machine);
        machine.Domain.Memory.Write(Kernel.Code, Assembly.Of(Kernel.Prologue + program));
        foreach ((int vector, string code) in others.Append((BreakVector, handler)))
            machine.Domain.Memory.Write(Kernel.Vectors + (ulong)vector, Assembly.Of(code));
        _prepare?.Invoke(machine);
        machine.Boot(Kernel.Code, 0);
        return machine;
    }

    // Runs it on both engines, registers and all memory (shared registers among it) compared on the way. The breaks that handlers did on the translator.
    private long Compare(string program, string handler, params (int Vector, string Code)[] others)
    {
        ParavirtualMachine reference = Make(EngineKind.Interpreter, program, handler, others), subject = Make(EngineKind.Translator, program, handler, others);
        var pair = new LockstepPair(reference.Vcpus[0].Processor, subject.Vcpus[0].Processor);
        for (ulong retired = Stride; !pair.Stopped; retired += Stride)
        {
            _ = pair.RunTo(retired);
            Assert.Empty(pair.Differences().Select(static one => one.ToString()));
            Assert.True(retired < 1_000_000, "the program does not end");
        }

        Assert.Equal(VcpuStop.PowerOff, reference.Vcpus[0].Processor.StopReason);
        return subject.Vcpus[0].Processor.TranslatorStatistics!.HandlerCalls.Where(static pair => pair.Key.StartsWith("Break", StringComparison.Ordinal)).Sum(static pair => pair.Value);
    }

    [Theory]
    [InlineData("break.m 0x12345 ;;\n")]
    [InlineData("{ .mii\n nop.m 0\n break.i 0x12345\n nop.i 0 ;;\n}\n")]
    [InlineData("{ .mii\n nop.m 0\n nop.i 0\n break.i 0x12345 ;;\n}\n")]
    [InlineData("{ .mfi\n nop.m 0\n break.f 0x12345\n nop.i 0 ;;\n}\n")]
    [InlineData("cmp.eq p8,p9=r0,r0 ;;\n(p8) break.m 0x12345 ;;\n(p9) break.m 0x12346 ;;\n")]
    [InlineData("break.m 0x9 ;;\n")]
    [InlineData("mov r8=r30 ;;\n break.m 0x10 ;;\n")]
    [InlineData("break.m 0x19 ;;\n")]
    [InlineData("movl r8=0xa00000000012345f ;;\n break.m 0xd ;;\n")]
    [InlineData("break.m 0x7 ;;\n")]
    public void Common_breaks_do_not_leave_translated_code(string body)
    {
        Assert.InRange(Compare(Loop(body), Advance + Return), 0, Rounds / 4);
        Assert.InRange(Compare(Loop(body), WithFrame + Advance + Return), 0, Rounds / 4);
    }

    // A user's system calls: to another level and back, with the registers f32 to f127 disabled there or not.
    [Theory]
    [InlineData("")]
    [InlineData("dep r17=-1,r17,19,1 ;;\n")]
    public void Breaks_of_users_do_not_leave_translated_code(string inPsr)
    {
        // The kernel goes to level 3 by rfi, where it loops; a break with another immediate ends that.
        string program = $"""
            {Translated.Replace("661", "7e1", StringComparison.Ordinal)}
            br.call.sptk.few b6=1f ;;
            mov r31={Rounds} ;;
            mov ar.lc=r31 ;;
            again:
            adds r30=1,r30 ;;
            ld8 r29=[r20] ;;
            break.m 0x12345 ;;
            ld8 r28=[r20] ;;
            br.cloop.sptk.few again ;;
            break.m 0x54321 ;;
            1:
            alloc r3=ar.pfs,0,8,0,0 ;;
            break.m 0x19 ;;
            movl r17=0x101808022000 ;;
            or r17=r8,r17 ;;
            dep r17=-1,r17,32,2 ;;
            dep r17=-1,r17,36,1 ;;
            {inPsr}
            movl r16=0xfffffffffff04880 ;;
            st8 [r16]=r17 ;;
            movl r16=0xfffffffffff04898 ;;
            mov r17=b6 ;;
            st8 [r16]=r17 ;;
            movl r16=0xfffffffffff048b8 ;;
            st8 [r16]=r0 ;;
            break.m 0x1 ;;
            """;
        string stop = "movl r16=0xfffffffffff048c0 ;;\n ld8 r17=[r16] ;;\n movl r18=0x54321 ;;\n cmp.eq p6,p7=r17,r18 ;;\n (p7) br.cond.sptk.few 1f ;;\n" + Kernel.Stop + "1:\n";
        const string Count = "movl r16=0x200000 ;;\n ld8 r17=[r16] ;;\n adds r17=1,r17 ;;\n st8 [r16]=r17 ;;\n";
        Assert.InRange(Compare(program, stop + Count + Advance + Return), 0, Rounds / 4);
        Assert.All(_machines, static machine =>
        {
            Assert.True(machine.Domain.Memory.TryRead(Kernel.Results, out ulong calls));
            Assert.Equal((ulong)Rounds + 1, calls);
        });
    }

    // Insertions: a page again and again, with the same translation or others, used in between or not, of two sizes.
    [Theory]
    [InlineData("movl r8=0x0010000000400661 ;;\n break.m 0x5 ;;\n", true)]
    [InlineData("and r8=1,r30 ;;\n shl r8=r8,16 ;;\n movl r3=0x0010000000400661 ;;\n add r8=r3,r8 ;;\n break.m 0x5 ;;\n", true)]
    [InlineData("movl r8=0x0010000000400661 ;;\n break.m 0x5 ;;\n ld8 r33=[r34] ;;\n adds r33=1,r33 ;;\n st8 [r34]=r33 ;;\n", true)]
    [InlineData("and r8=1,r30 ;;\n shl r8=r8,16 ;;\n movl r3=0x0010000000400661 ;;\n add r8=r3,r8 ;;\n break.m 0x5 ;;\n ld8 r33=[r34] ;;\n adds r33=1,r33 ;;\n st8 [r34]=r33 ;;\n", false)]
    [InlineData("and r8=7,r30 ;;\n shl r8=r8,14 ;;\n add r8=r34,r8 ;;\n st8 [r26]=r8 ;;\n movl r8=0x0010000000400661 ;;\n break.m 0x5 ;;\n", true)]
    [InlineData("and r8=3,r30 ;;\n cmp.eq p8,p9=0,r8 ;;\n (p8) mov r8=16<<2 ;;\n (p9) mov r8=14<<2 ;;\n st8 [r27]=r8 ;;\n movl r8=0x0010000000400661 ;;\n break.m 0x5 ;;\n ld8 r33=[r34] ;;\n", false)]
    public void Insertions_replace_what_there_is(string body, bool isFast)
    {
        const string Address = """
            movl r26=0xfffffffffff048a0 ;;
            movl r34=0xa000000000100000 ;;
            st8 [r26]=r34 ;;
            adds r27=8,r26 ;;
            mov r28=14<<2 ;;
            st8 [r27]=r28 ;;

            """;
        // A region identifier that is not the code's.
        const string OtherRegion = "movl r8=0xa000000000000000 ;;\n movl r9=0x538 ;;\n break.m 0x11 ;;\n";
        string program = Loop(Address + body).Replace(Translated, Translated + OtherRegion, StringComparison.Ordinal);
        Assert.InRange(Compare(program, Advance + Return), 0, isFast ? Rounds / 4 : 4 * Rounds);
    }

    [Fact]
    public void A_long_break_is_one_too()
    {
        string next = Advance.Replace("extr.u r20=r19,41,2", "mov r20=2", StringComparison.Ordinal);
        Assert.InRange(Compare(Loop("{ .mlx\n nop.m 0\n break.x 0x123456789abc ;;\n}\n"), next + Return), 0, Rounds / 4);
    }

    [Theory]
    // Banked and stacked registers of which the ALAT knows, on the way in and out.
    [InlineData("ld8.a r26=[r20] ;;\n break.m 0x12345 ;;\n ld8.c.clr r26=[r20] ;;\n", "")]
    [InlineData("ld8.a r33=[r20] ;;\n break.m 0x12345 ;;\n ld8.c.clr r33=[r20] ;;\n", "")]
    [InlineData("break.m 0x12345 ;;\n", "movl r16=0x200000 ;;\n ld8.a r17=[r16] ;;\n")]
    // Registers that come back as NaTs.
    [InlineData("break.m 0x12345 ;;\n", "movl r16=0xfffffffffff04500 ;;\n movl r17=0x4000 ;;\n st8 [r16]=r17 ;;\n")]
    // The bank of the handler stays; or the handler has exchanged them itself.
    [InlineData("mov r24=r30 ;;\n break.m 0x12345 ;;\n", "movl r16=0xfffffffffff04c4c ;;\n mov r17=1 ;;\n st4 [r16]=r17 ;;\n")]
    // Bits of IPSR that are not as they were: dfh, dfl, be, metaphysical mode, a slot that there is not.
    [InlineData("break.m 0x12345 ;;\n", "movl r16=0xfffffffffff04880 ;;\n ld8 r17=[r16] ;;\n dep r17=-1,r17,19,1 ;;\n st8 [r16]=r17 ;;\n")]
    [InlineData("break.m 0x12345 ;;\n rum 2 ;;\n", "movl r16=0xfffffffffff04880 ;;\n ld8 r17=[r16] ;;\n dep r17=-1,r17,1,1 ;;\n st8 [r16]=r17 ;;\n")]
    [InlineData("break.m 0x12345 ;;\n break.m 0x3 ;;\n", "movl r16=0xfffffffffff04880 ;;\n ld8 r17=[r16] ;;\n dep r17=0,r17,17,1 ;;\n st8 [r16]=r17 ;;\n")]
    [InlineData("break.m 0x12345 ;;\n break.m 0x2 ;;\n break.m 0x12346 ;;\n break.m 0x3 ;;\n", "")]
    // Big-endian handlers by DCR.
    [InlineData("break.m 0x12345 ;;\n", "rum 2 ;;\n movl r16=0xfffffffffff04800 ;;\n mov r17=2 ;;\n st8 [r16]=r17 ;;\n")]
    // Frames that rotate, and that are none (sol over sof).
    [InlineData("alloc r36=ar.pfs,0,16,0,8 ;;\n mov r35=r30 ;;\n mov ar.ec=3 ;;\n br.ctop.sptk.few 1f ;;\n 1:\n cmp.eq p18,p19=r0,r0 ;;\n break.m 0x12345 ;;\n mov r29=pr ;;\n clrrrb ;;\n alloc r3=ar.pfs,0,8,0,0 ;;\n", "")]
    [InlineData("break.m 0x12345 ;;\n alloc r3=ar.pfs,0,8,0,0 ;;\n", "movl r16=0xfffffffffff048b8 ;;\n movl r17=0x8000000000000788 ;;\n st8 [r16]=r17 ;;\n")]
    // Hypercalls, and covering by hyperprivop.
    [InlineData("mov r33=r0 ;;\n mov r32=r0 ;;\n mov r2=17 ;;\n break.m 0x1000 ;;\n", "")]
    [InlineData("break.m 0x4 ;;\n alloc r3=ar.pfs,0,8,0,0 ;;\n movl r3=0xfffffffffff048b8 ;;\n ld8 r34=[r3] ;;\n", "")]
    // An upcall is pending that the guest takes behind the break, but there is no callback.
    [InlineData("mov r3=1 ;;\n st1 [r22]=r3 ;;\n break.m 0x7 ;;\n break.m 0x12345 ;;\n st1 [r22]=r0 ;;\n", "")]
    public void What_is_out_of_the_ordinary_is_as_on_the_interpreter(string body, string inHandler)
    {
        Compare(Loop(body), inHandler + Advance + Return);
        if (!inHandler.Contains("8b8", StringComparison.Ordinal))
            Compare(Loop(body), inHandler + WithFrame + Advance + Return);
    }

    [Theory]
    [InlineData("break.m 0x7 ;;\n")]
    [InlineData("break.m 0x12345 ;;\n")]
    public void Events_are_delivered_behind_a_break_in_every_round(string body)
    {
        // The guest raises its own event, masked: it comes with SSM_I, or with the rfi that unmasks.
        const string Raise = """
            mov r3=1 ;;
            adds r14=1,r22 ;;
            st1 [r14]=r3 ;;
            st1 [r22]=r3 ;;

            """;
        const string Callback = """
            movl r16=0xfffffffffff00000 ;;
            st1 [r16]=r0 ;;
            movl r16=0x200000 ;;
            ld8 r17=[r16] ;;
            adds r17=1,r17 ;;
            st8 [r16]=r17 ;;
            break.m 0x1 ;;

            """;
        const string Unmasked = """
            movl r16=0xfffffffffff04880 ;;
            ld8 r17=[r16] ;;
            dep r17=-1,r17,14,1 ;;
            st8 [r16]=r17 ;;

            """;
        string program = Loop(Raise + body).Replace(Translated, Translated + ParavirtualProcessorTests.RegisterCallback, StringComparison.Ordinal);
        Compare(program, Advance + Unmasked + Return, (0x1800, Callback));
        Assert.All(_machines, static machine =>
        {
            Assert.True(machine.Domain.Memory.TryRead(Kernel.Results, out ulong events));
            Assert.Equal((ulong)Rounds + 1, events);
        });
    }

    // The handler takes values from tables, by the round: bits of IPSR that are exchanged, NaT bits, the bank.
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Any_values_in_the_shared_registers(int seed)
    {
        const ulong Tables = 0x28_0000;
        const string Tweak = """
            movl r16=0xfffffffffff00100 ;;
            ld8 r17=[r16] ;;
            adds r17=1,r17 ;;
            st8 [r16]=r17 ;;
            dep.z r17=r17,4,6 ;;
            movl r18=0x280000 ;;
            add r18=r17,r18 ;;
            ld8 r19=[r18],8 ;;
            movl r16=0xfffffffffff04880 ;;
            ld8 r17=[r16] ;;
            xor r17=r19,r17 ;;
            st8 [r16]=r17 ;;
            ld8 r19=[r18] ;;
            movl r16=0xfffffffffff04500 ;;
            st8 [r16]=r19 ;;

            """;
        const ulong Bits = 1 << 2 | 1 << 3 | 1 << 14 | 1 << 18 | 1 << 19 | 1 << 20 | 1 << 21 | 1 << 22 | 1 << 23;
        void Fill(ParavirtualMachine machine)
        {
            var random = new Random(seed);
            for (ulong k = 0; k < 64; k++)
            {
                ulong[] entry = [(ulong)random.NextInt64() & (ulong)random.NextInt64() & Bits, random.Next(4) == 0 ? (ulong)random.Next(64) << 24 & 0x3F00 << 2 : 0];
                for (int word = 0; word < 2; word++)
                    machine.Domain.Memory.Write(Tables + 16 * k + 8 * (ulong)word, BitConverter.GetBytes(entry[word]));
            }
        }

        _prepare = Fill;
        Compare(Loop("break.m 0x12345 ;;\n break.m 0x9 ;;\n break.m 0x19 ;;\n"), WithFrame + Advance + Tweak + Return);
    }

    public void Dispose() => _machines.ForEach(static machine => machine.Dispose());
}
