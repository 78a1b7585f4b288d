using System.Numerics;
using FastXen.Core.Float;
using FastXen.Platform.Firmware;

namespace FastXen.Platform.Tests.Firmware;

public sealed unsafe class FpswaTests : IDisposable
{
    private const ulong Bundle = 0x200_0000, Ipsr = 0x200_0100, Fpsr = 0x200_0108, Isr = 0x200_0110, Predicates = 0x200_0118,
        Ifs = 0x200_0120, State = 0x200_0200, LowVolatile = 0x200_0400;
    private const string Frcpa = "0d00000001008048a0ca010000000400"; // frcpa.s1 f8,p37=f9,f40
    private const string Frsqrta = "0d00000001008000248c050000000400"; // frsqrta.s1 f8,p6=f9
    private const string Fma = "0d000000010080582414480000000400"; // fma.d.s0 f8=f9,f10,f11
    private const ulong SlotOne = 1ul << 41, DefaultFpsr = 0x0009_804c_0270_033f;
    private const ulong SoftwareAssist = 8;
    private readonly TestMachine machine = new();

    public void Dispose() => machine.Dispose();

    private (long Status, FloatRegister Result) Call(string bundle, FloatRegister f9, ulong trap = 1, ulong isr = SoftwareAssist, ulong fpsr = DefaultFpsr, ulong ifs = 0)
    {
        Assert.True(machine.Processor.TryWrite(Bundle, Convert.FromHexString(bundle)));
        foreach ((ulong address, ulong value) in ((ulong, ulong)[])[(Ipsr, SlotOne), (Fpsr, fpsr), (Isr, isr), (Predicates, ulong.MaxValue), (Ifs, ifs),
            (State, 0xfc0), (State + 8, 0), (State + 24, LowVolatile), (LowVolatile + 48, f9.Significand), (LowVolatile + 56, f9.SignExponent)])
            machine.Memory.Write(address, value);
        long status = machine.Call(FirmwareService.Fpswa, trap, Bundle, Ipsr, Fpsr, Isr, Predicates, Ifs, State).Status;
        return (status, new FloatRegister(machine.Memory.Read<uint>(LowVolatile + 40), machine.Memory.Read<ulong>(LowVolatile + 32)));
    }

    private ulong U64(ulong address) => machine.Memory.Read<ulong>(address);

    [Fact]
    public void The_quotient_of_tiny_numbers_is_exact_and_rounded_once()
    {
        Random random = new(7);
        for (int n = 0; n < 500; n++)
        {
            ulong a = (ulong)random.NextInt64() | 1ul << 63, b = (ulong)random.NextInt64() | 1ul << 63;
            machine.Processor.State->RotatingFr[40] = new FloatRegister(0x30, b);
            var (status, result) = Call(Frcpa, new FloatRegister(0x20 | 0x20000, a));
            Assert.Equal(0, status);
            BigInteger quotient = BigInteger.DivRem((BigInteger)a << (a >= b ? 63 : 64), b, out BigInteger rest);
            if (2 * rest > b || 2 * rest == b && !quotient.IsEven)
                quotient++;
            Assert.Equal(new FloatRegister((uint)(0xffff - 0x10 - (a >= b ? 0 : 1)) | 0x20000, (ulong)quotient), result);
            Assert.Equal(rest.IsZero ? 0ul : 0x20, U64(Fpsr) >> 26 & 0x3f); // inexact, in s1
            Assert.Equal(~(1ul << 37), U64(Predicates));
        }
    }

    [Fact]
    public void The_root_of_a_tiny_number_is_exact_and_rounded_once()
    {
        Random random = new(8);
        for (int n = 0; n < 500; n++)
        {
            ulong a = (ulong)random.NextInt64() | 1ul << 63;
            uint exponent = (uint)random.Next(1, 65);
            var (status, result) = Call(Frsqrta, new FloatRegister(exponent, a));
            Assert.Equal(0, status);
            int odd = (int)exponent - 0xffff & 1;
            BigInteger square = (BigInteger)a << (63 + odd), root = result.Significand;
            // |root - sqrt| <= 1/2: (2 root - 1)^2 < 4 square < (2 root + 1)^2.
            Assert.InRange(4 * square, BigInteger.Pow(2 * root - 1, 2), BigInteger.Pow(2 * root + 1, 2));
            Assert.Equal((uint)(((int)exponent - 0xffff - odd) / 2 + 0xffff), result.SignExponent);
            Assert.Equal(~(1ul << 6), U64(Predicates));
        }
    }

    [Fact]
    public void Registers_and_predicates_rotate_with_the_program_not_with_the_kernel()
    {
        // rrb.fr 5, rrb.pr 30: f40 is physical 45, p37 is physical 16 + (21 + 30) % 48 = 19.
        const ulong ifs = 5ul << 25 | 30ul << 32;
        machine.Processor.State->RotatingFr[45] = new FloatRegister(0x20, 1ul << 63);
        var (status, result) = Call(Frcpa, new FloatRegister(0x20, 1ul << 63), ifs: ifs);
        Assert.Equal((0L, FloatRegister.One), (status, result));
        Assert.Equal(~(1ul << 19), U64(Predicates));
    }

    [Theory]
    [InlineData(1ul, 1ul)] // invalid
    [InlineData(1ul, 2ul)] // denormal
    [InlineData(1ul, 4ul)] // zero divide
    [InlineData(0ul, 0x2001ul)] // inexact trap
    public void Exceptions_of_the_program_are_left_to_it(ulong trap, ulong isr)
    {
        FloatRegister before = new(0x1234, 1ul << 63);
        var (status, _) = Call(Fma, before, trap, isr);
        Assert.Equal(1, status);
        Assert.Equal((isr, DefaultFpsr, ulong.MaxValue), (U64(Isr), U64(Fpsr), U64(Predicates)));
    }

    [Fact]
    public void An_enabled_denormal_exception_comes_before_the_result()
    {
        machine.Processor.State->RotatingFr[40] = new FloatRegister(0x20, 1ul << 63);
        const ulong s1TrapsDisabled = 1ul << 25;
        var (status, _) = Call(Frcpa, new FloatRegister(0x20, 1), fpsr: DefaultFpsr & ~s1TrapsDisabled & ~2ul);
        Assert.Equal((1L, FloatFlags.Denormal), (status, (uint)U64(Isr)));
        Assert.Equal(ulong.MaxValue, U64(Predicates));
    }

    [Fact]
    public void An_enabled_inexact_exception_comes_after_the_result()
    {
        machine.Processor.State->RotatingFr[40] = new FloatRegister(0x20, 3ul << 62);
        const ulong s1TrapsDisabled = 1ul << 25;
        var (status, result) = Call(Frcpa, new FloatRegister(0x20, 1ul << 63), fpsr: DefaultFpsr & ~s1TrapsDisabled & ~0x20ul);
        Assert.Equal(3, status);
        Assert.Equal(new FloatRegister(0xfffe, 0xaaaa_aaaa_aaaa_aaab), result);
        Assert.Equal(0x2000ul, U64(Isr) & 0x2200); // what Linux looks at
        Assert.Equal(~(1ul << 37), U64(Predicates));
    }

    [Fact]
    public void Assistance_for_anything_else_fails()
    {
        Assert.Equal(-1, Call(Fma, FloatRegister.One).Status);
        Assert.Equal(-1, machine.Call(FirmwareService.Fpswa, 1, ulong.MaxValue, Ipsr, Fpsr, Isr, Predicates, Ifs, State).Status);
    }
}
