using FastXen.Core.Float;
using FastXen.Core.Tests.Float;
using FastXen.Core.Translate;
using Iced.Intel;

namespace FastXen.Core.Tests.Translate.Floating;

/// <summary>The multiply-add stubs against the float room: the same bits, the same inexactness, the same idea of what is ordinary.</summary>
public sealed unsafe class FusedStubTests : IDisposable
{
    private readonly StubMachine _machine = new();

    public void Dispose() => _machine.Dispose();

    public static TheoryData<FusedShape, uint, uint> Forms
    {
        get
        {
            var forms = new TheoryData<FusedShape, uint, uint>();
            foreach (FusedShape shape in (FusedShape[])[FusedShape.MultiplyAdd, FusedShape.Product, FusedShape.Sum])
            {
                // Completer; wre and pc.
                foreach ((uint completer, uint control) in ((uint, uint)[])[(0, 0xe), (0, 0xc), (0, 0xa), (0, 0x8), (0, 2), (0, 0), (1, 0xc), (1, 0xe), (2, 0xc), (2, 0xe)])
                    forms.Add(shape, completer, control);
            }

            return forms;
        }
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void All_operands_agree_with_the_float_room(FusedShape shape, uint completer, uint control)
    {
        FloatFormat format = FloatFormat.Of(completer, control);
        var operands = new Operands((int)((uint)shape + (16 * completer) + (64 * control)));
        int ordinary = 0;
        const int count = 150_000;
        for (int n = 0; n < count; n++)
        {
            (FloatRegister a, FloatRegister b, FloatRegister c) = Adversaries(operands, format);
            (bool negateProduct, bool negateAddend) = operands.Below(3) switch { 0 => (true, false), 1 => (false, true), _ => (false, false) };
            FloatRegister multiplicand = shape == FusedShape.Sum ? FloatRegister.One : b, addend = shape == FusedShape.Product ? FloatRegister.Zero : c;
            byte* stub = _machine.Stubs.Fused(shape, negateProduct, negateAddend, completer, control);
            StubMachine.Outcome got = _machine.Call(stub, a, b, c);

            bool expected = MultiplyAdd.TryOrdinary(
                a, multiplicand, addend, negateProduct ? FloatKind.SignBit : 0, negateAddend ? FloatKind.SignBit : 0, format, 0,
                out ulong significand, out uint signExponent, out bool inexact) && (a.Tag | multiplicand.Tag | addend.Tag) == 0;
            string what = $"{(negateProduct ? "-" : "")}{a} * {multiplicand} {(negateAddend ? "-" : "+")} {addend}";
            Assert.True(got.Success == expected, $"{what}: ordinary {expected}");
            if (!expected)
                continue;

            Assert.True(got.Value == new FloatRegister(signExponent, significand), $"{what}: {got.Value}, expected {new FloatRegister(signExponent, significand)}");
            Assert.True(got.Flags == (inexact ? FloatFlags.Inexact : 0), $"{what}: flags {got.Flags:x}");
            ordinary++;
        }

        Assert.InRange(ordinary, count / 4, count);
    }

    /// <summary>Operands that are near each other, cancel, carry, reach the ends of the range, or are not ordinary at all.</summary>
    private static (FloatRegister A, FloatRegister B, FloatRegister C) Adversaries(Operands operands, FloatFormat format)
    {
        int centreA = 0xffff, centreB = 0xffff;
        switch (operands.Below(8))
        {
            case 0: centreA = format.MinExponent + operands.Below(3); break;
            case 1: centreA = format.MaxExponent - operands.Below(3); break;
            case 2: centreA = 1 + operands.Below(0x1fffe); break;
        }

        FloatRegister a = operands.Register(centreA, 2), b = operands.Register(centreB, 2);
        int product = (int)a.Exponent + (int)b.Exponent - 0xffff;
        FloatRegister c = operands.Below(8) switch
        {
            0 => operands.Register(product, 1),
            1 => operands.Register(product + operands.Below(280) - 140, 1),
            2 => operands.Register(product + 64, 2),
            3 => operands.Register(product - 64, 2),
            4 => operands.Register(product, 40),
            5 => Near(operands, a, b),
            6 => Near(operands, a, b),
            _ => operands.Register(1 + operands.Below(0x1fffe), 0),
        };
        switch (operands.Below(100))
        {
            case 0: a = Unusual(operands); break;
            case 1: b = Unusual(operands); break;
            case 2: c = Unusual(operands); break;
            case 3: a.Tag = 1; break;
            case 4: b.Tag = 1; break;
            case 5: c.Tag = 1; break;
        }

        return (a, b, c);
    }

    /// <summary>What cancels the product nearly or exactly.</summary>
    private static FloatRegister Near(Operands operands, FloatRegister a, FloatRegister b)
    {
        if (!MultiplyAdd.TryOrdinary(a, b, default, 0, 0, FloatFormat.Of(0, 0xe), 0, out ulong significand, out uint signExponent, out _))
            return FloatRegister.Zero;
        // A distance of 1 cancels when the product is just below a power of two.
        if (operands.Below(4) == 0)
            return new FloatRegister((signExponent + 1) ^ ((uint)operands.Below(2) << 17), (1UL << 63) + (ulong)operands.Below(3));
        ulong near = significand + (ulong)(long)(operands.Below(5) - 2);
        return new FloatRegister(signExponent ^ ((uint)operands.Below(2) << 17), (long)near < 0 ? near : significand);
    }

    private static FloatRegister Unusual(Operands operands) => operands.Below(6) switch
    {
        0 => new FloatRegister(0x1ffff, 1UL << 63),
        1 => new FloatRegister(0x3ffff, 3UL << 62),
        2 => FloatRegister.NatVal,
        3 => new FloatRegister(0, operands.Bits()),
        4 => new FloatRegister(0x1ffff, 0),
        _ => new FloatRegister(0x20000, 0),
    };

    [Theory]
    [InlineData(0, 0xe)]
    [InlineData(0, 0xc)]
    [InlineData(0, 0xa)]
    [InlineData(0, 0)]
    [InlineData(1, 0xc)]
    [InlineData(2, 0xc)]
    public void Unnormal_operands_are_normalized(uint completer, uint control)
    {
        FloatFormat format = FloatFormat.Of(completer, control);
        var operands = new Operands((int)(completer + control));
        int done = 0;
        for (int n = 0; n < 300_000; n++)
        {
            FloatRegister a = operands.Below(3) switch
            {
                0 => MemoryFormat.FromInteger(operands.Bits() >> operands.Below(64)),
                1 => new FloatRegister((uint)operands.Below(0x40000), operands.Bits() >> operands.Below(64)),
                _ => Adversaries(operands, format).A,
            };
            if (operands.Below(20) == 0)
                a = operands.Below(4) switch { 0 => MemoryFormat.FromInteger(0), 1 => FloatRegister.NatVal, 2 => new FloatRegister(0x3fffe, 0), _ => Unusual(operands) };
            bool negate = operands.Below(2) != 0;
            StubMachine.Outcome got = _machine.Call(_machine.Stubs.Fused(FusedShape.Normalization, negate, operands.Below(2) != 0, completer, control), a);

            var status = new FloatStatus(0x3f | ((ulong)control << 6), 0);
            FloatRegister want = MultiplyAdd.Compute(
                a, FloatRegister.One, FloatRegister.Zero, negate ? FloatKind.SignBit : 0, 0, multiplyOnly: true, format, ref status);
            // NaTVal and zeros with its exponent are left out, and so is the exponent of the double-extended denormals.
            bool finite = a.Tag == 0 && (a.Significand == 0 ? a.Exponent < 0x1fffe : a.Exponent is >= 1 and <= 0x1fffe);
            bool expected = finite && (a.Significand == 0 || (FloatKind.IsNormal(want) && format.Holds((int)want.Exponent) && (status.Flags & FloatFlags.Underflow) == 0));
            Assert.True(got.Success == expected, $"{a}: ordinary {expected}");
            if (!got.Success)
                continue;
            Assert.Equal((want, status.Flags), (got.Value, got.Flags));
            done++;
        }

        Assert.InRange(done, 60_000, 300_000);
    }

    [Fact]
    public void The_sequences_of_division_are_ordinary()
    {
        // Intel's algorithm for double-extended quotients, all but its seed by the stubs.
        var operands = new Operands(77);
        for (int n = 0; n < 50_000; n++)
        {
            var a = new FloatRegister(0xffff + (uint)operands.Below(9) - 4, operands.Significand());
            var b = new FloatRegister(0xffff + (uint)operands.Below(9) - 4, operands.Significand());
            FloatRegister y = _machine.Call(_machine.Stubs.Reciprocal, a, b).Value;
            FloatRegister one = FloatRegister.One;
            FloatRegister e = Fused(b, y, one, negateProduct: true);
            FloatRegister q = Product(a, y);
            FloatRegister e2 = Product(e, e);
            y = Fused(e, y, y);
            y = Fused(e2, y, y);
            e = Fused(b, y, one, negateProduct: true);
            y = Fused(e, y, y);
            q = Product(a, y);
            FloatRegister r = Fused(b, q, a, negateProduct: true);
            if (r.Significand != 0)
                q = Fused(r, y, q);

            FloatRegister exactRest = r.Significand == 0 ? default : Fused(b, q, a, negateProduct: true);
            // The remainder of a correctly rounded quotient is at most half a unit of it times the divisor.
            Assert.True(exactRest.Significand == 0 || exactRest.Exponent + 64 <= q.Exponent + b.Exponent - 0xffff + 1, $"{a} / {b} = {q}, rest {exactRest}");
        }
    }

    private FloatRegister Fused(FloatRegister a, FloatRegister b, FloatRegister c, bool negateProduct = false)
    {
        // A zero here (an exact step) is what the handlers do.
        if (a.Significand == 0 || b.Significand == 0)
            return c;
        StubMachine.Outcome outcome = _machine.Call(_machine.Stubs.Fused(FusedShape.MultiplyAdd, negateProduct, false, FloatFormat.Dynamic, 0xe), a, b, c);
        Assert.True(outcome.Success, $"{a} * {b} + {c}");
        return outcome.Value;
    }

    private FloatRegister Product(FloatRegister a, FloatRegister b)
    {
        if (a.Significand == 0 || b.Significand == 0)
            return default;
        StubMachine.Outcome outcome = _machine.Call(_machine.Stubs.Fused(FusedShape.Product, false, false, FloatFormat.Dynamic, 0xe), a, b);
        Assert.True(outcome.Success, $"{a} * {b}");
        return outcome.Value;
    }

    [Fact]
    public void The_target_may_be_an_operand()
    {
        var operands = new Operands(5);
        for (int n = 0; n < 1000; n++)
        {
            FloatRegister a = new(0xffff, operands.Significand()), b = new(0x10000, operands.Significand()), c = new(0x2fffe, operands.Significand());
            byte* stub = _machine.Stubs.Fused(FusedShape.MultiplyAdd, false, false, FloatFormat.Dynamic, 0xe);
            FloatRegister want = _machine.Call(stub, a, b, c).Value;
            for (int target = 0; target < 3; target++)
                Assert.Equal(want, _machine.CallInPlace(stub, a, b, c, target));
        }
    }

    [Theory]
    [InlineData(0x10)]
    [InlineData(0x20)]
    [InlineData(0x3e)]
    public void There_are_none_for_other_rounding_modes(uint control) =>
        Assert.True(_machine.Stubs.Fused(FusedShape.MultiplyAdd, false, false, FloatFormat.Dynamic, control) == null);

    [Fact]
    public void Only_the_named_registers_are_lost()
    {
        Register[] free =
        [
            Register.RAX, Register.RCX, Register.RDX, Register.RSI, Register.RDI, Register.R8, Register.R9, Register.R10, Register.R11, Register.XMM0,
        ];
        const int tables = 2 * ApproximationStubs.TableEntries * sizeof(ushort);
        byte[] code = _machine.Code[tables..].ToArray();
        var decoder = Decoder.Create(64, code);
        var factory = new InstructionInfoFactory();
        int returns = 0;
        while (decoder.IP < (ulong)code.Length)
        {
            Instruction instruction = decoder.Decode();
            Assert.False(instruction.IsInvalid);
            Assert.True(instruction.FlowControl is FlowControl.Next or FlowControl.ConditionalBranch or FlowControl.UnconditionalBranch or FlowControl.Return, instruction.ToString());
            if (instruction.FlowControl == FlowControl.Return)
            {
                returns++;
                continue;
            }

            foreach (UsedRegister used in factory.GetInfo(instruction).GetUsedRegisters())
            {
                bool written = used.Access is not (OpAccess.Read or OpAccess.CondRead or OpAccess.None);
                Register full = used.Register.IsVectorRegister() ? Register.XMM0 + used.Register.GetNumber() : used.Register.GetFullRegister();
                Assert.True(!written || free.Contains(full), instruction.ToString());
            }
        }

        Assert.True(returns > 100);
    }
}
