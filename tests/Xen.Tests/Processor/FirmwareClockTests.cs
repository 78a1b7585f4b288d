using FastXen.Core;

namespace FastXen.Xen.Tests.Processor;

/// <summary>EFI's clock and variables: the machine's, which dom0 has.</summary>
public sealed class FirmwareClockTests
{
    private const ulong Time = 0x30_0000, Unsupported = 0x8000_0000_0000_0003, NotFound = 0x8000_0000_0000_000e;

    // EFI's service with so many arguments (r32 on), then its status as the next result.
    private static string Efi(int service, params ulong[] arguments) =>
        string.Concat(arguments.Select(static (argument, n) => $"movl r{32 + n}=0x{argument:x} ;;\n"))
        + $"mov r2=0x{0x300 + service:x} ;;\nbreak 0x1000 ;;\n" + Kernel.Say("r8");

    // 2001-02-28 23:59:58 as EFI_TIME, stored at the time's place.
    private const string Set = """
        movl r14=0x300000 ;;
        movl r15=0x3a3b171c0207d1 ;;
        st8 [r14]=r15,8 ;;
        st8 [r14]=r0 ;;

        """;

    private static string SetAndGet => Set + Efi(1, Time) + Efi(0, Time + 0x100, 0) + "movl r14=0x300100 ;;\nld2 r15=[r14] ;;\n" + Kernel.Say("r15") + Kernel.Stop;

    [Theory]
    [InlineData(EngineKind.Interpreter)]
    [InlineData(EngineKind.Translator)]
    public void Dom0_sets_the_machines_clock(EngineKind engine)
    {
        using Kernel kernel = new(engine, isPrivileged: true, SetAndGet);
        Assert.Equal([0ul, 0ul, 2001ul], [kernel.Result(0), kernel.Result(1), kernel.Result(2)]);
    }

    [Fact]
    public void No_other_domain_does()
    {
        using Kernel kernel = new(EngineKind.Interpreter, SetAndGet);
        Assert.Equal(Unsupported, kernel.Result(0));
        Assert.Equal(0ul, kernel.Result(1));
        Assert.InRange(kernel.Result(2), 2024ul, 9998ul);
    }

    [Theory]
    [InlineData(true, NotFound)]
    [InlineData(false, Unsupported)]
    public void Variables_are_dom0s(bool isPrivileged, ulong status)
    {
        // The name "x" at the time's place, the vendor behind it; size and data further on.
        using Kernel kernel = new(EngineKind.Interpreter, isPrivileged, "movl r14=0x300000 ;;\nmov r15=0x78 ;;\nst8 [r14]=r15 ;;\n"
            + Efi(5, Time, Time + 0x10, 0, Time + 0x40, Time + 0x50)
            + Efi(7, Time, Time + 0x10, 7, 4, Time + 0x50) + Efi(5, Time, Time + 0x10, 0, Time + 0x40, Time + 0x50) + Kernel.Stop);
        Assert.Equal(status, kernel.Result(0));
        if (isPrivileged)
        {
            const ulong tooSmall = 0x8000_0000_0000_0005;
            Assert.Equal([0ul, tooSmall], [kernel.Result(1), kernel.Result(2)]);
        }
    }
}
