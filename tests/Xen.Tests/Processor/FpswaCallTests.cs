using System.Globalization;
using FastXen.Core;
using FastXen.Core.Float;

namespace FastXen.Xen.Tests.Processor;

/// <summary>The software assist as a hypercall with its arguments in registers (dom_fw.h, <c>FW_HYPERCALL_FPSWA</c>), as the stub that Xen's own domain builder writes calls it.</summary>
public sealed class FpswaCallTests
{
    private const ulong Bank = 0x30_0000, SlotOne = 1ul << 41, Fpsr = 0x0009_804c_0270_033f, SoftwareAssist = 8;

    // frsqrta.s1 f8,p6=f9 in slot 1.
    private static readonly byte[] Frsqrta = Convert.FromHexString("0d00000001008000248c050000000400");

    private static string Call(ulong kind, ulong isr)
    {
        ulong[] arguments =
        [
            kind, BitConverter.ToUInt64(Frsqrta), BitConverter.ToUInt64(Frsqrta, 8), SlotOne, Fpsr, isr, ulong.MaxValue, 0, 0xfc0, 0, 0, Bank, 0, 0,
        ];
        // f9, a tiny number, is in memory as f6 to f11 are: 2^63 at exponent 1.
        return $"""
            movl r2=0x{Bank + 48:x} ;;
            movl r3=0x8000000000000000 ;;
            st8 [r2]=r3,8 ;;
            mov r3=1 ;;
            st8 [r2]=r3 ;;

            """
            + string.Concat(arguments.Select(static (argument, n) => string.Create(CultureInfo.InvariantCulture, $"movl r{14 + n}=0x{argument:x} ;;\n")))
            + "movl r2=0x501 ;;\nbreak 0x1000 ;;\nmov r3=r20 ;;\nmovl r20=0x200000 ;;\n"
            + Kernel.Say("r8") + Kernel.Say("r3") + Kernel.Say("r17") + Kernel.Say("r19") + Kernel.Stop;
    }

    [Theory]
    [InlineData(EngineKind.Interpreter)]
    [InlineData(EngineKind.Translator)]
    public void A_fault_is_completed_in_the_registers_that_are_in_memory(EngineKind engine)
    {
        using Kernel kernel = new(engine, Call(1, SoftwareAssist));
        Assert.Equal([0ul, ~(1ul << 6), SlotOne | 1ul << 4, SoftwareAssist], [kernel.Result(0), kernel.Result(1), kernel.Result(2), kernel.Result(3)]);
        Assert.True(kernel.Machine.Domain.Memory.TryRead(Bank + 32, out ulong significand));
        Assert.True(kernel.Machine.Domain.Memory.TryRead(Bank + 40, out ulong signExponent));
        // The root of 2^-65534.
        Assert.Equal(new FloatRegister(0xffff - 32767, 1ul << 63), new FloatRegister((uint)signExponent, significand));
    }

    [Fact]
    public void An_exception_that_is_enabled_is_the_programs()
    {
        using Kernel kernel = new(EngineKind.Interpreter, Call(1, isr: 1));
        Assert.Equal([1ul, ulong.MaxValue], [kernel.Result(0), kernel.Result(1)]);
    }

    [Fact]
    public void Registers_in_no_memory_fail()
    {
        using Kernel kernel = new(EngineKind.Interpreter, Call(1, SoftwareAssist).Replace($"movl r25=0x{Bank:x}", "movl r25=0x7000000000000", StringComparison.Ordinal));
        Assert.Equal([ulong.MaxValue, ulong.MaxValue], [kernel.Result(0), kernel.Result(1)]);
    }
}
