using FastXen.Core.Emit;
using static FastXen.Core.Tests.Emit.Listing;
using Assembler = FastXen.Core.Emit.Assembler;

namespace FastXen.Core.Tests.Emit;

/// <summary>Each vector instruction reads back as what was asked for, with all registers.</summary>
public sealed class VectorFormTests : IDisposable
{
    private readonly Listing _listing = new();

    public void Dispose() => _listing.Dispose();

    private void All(string name, Action<Assembler, HostVector, HostVector> emit, int width = 16, Func<HostVector, string>? middle = null, string end = "")
    {
        foreach (HostVector a in Vectors)
        {
            foreach (HostVector b in Vectors)
                _listing.AssertIs($"{name} {Name(a, width)}, {middle?.Invoke(b)}{Name(b, width)}{end}", x => emit(x, a, b));
        }
    }

    private void All(string name, Action<Assembler, HostVector, HostVector, HostVector> emit, int width = 16)
    {
        foreach (HostVector a in Vectors)
        {
            foreach (HostVector b in Vectors)
            {
                HostVector c = (HostVector)(((int)a * 5 + (int)b * 3 + 7) & 15);
                _listing.AssertIs($"{name} {Name(a, width)}, {Name(b, width)}, {Name(c, width)}", x => emit(x, a, b, c));
            }
        }
    }

    [Fact]
    public void Moves()
    {
        All("vmovaps", (x, a, b) => x.VectorMove(a, b));
        foreach (HostVector v in Vectors)
        {
            _listing.AssertIs($"vxorps {Name(v)}, {Name(v)}, {Name(v)}", x => x.VectorZero(v));
            foreach (HostRegister r in Registers)
            {
                _listing.AssertIs($"vmovq {Name(v)}, {Name(r)}", x => x.MoveToVector(v, r));
                _listing.AssertIs($"vmovd {Name(v)}, {Name(r, 4)}", x => x.MoveToVector(v, r, 4));
                _listing.AssertIs($"vmovq {Name(r)}, {Name(v)}", x => x.MoveFromVector(r, v));
                _listing.AssertIs($"vmovd {Name(r, 4)}, {Name(v)}", x => x.MoveFromVector(r, v, 4));
                _listing.AssertIs($"vpmovmskb {Name(r, 4)}, {Name(v)}", x => x.MoveMask(r, v));
                _listing.AssertIs($"vpmovmskb {Name(r, 4)}, {Name(v, 32)}", x => x.MoveMask(r, v, 32));
            }

            foreach ((HostAddress address, string text) in SomeAddresses())
            {
                foreach ((int size, string name) in ((int, string)[])[(4, "vmovss"), (8, "vmovsd"), (16, "vmovdqu"), (32, "vmovdqu")])
                {
                    _listing.AssertIs($"{name} {Name(v, size)}, {Pointer(size)}{text}", x => x.VectorLoad(v, address, size));
                    _listing.AssertIs($"{name} {Pointer(size)}{text}, {Name(v, size)}", x => x.VectorStore(address, v, size));
                }
            }
        }

        foreach ((HostAddress address, string text) in SomeAddresses())
        {
            _listing.AssertIs($"vldmxcsr dword ptr {text}", x => x.LoadControl(address));
            _listing.AssertIs($"vstmxcsr dword ptr {text}", x => x.StoreControl(address));
        }

        _listing.AssertIs("vzeroupper", x => x.VectorZeroUpper());
    }

    [Theory]
    [InlineData(FloatOperation.Add, "vadd")]
    [InlineData(FloatOperation.Multiply, "vmul")]
    [InlineData(FloatOperation.Subtract, "vsub")]
    [InlineData(FloatOperation.Minimum, "vmin")]
    [InlineData(FloatOperation.Divide, "vdiv")]
    [InlineData(FloatOperation.Maximum, "vmax")]
    [InlineData(FloatOperation.SquareRoot, "vsqrt")]
    public void Scalar_operations(FloatOperation op, string name)
    {
        All($"{name}ss", (x, a, b, c) => x.Float(op, a, b, c, 4));
        All($"{name}sd", (x, a, b, c) => x.Float(op, a, b, c, 8));
    }

