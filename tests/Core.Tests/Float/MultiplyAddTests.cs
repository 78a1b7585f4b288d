using FastXen.Core.Float;

namespace FastXen.Core.Tests.Float;

/// <summary>fma, fms and fnma against exact arithmetic and against the host's fused operation.</summary>
public class MultiplyAddTests
{
    private const ulong Masked = 0x3f;

    /// <summary>FPSR with all traps masked and the given controls in sf0.</summary>
    private static FloatStatus Status(uint control) => new(Masked | ((ulong)control << 6), 0);

    public static TheoryData<uint, bool, uint, int, int, int> Formats => new()
    {
        // completer, wre, pc, then what the manual's table says: bits, smallest and largest exponent
        { FloatFormat.Dynamic, false, 0, 24, 0xc001, 0x13ffe },
        { FloatFormat.Dynamic, false, 2, 53, 0xc001, 0x13ffe },
        { FloatFormat.Dynamic, false, 3, 64, 0xc001, 0x13ffe },
        { FloatFormat.Dynamic, true, 0, 24, 1, 0x1fffe },
        { FloatFormat.Dynamic, true, 2, 53, 1, 0x1fffe },
        { FloatFormat.Dynamic, true, 3, 64, 1, 0x1fffe },
        { FloatFormat.Single, false, 3, 24, 0xff81, 0x1007e },
        { FloatFormat.Single, true, 3, 24, 1, 0x1fffe },
        { FloatFormat.Double, false, 0, 53, 0xfc01, 0x103fe },
        { FloatFormat.Double, true, 0, 53, 1, 0x1fffe },
        { FloatFormat.Parallel, true, 3, 24, 0xff81, 0x1007e },
    };

    [Theory]
    [MemberData(nameof(Formats))]
    public void Random_operands_agree_with_exact_arithmetic(uint completer, bool wide, uint pc, int bits, int minimum, int maximum)
    {
        var operands = new Operands(bits + minimum);
        var format = new ExactModel.Format(bits, minimum, maximum);
        for (int n = 0; n < 30_000; n++)
        {
            // Products near the middle, near both ends of the range, and anywhere.
            (int centreA, int centreB) = operands.Below(4) switch
            {
                0 => (0xffff, 0xffff),
                1 => (minimum + operands.Below(3), 0xffff - operands.Below(70)),
                2 => (maximum - operands.Below(3), 0xffff),
                _ => (1 + operands.Below(0x1fffe), 0xffff),
            };
            int spread = operands.Below(3) == 0 ? 70 : 2;
            FloatRegister a = operands.Register(centreA, spread);
            FloatRegister b = operands.Register(centreB, spread);
            int near = (int)a.Exponent + (int)b.Exponent - 0xffff;
            FloatRegister c = operands.Register(near + operands.Below(5) - 2 + (operands.Below(3) == 0 ? operands.Below(280) - 140 : 0), 1);
            uint mode = (uint)operands.Below(4), flush = (uint)operands.Below(5) == 0 ? 1u : 0;
            bool negateProduct = operands.Below(3) == 0, negateAddend = operands.Below(3) == 0;

            FloatStatus status = Status(flush | (wide ? 2u : 0) | (pc << 2) | (mode << 4));
            FloatRegister got = MultiplyAdd.Compute(
                a, b, c, negateProduct ? FloatKind.SignBit : 0, negateAddend ? FloatKind.SignBit : 0, false,
                FloatFormat.Of(completer, status.Control), ref status);
            ExactModel.Result want = ExactModel.MultiplyAdd(a, b, c, negateProduct, negateAddend, format, (int)mode, flush != 0);

            string what = $"{(negateProduct ? "-" : "")}{a} * {b} {(negateAddend ? "-" : "+")} {c}, rc {mode}, ftz {flush}";
            Assert.True(got == want.Value, $"{what}: {got}, expected {want.Value}");
            uint flags = (want.Overflow ? FloatFlags.Overflow : 0) | (want.Underflow ? FloatFlags.Underflow : 0)
                | (want.Inexact ? FloatFlags.Inexact : 0);
            Assert.True(flags == (status.Flags & ~FloatFlags.Denormal), $"{what}: flags {status.Flags:x}, expected {flags:x}");
            Assert.Equal(0u, status.Fault | status.Trap);
        }
    }

