using FastXen.Core;
using FastXen.Xen.Memory;
using FastXen.Xen.Migration;
using FastXen.Xen.Tests.Processor;

namespace FastXen.Xen.Tests.Migration;

/// <summary>A domain that suspends itself goes on in another one, of the same or another engine.</summary>
public sealed unsafe class SavedDomainTests
{
    public static TheoryData<EngineKind, EngineKind> Engines => new()
    {
        { EngineKind.Interpreter, EngineKind.Interpreter },
        { EngineKind.Translator, EngineKind.Interpreter },
        { EngineKind.Interpreter, EngineKind.Translator },
        { EngineKind.Translator, EngineKind.Translator },
    };

    // A kernel with registers of all kinds in use, a translation register for region 5, frames on the register stack; it suspends itself, and stores what it has then.
    private const string Program = """
        movl r8=0xa000000000000000 ;;
        movl r9=0x539 ;;
        break 0x11 ;;
        movl r3=0xfffffffffff048a0 ;;
        movl r14=0xa000000000000000 ;;
        st8 [r3]=r14 ;;
        adds r3=8,r3 ;;
        mov r15=24<<2 ;;
        st8 [r3]=r15 ;;
        mov r8=1 ;;
        movl r9=0x0010000000000661 ;;
        break 0xf ;;
        movl r3=0x180000 ;;
        mov ar.rsc=0 ;;
        mov ar.bspstore=r3 ;;
        mov ar.rsc=3 ;;
        alloc r3=ar.pfs,0,8,1,8 ;;
        mov r32=0x111 ;;
        mov r33=0x222 ;;
        mov ar.lc=2 ;;
        mov ar.ec=1 ;;
        1: br.ctop.sptk.few 1b ;;
        mov r40=0x333 ;;
        br.call.sptk.many b0=2f ;;
        st8 [r20]=r40,8 ;;
        st8 [r20]=r35,8 ;;
        movl r14=0xa000000000200208 ;;
        st8 [r14]=r5 ;;
        getf.sig r14=f43 ;;
        st8 [r20]=r14,8 ;;
        mov r14=ar.lc ;;
        st8 [r20]=r14,8 ;;
        tnat.nz p6,p7=r6 ;;
        mov r14=0 ;;
        (p6) mov r14=1 ;;
        st8 [r20]=r14,8 ;;
        mov r14=ar.itc ;;
        st8 [r20]=r14,8 ;;
        clrrrb ;;

        """;

    private const string Callee = """
        2: alloc r3=ar.pfs,1,2,2,0 ;;
        mov r33=b0 ;;
        mov r34=r3 ;;
        mov r5=0x555 ;;
        mov r14=0x777 ;;
        setf.sig f40=r14 ;;
        mov ar.lc=0x59 ;;
        movl r14=0x190000 ;;
        mov r15=1 ;;
        shl r15=r15,50 ;;
        mov ar.unat=r15 ;;
        movl r14=0x190190 ;;
        st8 [r14]=r0 ;;
        ld8.fill r6=[r14] ;;
        mov r14=ar.itc ;;
        movl r3=0x200300 ;;
        st8 [r3]=r14 ;;
        movl r14=0x1a0000 ;;
        mov r15=2 ;;
        st4 [r14]=r15 ;;
        mov r35=2 ;;
        movl r36=0x80000000001a0000 ;;
        br.call.sptk.many b0=3f ;;
        st8 [r20]=r8,8 ;;
        mov b0=r33 ;;
        mov ar.pfs=r34 ;;
        br.ret.sptk.many b0 ;;
        3: mov r2=29 ;;
        break 0x1000 ;;
        br.ret.sptk.many b0 ;;

        """;

