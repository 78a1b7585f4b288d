using FastXen.Core.Emit;
using FastXen.Core.Float;

namespace FastXen.Core.Translate;

/// <summary>
/// Machine code for arithmetic of 82-bit registers, for translated code to call; it calls nothing itself.
/// <para>
/// Operands are pointers to <see cref="FloatRegister"/>: rsi = a, rdi = b, rcx = c (a * b + c), r8 = the target, which may be one of the
/// operands. rax, rcx, rdx, rsi, rdi and r8 to r11 are lost, the conversions of doubles use xmm0, all others stay.
/// </para>
/// <para>
/// Carry clear: the target is written, its tag is zero. Multiply-adds and conversions to integers give the <see cref="FloatFlags"/> that they raise
/// in rax, for the caller to merge into the status field: I, and D of a normalization, where these traps are enabled the caller must not use them.
/// Carry set: the case is not an ordinary one, nothing was written, the interpreter's handler must do it; so it is with tagged operands.
/// </para>
/// </summary>
public sealed unsafe class ExtendedStubs
{
    private const int ControlCombinations = 8, Completers = 3, Shapes = 4, Signs = 4;
    private const int StubAlignment = 64;

    /// <summary>The number of bytes that all stubs take at most.</summary>
    public const int Capacity = 64 << 10;

    // Multiply-adds by shape, negations, completer, wre and pc. Those of equal formats are the same.
    private readonly nint[] _fused = new nint[Shapes * Signs * Completers * ControlCombinations];
    private readonly Assembler _a;

    /// <summary>Writes all stubs (and tables) to memory for code.</summary>
    /// <param name="assembler">Anything that it was writing is abandoned.</param>
    /// <param name="writable">Where they are written.</param>
    /// <param name="executable">Where they will run; aligned on 64.</param>
    /// <param name="capacity">Bytes that may be used, <see cref="Capacity"/> or more.</param>
    public ExtendedStubs(Assembler assembler, byte* writable, byte* executable, int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, Capacity);
        _a = assembler;
        const int tableSize = ApproximationStubs.TableEntries * sizeof(ushort), tables = 2 * tableSize;
        ApproximationStubs.FillReciprocals((ushort*)writable);
        ApproximationStubs.FillRoots((ushort*)(writable + tableSize));
        _a.Begin(writable + tables, executable + tables, capacity - tables);

        Reciprocal = Start();
        ApproximationStubs.WriteReciprocal(_a, (ushort*)executable);
        ReciprocalSquareRoot = Start();
        ApproximationStubs.WriteReciprocalSquareRoot(_a, (ushort*)(executable + tableSize));
        FromInteger = Start();
        ConversionStubs.WriteFromInteger(_a);
        FromIntegerInRax = Start();
        ConversionStubs.WriteFromIntegerInRax(_a);
        ToSigned = Start();
        ConversionStubs.WriteToInteger(_a, signed: true);
        ToUnsigned = Start();
        ConversionStubs.WriteToInteger(_a, signed: false);
        ToDouble = Start();
        ConversionStubs.WriteToDouble(_a);
        FromDouble = Start();
        ConversionStubs.WriteFromDouble(_a);
        foreach (FusedShape shape in Enum.GetValues<FusedShape>())
        {
            WriteFused(shape, false, false);
            WriteFused(shape, true, false);
            if (HasAddend(shape))
                WriteFused(shape, false, true);
        }

