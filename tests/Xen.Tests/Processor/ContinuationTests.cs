using FastXen.Core;

namespace FastXen.Xen.Tests.Processor;

/// <summary>Hypercalls that are executed in pieces are one instruction to the guest.</summary>
public sealed class ContinuationTests
{
    private const int Frames = 800;

    public static TheoryData<EngineKind> Engines => [EngineKind.Interpreter, EngineKind.Translator];

    [Theory]
    [MemberData(nameof(Engines))]
    public void A_long_list_leaves_the_registers_alone(EngineKind engine)
    {
        // decrease_reservation of frames 200 to 999, whose list is at 0x304000; the reservation is at 0x300000.
        using Kernel kernel = new(engine, $"""
            movl r14=0x304000 ;;
            mov r15=200 ;;
            mov r16={Frames - 1} ;;
            mov ar.lc=r16 ;;
            1:
            st8 [r14]=r15,8 ;;
            adds r15=1,r15 ;;
            br.cloop.sptk 1b ;;
            movl r14=0x300000 ;;
            movl r15=0x8000000000304000 ;;
            st8 [r14]=r15,8 ;;
            mov r15={Frames} ;;
            st8 [r14]=r15,8 ;;
            st8 [r14]=r0,8 ;;
            mov r15=0x7ff0 ;;
            st8 [r14]=r15 ;;
            mov r32=1 ;;
            movl r33=0x8000000000300000 ;;
            mov r34=0x77 ;;
            mov r2=12 ;;
            break 0x1000 ;;
            {Kernel.Say("r8")}
            {Kernel.Say("r32")}
            {Kernel.Say("r33")}
            {Kernel.Say("r34")}
            {Kernel.Stop}
            """);
        Assert.Equal(VcpuStop.PowerOff, kernel.Stopped);
        Assert.Equal(((ulong)Frames, 1UL, 0x8000_0000_0030_0000UL, 0x77UL), (kernel.Result(0), kernel.Result(1), kernel.Result(2), kernel.Result(3)));
        Assert.Equal(1024 - Frames, kernel.Machine.Domain.Memory.Populated);
    }
}