    [Theory]
    [InlineData(FusedOperation.MultiplyAdd, "vfmadd")]
    [InlineData(FusedOperation.MultiplySubtract, "vfmsub")]
    [InlineData(FusedOperation.NegativeMultiplyAdd, "vfnmadd")]
    [InlineData(FusedOperation.NegativeMultiplySubtract, "vfnmsub")]
    public void Fused_operations(FusedOperation op, string name)
    {
        foreach (int form in (int[])[132, 213, 231])
        {
            All($"{name}{form}ss", (x, a, b, c) => x.Fused(op, form, a, b, c, 4));
            All($"{name}{form}sd", (x, a, b, c) => x.Fused(op, form, a, b, c, 8));
        }
    }

    [Fact]
    public void Compares_and_conversions()
    {
        All("vucomiss", (x, a, b) => x.CompareFloat(a, b, 4));
        All("vucomisd", (x, a, b) => x.CompareFloat(a, b, 8));
        All("vcvtss2sd", (x, a, b) => x.ConvertToDouble(a, b), middle: b => $"{Name(b)}, ");
        All("vcvtsd2ss", (x, a, b) => x.ConvertToSingle(a, b), middle: b => $"{Name(b)}, ");
        foreach (HostVector v in Vectors)
        {
            foreach (HostRegister r in Registers)
            {
                _listing.AssertIs($"vcvtsi2ss {Name(v)}, {Name(v)}, {Name(r)}", x => x.ConvertIntegerToFloat(v, r, 4));
                _listing.AssertIs($"vcvtsi2sd {Name(v)}, {Name(v)}, {Name(r)}", x => x.ConvertIntegerToFloat(v, r, 8));
                _listing.AssertIs($"vcvtss2si {Name(r)}, {Name(v)}", x => x.ConvertFloatToInteger(r, v, 4, truncate: false));
                _listing.AssertIs($"vcvttss2si {Name(r)}, {Name(v)}", x => x.ConvertFloatToInteger(r, v, 4, truncate: true));
                _listing.AssertIs($"vcvtsd2si {Name(r)}, {Name(v)}", x => x.ConvertFloatToInteger(r, v, 8, truncate: false));
                _listing.AssertIs($"vcvttsd2si {Name(r)}, {Name(v)}", x => x.ConvertFloatToInteger(r, v, 8, truncate: true));
            }
        }
    }

    public static TheoryData<VectorOperation, string> Packed => new()
    {
        { VectorOperation.AddB, "vpaddb" }, { VectorOperation.AddW, "vpaddw" }, { VectorOperation.AddD, "vpaddd" }, { VectorOperation.AddQ, "vpaddq" },
        { VectorOperation.SubtractB, "vpsubb" }, { VectorOperation.SubtractW, "vpsubw" }, { VectorOperation.SubtractD, "vpsubd" }, { VectorOperation.SubtractQ, "vpsubq" },
        { VectorOperation.AddSignedSaturatingB, "vpaddsb" }, { VectorOperation.AddSignedSaturatingW, "vpaddsw" },
        { VectorOperation.AddUnsignedSaturatingB, "vpaddusb" }, { VectorOperation.AddUnsignedSaturatingW, "vpaddusw" },
        { VectorOperation.SubtractSignedSaturatingB, "vpsubsb" }, { VectorOperation.SubtractSignedSaturatingW, "vpsubsw" },
        { VectorOperation.SubtractUnsignedSaturatingB, "vpsubusb" }, { VectorOperation.SubtractUnsignedSaturatingW, "vpsubusw" },
        { VectorOperation.AverageB, "vpavgb" }, { VectorOperation.AverageW, "vpavgw" },
        { VectorOperation.EqualB, "vpcmpeqb" }, { VectorOperation.EqualW, "vpcmpeqw" }, { VectorOperation.EqualD, "vpcmpeqd" },
        { VectorOperation.GreaterB, "vpcmpgtb" }, { VectorOperation.GreaterW, "vpcmpgtw" }, { VectorOperation.GreaterD, "vpcmpgtd" },
        { VectorOperation.MinimumUnsignedB, "vpminub" }, { VectorOperation.MinimumSignedW, "vpminsw" },
        { VectorOperation.MaximumUnsignedB, "vpmaxub" }, { VectorOperation.MaximumSignedW, "vpmaxsw" },
        { VectorOperation.SumOfDifferences, "vpsadbw" }, { VectorOperation.MultiplyLowW, "vpmullw" },
        { VectorOperation.MultiplyHighSignedW, "vpmulhw" }, { VectorOperation.MultiplyHighUnsignedW, "vpmulhuw" }, { VectorOperation.MultiplyAddW, "vpmaddwd" },
        { VectorOperation.And, "vpand" }, { VectorOperation.AndNot, "vpandn" }, { VectorOperation.Or, "vpor" }, { VectorOperation.Xor, "vpxor" },
        { VectorOperation.UnpackLowB, "vpunpcklbw" }, { VectorOperation.UnpackLowW, "vpunpcklwd" }, { VectorOperation.UnpackLowD, "vpunpckldq" }, { VectorOperation.UnpackLowQ, "vpunpcklqdq" },
        { VectorOperation.UnpackHighB, "vpunpckhbw" }, { VectorOperation.UnpackHighW, "vpunpckhwd" }, { VectorOperation.UnpackHighD, "vpunpckhdq" }, { VectorOperation.UnpackHighQ, "vpunpckhqdq" },
        { VectorOperation.PackUnsignedW, "vpackuswb" }, { VectorOperation.PackSignedW, "vpacksswb" }, { VectorOperation.PackSignedD, "vpackssdw" },
        { VectorOperation.ShuffleB, "vpshufb" },
    };