    [Fact]
    public void An_enabled_inexact_trap_tells_whether_rounding_added_one()
    {
        var operands = new Operands(3);
        var format = new ExactModel.Format(53, 0xfc01, 0x103fe);
        for (int n = 0; n < 20_000; n++)
        {
            FloatRegister a = operands.Register(0xffff, 3), b = operands.Register(0xffff, 3), c = operands.Register(0xffff, 60);
            uint mode = (uint)operands.Below(4);
            var status = new FloatStatus((Masked & ~(ulong)FloatFlags.Inexact) | ((ulong)mode << 10), 0);
            MultiplyAdd.Compute(a, b, c, 0, 0, false, FloatFormat.Of(FloatFormat.Double, status.Control), ref status);
            ExactModel.Result want = ExactModel.MultiplyAdd(a, b, c, false, false, format, (int)mode, false);
            uint trap = want.Inexact ? FloatFlags.Inexact | (want.Away ? FloatFlags.RoundedAway : 0) : 0;
            Assert.True(trap == status.Trap, $"{a} * {b} + {c}, rc {mode}: {status.Trap:x}, expected {trap:x}");
        }
    }

    [Fact]
    public void Double_agrees_with_the_host()
    {
        var operands = new Operands(1);
        for (int n = 0; n < 300_000; n++)
        {
            double a = operands.Double(), b = operands.Double();
            double c = operands.Below(8) switch { 0 => -(a * b), 1 => 0, _ => operands.Double() };
            FloatStatus status = Status(0xc);
            FloatRegister got = MultiplyAdd.Compute(
                Register(a), Register(b), Register(c), 0, 0, false, FloatFormat.Of(FloatFormat.Double, status.Control), ref status);
            double want = Math.FusedMultiplyAdd(a, b, c);
            AssertSame(BitConverter.DoubleToUInt64Bits(want), double.IsNaN(want), MemoryFormat.ToDouble(got), got, $"{a:r} * {b:r} + {c:r}");

            // The residue of a product tells whether it was rounded, far from the ends of the range.
            if (c == 0 && Math.Abs(want) is > 1e-200 and < 1e300)
                Assert.True((Math.FusedMultiplyAdd(a, b, -want) != 0) == ((status.Flags & FloatFlags.Inexact) != 0), $"{a:r} * {b:r}");
        }
    }

    [Fact]
    public void Single_agrees_with_the_host()
    {
        var operands = new Operands(2);
        for (int n = 0; n < 300_000; n++)
        {
            float a = operands.Single(), b = operands.Single();
            float c = operands.Below(8) == 0 ? -(a * b) : operands.Single();
            FloatStatus status = Status(0xc);
            FloatRegister got = MultiplyAdd.Compute(
                Register(a), Register(b), Register(c), 0, 0, false, FloatFormat.Of(FloatFormat.Single, status.Control), ref status);
            float want = MathF.FusedMultiplyAdd(a, b, c);
            AssertSame(BitConverter.SingleToUInt32Bits(want), float.IsNaN(want), MemoryFormat.ToSingle(got), got, $"{a:r} * {b:r} + {c:r}");
        }
    }

    [Fact]
    public void A_product_without_addend_keeps_the_sign_of_zero()
    {
        FloatStatus status = Status(0xc);
        FloatFormat format = FloatFormat.Of(FloatFormat.Double, status.Control);
        var minusZero = new FloatRegister(FloatKind.SignBit, 0);
        Assert.Equal(minusZero, MultiplyAdd.Compute(minusZero, FloatRegister.One, default, 0, 0, true, format, ref status));
        Assert.Equal(default, MultiplyAdd.Compute(minusZero, FloatRegister.One, default, 0, 0, false, format, ref status));
        Assert.Equal(0u, status.Flags);
    }

    private static FloatRegister Register(double value) => MemoryFormat.FromDouble(BitConverter.DoubleToUInt64Bits(value));

    private static FloatRegister Register(float value) => MemoryFormat.FromSingle(BitConverter.SingleToUInt32Bits(value));

    private static void AssertSame(ulong want, bool isNan, ulong got, FloatRegister register, string what)
    {
        if (isNan)
            Assert.True(FloatKind.IsNan(register), $"{what}: {register}, expected a NaN");
        else
            Assert.True(want == got, $"{what}: {got:x}, expected {want:x}");
    }
}
