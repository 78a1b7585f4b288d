using FastXen.Core;
using FastXen.Core.State;
using FastXen.Xen.Memory;
using FastXen.Xen.Tests.Processor;
using FastXen.Xen.Toolstack;

namespace FastXen.Xen.Tests.Toolstack;

/// <summary>Registers go from one vCPU to another one.</summary>
public sealed class VcpuContextTests
{
    [Theory]
    [InlineData(EngineKind.Interpreter)]
    [InlineData(EngineKind.Translator)]
    public void A_domain_goes_on_in_another_where_it_was(EngineKind engine)
    {
        // Three frames deep, one of them rotated, with NaTs, a translation register and a floating-point register; the loop ends when memory says so.
        const ulong Flag = 0x30_0000;
        using Kernel kernel = new(engine, $"""
            movl r3=0x6000000000000000 ;;
            movl r14=0x1234539 ;;
            mov rr[r3]=r14 ;;
            mov r14=0x38 ;;
            mov cr.itir=r14 ;;
            movl r14=0x6000000000100000 ;;
            mov cr.ifa=r14 ;;
            movl r14=0x10000000100661 ;;
            mov r15=3 ;;
            itr.d dtr[r15]=r14 ;;
            movl r14=0x123456789 ;;
            setf.sig f40=r14 ;;
            setf.sig f3=r14 ;;
            mov r33=0x111 ;;
            mov r39=0x222 ;;
            br.call.sptk b0=1f ;;
            {Kernel.Say("r33")}
            {Kernel.Say("r39")}
            {Kernel.Stop}
            1:
            alloc r48=ar.pfs,0,24,0,16 ;;
            mov r49=b0 ;;
            mov r33=0x333 ;;
            mov r40=0x444 ;;
            mov ar.lc=2 ;;
            mov ar.ec=1 ;;
            4:
            br.ctop.sptk 4b ;;
            movl r14={Flag} ;;
            2:
            ld8 r15=[r14] ;;
            cmp.eq p6,p0=0,r15 ;;
            (p6) br.cond.sptk 2b ;;
            {Kernel.Say("r43")}
            {Kernel.Say("r36")}
            getf.sig r15=f43 ;;
            {Kernel.Say("r15")}
            getf.sig r15=f3 ;;
            {Kernel.Say("r15")}
            mov b0=r49 ;;
            clrrrb ;;
            mov r15=0x9ab ;;
            {Kernel.Say("r15")}
            mov ar.pfs=r48 ;;
            br.ret.sptk b0 ;;
            """);
        Assert.True(kernel.Stopped == VcpuStop.None, kernel.Machine.Vcpus[0].Processor.CrashReason);
        VcpuContext context = VcpuRegisters.Capture(kernel.Machine.Vcpus[0]);
        Assert.NotEqual(0UL, context.Dtr[3].Pte & 1);
        Assert.Equal((0x6000_0000_0010_0000UL, 0x12345UL), (context.Dtr[3].Va, context.Dtr[3].Rid));
        // Twice the same: looking changes nothing.
        byte[] bytes = context.ToBytes(DomctlVersion.Xen42);
        byte[] again = VcpuRegisters.Capture(kernel.Machine.Vcpus[0]).ToBytes(DomctlVersion.Xen42);
        const int Itc = 0x1f8 + 8 * Ar.Itc;
        bytes.AsSpan(Itc, 8).Clear();
        again.AsSpan(Itc, 8).Clear();
        Assert.Equal(bytes, again);

        using var other = new ParavirtualMachine(new XenHost(), 9, new ParavirtualConfiguration { Memory = 16 << 20, Engine = engine, Deterministic = true });
        byte[] frame = new byte[Frame.Size];
        for (ulong gpfn = 0; gpfn < other.Domain.Memory.ArenaFrames; gpfn++)
        {
            kernel.Machine.Domain.Memory.Read(gpfn << Frame.Shift, frame);
            other.Domain.Memory.Write(gpfn << Frame.Shift, frame);
        }

        other.Domain.Memory.TryWrite(Flag, 1UL);
        Assert.Equal(0, VcpuRegisters.Apply(other.Vcpus[0], VcpuContext.Read(DomctlVersion.Xen42, bytes)!));
        other.Vcpus[0].Processor.RunLimit = 1_000_000;
        Assert.Equal(VcpuStop.PowerOff, other.Vcpus[0].Processor.Run());
        ulong[] results = [.. Enumerable.Range(0, 7).Select(k => other.Domain.Memory.TryRead(Kernel.Results + 8 * (ulong)k, out ulong value) ? value : 0)];
        Assert.Equal([0x444UL, 0x333, 0x123456789, 0x123456789, 0x9ab, 0x111, 0x222], results);
        byte[] moved = VcpuRegisters.Capture(other.Vcpus[0]).ToBytes(DomctlVersion.Xen42);
        Assert.Equal(bytes[0x1280..0x12c0], moved[0x1280..0x12c0]);
        Assert.Equal(bytes[0x14f8..0x1678], moved[0x14f8..0x1678]);
    }

    [Fact]
    public void Stacked_registers_pass_collections_of_nats()
    {
        // A context does not begin at a collection.
        for (ulong start = 0; start < 63; start++)
        {
            var context = new VcpuContext();
            context.Ar[Ar.BspStore] = 0x1000 + 8 * start;
            for (int k = 0; k < 90; k++)
                context.Stacked.Add(((ulong)k * 7, k % 5 == 0));
            context.Ar[Ar.Bsp] = Core.Interpret.Rse.Skip(context.Ar[Ar.BspStore], 90);
            VcpuContext? read = VcpuContext.Read(DomctlVersion.Xen42, context.ToBytes(DomctlVersion.Xen42));
            Assert.Equal(context.Stacked, read!.Stacked);
        }
    }
}