    [Theory]
    [MemberData(nameof(Engines))]
    public void What_suspends_itself_goes_on_elsewhere(EngineKind before, EngineKind after)
    {
        using var host = new XenHost();
        using MemoryStream file = new();
        using (Kernel kernel = new(before, Program + Kernel.Stop + Callee))
        {
            Assert.Equal((VcpuStop.Halted, ShutdownReason.Suspend), (kernel.Stopped, kernel.Machine.ShutdownReason));
            PutStartInfo(kernel.Machine);
            Assert.True(kernel.Machine.Domain.Memory.Release(5));
            SavedDomain.Save(kernel.Machine, file);
        }

        RestoredDomain restored = Restore(host, file, after);
        using ParavirtualMachine machine = restored.Machine;
        Assert.Equal((2, 1, 0x123UL, 0x124UL), (restored.StorePort, restored.ConsolePort, restored.StoreFrame, restored.ConsoleFrame));
        Assert.Equal(FrameKind.Hole, machine.Domain.Memory.Lookup(5).Kind);
        Vcpu vcpu = machine.Vcpus[0].Processor;
        vcpu.RunLimit = 1_000_000;
        Assert.True(vcpu.Run() == VcpuStop.PowerOff, vcpu.CrashReason);
        ulong Result(ulong index)
        {
            Assert.True(machine.Domain.Memory.TryRead(Kernel.Results + 8 * index, out ulong value));
            return value;
        }

        // The hypercall says that this is another domain; then the frames, and what the caller kept in all kinds of registers.
        Assert.Equal((0UL, 0x333UL, 0x111UL), (Result(0), Result(1), Result(2)));
        Assert.Equal((0x777UL, 0x59UL, 1UL), (Result(3), Result(4), Result(5)));
        Assert.Equal(0x555UL, Result(0x41));
        // Its time goes on where it was.
        Assert.InRange(Result(6), Result(0x60), Result(0x60) + 1000);
    }

    [Fact]
    public void Only_a_domain_that_has_suspended_itself_is_saved()
    {
        using Kernel kernel = new(EngineKind.Interpreter, Kernel.Stop);
        Assert.Throws<InvalidOperationException>(() => SavedDomain.Save(kernel.Machine, new MemoryStream()));
    }

    [Fact]
    public void Files_that_are_broken_are_refused()
    {
        using var host = new XenHost();
        using MemoryStream file = new();
        using (Kernel kernel = new(EngineKind.Interpreter, Program + Kernel.Stop + Callee))
        {
            PutStartInfo(kernel.Machine);
            SavedDomain.Save(kernel.Machine, file);
        }

        byte[] good = file.ToArray();
        // Each byte of the beginning, and lengths: either it is refused, or it is a domain with other content.
        int refused = 0;
        for (int at = 0; at < 12_000; at += 37)
        {
            byte[] bad = [.. good];
            bad[at] ^= 0xFF;
            refused += IsRefused(host, bad) ? 1 : 0;
        }

        Assert.True(IsRefused(host, good[..^1]));
        Assert.True(IsRefused(host, good[..5000]));
        Assert.True(refused > 0);
        Assert.False(IsRefused(host, good));
        Assert.Empty(host.Directory.All);
    }

    private static bool IsRefused(XenHost host, byte[] bytes)
    {
        try
        {
            using ParavirtualMachine machine = Restore(host, new MemoryStream(bytes), EngineKind.Interpreter).Machine;
            return false;
        }
        catch (InvalidDataException)
        {
            return true;
        }
    }

    private static RestoredDomain Restore(XenHost host, MemoryStream file, EngineKind engine)
    {
        file.Position = 0;
        return SavedDomain.Restore(host, 7, saved => saved with { Engine = engine, Deterministic = true }, file);
    }

    // What a builder would have left: the console's port before the store's.
    private static void PutStartInfo(ParavirtualMachine machine)
    {
        const ulong Frame0 = 0x100;
        Assert.True(machine.Domain.Memory.TryWrite((Frame.WindowStart << Frame.Shift) + 0x1010, Frame0));
        ulong page = Frame0 << Frame.Shift;
        Assert.True(machine.Domain.Memory.TryWrite(page + 0x38, 0x123UL) && machine.Domain.Memory.TryWrite(page + 0x40, 2u));
        Assert.True(machine.Domain.Memory.TryWrite(page + 0x48, 0x124UL) && machine.Domain.Memory.TryWrite(page + 0x50, 1u));
    }
}