    [Theory]
    [MemberData(nameof(Packed))]
    public void Packed_operations(VectorOperation op, string name)
    {
        All(name, (x, a, b, c) => x.Vector(op, a, b, c));
        All(name, (x, a, b, c) => x.Vector(op, a, b, c, 32), 32);
    }

    [Fact]
    public void No_packed_operation_is_forgotten_here() =>
        Assert.Equal(Enum.GetValues<VectorOperation>().Order(), Packed.Select(row => (VectorOperation)row[0]).Order());

    [Theory]
    [InlineData(Shift.Shl, 2, "vpsllw")]
    [InlineData(Shift.Shl, 4, "vpslld")]
    [InlineData(Shift.Shl, 8, "vpsllq")]
    [InlineData(Shift.Shr, 2, "vpsrlw")]
    [InlineData(Shift.Shr, 4, "vpsrld")]
    [InlineData(Shift.Shr, 8, "vpsrlq")]
    [InlineData(Shift.Sar, 2, "vpsraw")]
    [InlineData(Shift.Sar, 4, "vpsrad")]
    public void Packed_shifts(Shift op, int elementSize, string name)
    {
        foreach (int width in (int[])[16, 32])
            All(name, (x, a, b) => x.VectorShift(op, a, b, elementSize, 7, width), width, end: ", 7");
        Assert.Throws<ArgumentOutOfRangeException>(() => _listing.Assembler.VectorShift(Shift.Sar, default, default, 8, 1));
    }

    [Fact]
    public void Shuffles()
    {
        All("vpalignr", (x, a, b) => x.VectorAlign(a, b, b, 15), middle: b => Name(b) + ", ", end: ", 15");
        All("vpblendd", (x, a, b) => x.VectorBlend(a, b, b, 3, 32), 32, b => Name(b, 32) + ", ", ", 3");
        All("vpslldq", (x, a, b) => x.VectorShiftBytes(Shift.Shl, a, b, 1), end: ", 1");
        All("vpsrldq", (x, a, b) => x.VectorShiftBytes(Shift.Shr, a, b, 8), end: ", 8");
        foreach ((Shift op, int size, string name) in ((Shift, int, string)[])[(Shift.Shl, 2, "vpsllw"), (Shift.Shl, 4, "vpslld"), (Shift.Shr, 2, "vpsrlw"), (Shift.Shr, 4, "vpsrld"), (Shift.Sar, 2, "vpsraw"), (Shift.Sar, 4, "vpsrad")])
            All(name, (x, a, b, c) => x.VectorShiftBy(op, a, b, c, size));
        All("vpshufd", (x, a, b) => x.VectorShuffleD(a, b, 2), end: ", 2");
        All("vpshuflw", (x, a, b) => x.VectorShuffleLowW(a, b, 7), end: ", 7");
        foreach (HostVector v in Vectors)
        {
            foreach ((HostAddress address, string text) in SomeAddresses())
                _listing.AssertIs($"vpermq {Name(v, 32)}, {Pointer(32)}{text}, -109", x => x.VectorPermute(v, address, 0b10_01_00_11));
        }
    }
}
