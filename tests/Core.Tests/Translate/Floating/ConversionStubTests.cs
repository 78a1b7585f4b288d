using FastXen.Core.Float;
using FastXen.Core.Tests.Float;

namespace FastXen.Core.Tests.Translate.Floating;

/// <summary>Conversions and seeds against the float room.</summary>
public sealed unsafe class ConversionStubTests : IDisposable
{
    private const ulong Masked = 0x3f | (0xeUL << 6);
    private readonly StubMachine _machine = new();
    private readonly Operands _operands = new(11);

    public void Dispose() => _machine.Dispose();

    private FloatRegister Any()
    {
        FloatRegister f = _operands.Below(4) switch
        {
            0 => _operands.Register(0x1001f, 34),
            1 => _operands.Register(0x1003e, 2),
            2 => _operands.Register(1 + _operands.Below(0x1fffe), 2),
            _ => new FloatRegister((uint)_operands.Below(0x40000), _operands.Bits() << _operands.Below(64)),
        };
        if (_operands.Below(50) == 0)
            f = _operands.Below(3) switch { 0 => FloatRegister.NatVal, 1 => default, _ => new FloatRegister(0x20000, 0) };
        if (_operands.Below(50) == 0)
            f.Tag = 1;
        return f;
    }

    [Fact]
    public void To_integers_by_truncation()
    {
        int done = 0;
        for (int n = 0; n < 1_000_000; n++)
        {
            FloatRegister f = Any();
            foreach (bool signed in (bool[])[true, false])
            {
                StubMachine.Outcome got = _machine.Call(signed ? _machine.Stubs.ToSigned : _machine.Stubs.ToUnsigned, f);
                var status = new FloatStatus(Masked, 0);
                status.Truncate();
                ulong want = signed ? FloatConversion.ToSigned(f, ref status) : FloatConversion.ToUnsigned(f, ref status);
                bool plain = f.Tag == 0 && !f.IsNatVal && (status.Flags & ~FloatFlags.Inexact) == 0;
                if (got.Success)
                {
                    Assert.True(plain, $"{f} is not ordinary");
                    Assert.Equal((MemoryFormat.FromInteger(want), status.Flags), (got.Value, got.Flags));
                    done++;
                }
                else
                {
                    // The smallest signed integer and small negative numbers made unsigned are left to the handlers.
                    Assert.True(!plain || (signed ? want == 1UL << 63 : want == 0 && f.Sign), $"{f} is ordinary");
                }
            }
        }

        Assert.InRange(done, 500_000, 2_000_000);
    }

    [Fact]
    public void From_integers()
    {
        for (int n = 0; n < 500_000; n++)
        {
            ulong integer = (ulong)((long)_operands.Bits() >> _operands.Below(64));
            FloatRegister want = FloatConversion.FromSigned(integer);
            StubMachine.Outcome got = _machine.Call(_machine.Stubs.FromInteger, MemoryFormat.FromInteger(integer));
            Assert.Equal((true, want), (got.Success, got.Value));
            Assert.Equal(got, _machine.Call(_machine.Stubs.FromIntegerInRax, default, bits: integer) with { Xmm0 = got.Xmm0, Flags = got.Flags });
        }

        Assert.Equal(default, _machine.Call(_machine.Stubs.FromIntegerInRax, default, bits: 0).Value);
        Assert.False(_machine.Call(_machine.Stubs.FromInteger, FloatRegister.NatVal).Success);
        Assert.False(_machine.Call(_machine.Stubs.FromInteger, new FloatRegister(FloatRegister.IntegerExponent, 5) { Tag = 1 }).Success);
    }

    [Fact]
    public void Reciprocal_seeds()
    {
        int done = 0;
        for (int n = 0; n < 500_000; n++)
        {
            FloatRegister a = Any(), b = Any();
            if (_operands.Below(2) == 0)
                a.SignExponent = (uint)Math.Clamp((int)b.Exponent + _operands.Below(5) - 2 + ((0xffff - 2) * (_operands.Below(3) - 1)), 1, 0x1ffff);
            if (_operands.Below(3) == 0)
                b.SignExponent = 0x1fffa + (uint)_operands.Below(6);
            StubMachine.Outcome got = _machine.Call(_machine.Stubs.Reciprocal, a, b);
            var status = new FloatStatus(Masked, 0);
            FloatRegister want = FloatApproximation.Reciprocal(a, b, out bool refine, ref status);
            bool plain = FloatKind.IsNormal(a) && FloatKind.IsNormal(b) && (a.Tag | b.Tag) == 0 && refine && status is { Fault: 0, Flags: 0 };
            Assert.True(plain == got.Success, $"{a} / {b}");
            if (plain)
            {
                Assert.Equal(want, got.Value);
                done++;
            }
        }

        Assert.InRange(done, 50_000, 500_000);
    }

    [Fact]
    public void Reciprocal_square_root_seeds()
    {
        int done = 0;
        for (int n = 0; n < 500_000; n++)
        {
            FloatRegister a = Any();
            if (_operands.Below(4) == 0)
                a.SignExponent = 60 + (uint)_operands.Below(10);
            StubMachine.Outcome got = _machine.Call(_machine.Stubs.ReciprocalSquareRoot, a);
            var status = new FloatStatus(Masked, 0);
            FloatRegister want = FloatApproximation.ReciprocalSquareRoot(a, out bool refine, ref status);
            bool plain = FloatKind.IsNormal(a) && a.Tag == 0 && refine && status is { Fault: 0, Flags: 0 };
            Assert.True(plain == got.Success, $"{a}");
            if (plain)
            {
                Assert.Equal(want, got.Value);
                done++;
            }
        }

        Assert.InRange(done, 50_000, 500_000);
    }

    [Fact]
    public void Registers_that_are_doubles()
    {
        int done = 0;
        for (int n = 0; n < 500_000; n++)
        {
            double d = _operands.Double();
            ulong bits = BitConverter.DoubleToUInt64Bits(d);
            FloatRegister want = MemoryFormat.FromDouble(bits);
            bool plain = double.IsNormal(d) || d == 0;
            StubMachine.Outcome got = _machine.Call(_machine.Stubs.FromDouble, default, bits: bits);
            Assert.True(plain == got.Success, $"{bits:x16}");
            if (plain)
                Assert.Equal(want, got.Value);

            StubMachine.Outcome back = _machine.Call(_machine.Stubs.ToDouble, want, bits: 1, writes: false);
            Assert.Equal(plain, back.Success);
            Assert.Equal(plain ? bits : 1, back.Xmm0);

            // Whatever is not exactly a double is refused.
            FloatRegister other = Any();
            ulong cut = MemoryFormat.ToDouble(other);
            bool exact = MemoryFormat.FromDouble(cut) == other && (FloatKind.IsNormal(other) || (other.Significand | other.Exponent) == 0);
            StubMachine.Outcome converted = _machine.Call(_machine.Stubs.ToDouble, other, bits: 1, writes: false);
            Assert.True(converted.Success == (exact || other.Tag != 0), $"{other}");
            Assert.Equal(other.Tag != 0 ? other.Significand : exact ? cut : 1, converted.Xmm0);
            done += exact ? 1 : 0;
        }

        Assert.InRange(done, 1000, 500_000);
    }
}