        Size = tables + _a.Size;
        if (_a.Overflow)
            throw new InvalidOperationException($"the stubs need more than {Capacity} bytes");
    }

    /// <summary>Names of the stubs, and where they begin.</summary>
    public IEnumerable<(string Name, nint Address)> Addresses() =>
    [
        ("frcpa", (nint)Reciprocal), ("frsqrta", (nint)ReciprocalSquareRoot), ("from_integer", (nint)FromInteger),
        ("from_integer_in_rax", (nint)FromIntegerInRax), ("to_signed", (nint)ToSigned), ("to_unsigned", (nint)ToUnsigned),
        ("to_double", (nint)ToDouble), ("from_double", (nint)FromDouble),
        .. _fused.Where(address => address != 0).Distinct().Select(address => ($"fma_{Array.IndexOf(_fused, address)}", address)),
    ];

    /// <summary>Bytes that were used.</summary>
    public int Size { get; }

    /// <summary>frcpa of a and b, in the cases where it sets its predicate.</summary>
    public byte* Reciprocal { get; }

    /// <summary>frsqrta of a, in the cases where it sets its predicate.</summary>
    public byte* ReciprocalSquareRoot { get; }

    /// <summary>fcvt.xf of a, when its exponent is that of an integer.</summary>
    public byte* FromInteger { get; }

    /// <summary>setf.sig of rax, then fcvt.xf; always succeeds.</summary>
    public byte* FromIntegerInRax { get; }

    /// <summary>fcvt.fx.trunc of a.</summary>
    public byte* ToSigned { get; }

    /// <summary>fcvt.fxu.trunc of a.</summary>
    public byte* ToUnsigned { get; }

    /// <summary>The double that a is exactly, into xmm0 and rax, when it is a normal one or a zero. Takes a tagged register, too.</summary>
    public byte* ToDouble { get; }

    /// <summary>The double in xmm0 into the target, when it is normal or zero.</summary>
    public byte* FromDouble { get; }

    /// <summary>
    /// A multiply-add with rounding to nearest; null where the status field's rounding mode is another.
    /// The negations are those of fnma (product) and fms (addend), not both. For f0 as the addend use the product, for f1 as
    /// the second multiplicand the sum, for both the normalization: these do not look at the operands that they name.
    /// </summary>
    /// <param name="shape">Which operands there are.</param>
    /// <param name="negateProduct">True for fnma.</param>
    /// <param name="negateAddend">True for fms.</param>
    /// <param name="completer"><see cref="FloatFormat.Dynamic"/>, <see cref="FloatFormat.Single"/> or <see cref="FloatFormat.Double"/>.</param>
    /// <param name="control">The controls of the status field (<see cref="FloatStatus.Controls"/>).</param>
    public byte* Fused(FusedShape shape, bool negateProduct, bool negateAddend, uint completer, uint control)
    {
        const uint roundingMode = 0x30;
        if ((control & roundingMode) != 0)
            return null;

        negateAddend &= HasAddend(shape);
        return (byte*)_fused[Index(shape, negateProduct, negateAddend, completer, (control >> 1) & 7)];
    }

    private static bool HasAddend(FusedShape shape) => shape is FusedShape.MultiplyAdd or FusedShape.Sum;

    private static int Index(FusedShape shape, bool negateProduct, bool negateAddend, uint completer, uint controls) =>
        (int)((((((uint)shape * Signs) + (negateProduct ? 1u : 0) + (negateAddend ? 2u : 0)) * Completers) + completer) * ControlCombinations) + (int)controls;

    /// <summary>One stub for each format that occurs.</summary>
    private void WriteFused(FusedShape shape, bool negateProduct, bool negateAddend)
    {
        var written = new Dictionary<(int, int), nint>();
        for (uint completer = 0; completer < Completers; completer++)
        {
            for (uint controls = 0; controls < ControlCombinations; controls++)
            {
                FloatFormat format = FloatFormat.Of(completer, controls << 1);
                if (!written.TryGetValue((format.Dropped, format.MinExponent), out nint address))
                {
                    address = (nint)Start();
                    FusedStub.Write(_a, shape, negateProduct, negateAddend, format);
                    written.Add((format.Dropped, format.MinExponent), address);
                }

                _fused[Index(shape, negateProduct, negateAddend, completer, controls)] = address;
            }
        }
    }

    private byte* Start()
    {
        _a.Align(StubAlignment);
        return _a.Here;
    }
}
