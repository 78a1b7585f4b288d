using FastXen.Core.Emit;
using FastXen.Core.Float;
using static FastXen.Core.Emit.HostRegister;

namespace FastXen.Core.Translate;

/// <summary>
/// Writes the machine code of one multiply-add of 82-bit registers, rounded to nearest: what <see cref="MultiplyAdd.TryOrdinary"/> does,
/// bit for bit. What depends on the operands' bits (signs, cancellation, carries, short shifts) has no branches, only which of the
/// two summands has the greater exponent has one: that is the same at each pass through one instruction of a division or a polynomial.
/// </summary>
internal sealed class FusedStub
{
    // Registers of the whole stub. The exact value is High:Low (128 bits) and a rest below; the exponent is that of bit 127.
    private const HostRegister Exponent = Rax, Sign = R9, High = R11, Rest = Rdx;
    private const int ExponentMask = 0x1ffff;

    /// <summary>Exponents of 0 and of all ones, plus one, have only bit 0 in the field.</summary>
    private const int OrdinaryExponent = 0x1fffe;

    // The target waits below the stack pointer, where signal handlers leave 128 bytes alone (System V ABI, "red zone").
    private static readonly HostAddress Target = new(Rsp, -8);

    private readonly Assembler _a;
    private readonly FusedShape _shape;
    private readonly bool _negateProduct, _negateAddend;
    private readonly FloatFormat _format;
    private readonly Label _notOrdinary, _exactZero, _addendIsNotNormal, _addendIsGreater;

    private FusedStub(Assembler assembler, FusedShape shape, bool negateProduct, bool negateAddend, FloatFormat format)
    {
        (_a, _shape, _negateProduct, _negateAddend, _format) = (assembler, shape, negateProduct, negateAddend, format);
        (_notOrdinary, _exactZero, _addendIsNotNormal, _addendIsGreater) = (_a.NewLabel(), _a.NewLabel(), _a.NewLabel(), _a.NewLabel());
    }

    /// <summary>Writes one stub.</summary>
    public static void Write(Assembler assembler, FusedShape shape, bool negateProduct, bool negateAddend, FloatFormat format) =>
        new FusedStub(assembler, shape, negateProduct, negateAddend, format).Write();

    private void Write()
    {
        switch (_shape)
        {
            case FusedShape.Normalization:
                NormalizeOperand();
                break;
            case FusedShape.Product:
                Operands();
                SignAndExponent();
                NormalizeProduct();
                RoundAndReturn();
                break;
            default:
                Operands();
                AddToProduct();
                AddToAddend();
                ZeroAddend();
                ReturnZero();
                break;
        }

        _a.Bind(_notOrdinary);
        _a.SetCarry();
        _a.Return();
    }

    /// <summary>
    /// High:Low (rsi) = the product of the significands, r10 = the addend's; eax, edi, ecx = sign and exponent of a, b, c.
    /// </summary>
    private void Operands()
    {
        bool product = _shape != FusedShape.Sum, addend = _shape != FusedShape.Product;
        _a.Store(Target, R8, 8);
        _a.Load(Rdx, new HostAddress(Rsi), 8);
        _a.Load(Rax, new HostAddress(Rsi, 12), 4);
        if (product)
        {
            _a.Load(R9, new HostAddress(Rdi), 8);
            _a.Arithmetic(Alu.Or, Rax, new HostAddress(Rdi, 12), 4);
        }

        if (addend)
        {
            _a.Load(R10, new HostAddress(Rcx), 8);
            _a.Arithmetic(Alu.Or, Rax, new HostAddress(Rcx, 12), 4);
        }

        _a.Test(Rax, Rax, 4);
        _a.Jump(Condition.Ne, _notOrdinary);
        _a.Load(Rax, new HostAddress(Rsi, 8), 4);
        RejectUnordinary(Rax);
        if (product)
        {
            _a.Load(Rdi, new HostAddress(Rdi, 8), 4);
            RejectUnordinary(Rdi);
            _a.Mulx(High, Rsi, R9);
            _a.Arithmetic(Alu.And, Rdx, R9);
        }
        else
        {
            _a.Mov(High, Rdx);
            _a.MovImmediate(Rsi, 0);
        }

        _a.Test(Rdx, Rdx);
        _a.Jump(Condition.Ns, _notOrdinary);
        if (!addend)
            return;

        _a.Load(Rcx, new HostAddress(Rcx, 8), 4);
        _a.Test(R10, R10);
        _a.Jump(Condition.Ns, _addendIsNotNormal);
        RejectUnordinary(Rcx);
    }

    /// <summary>Leaves when the exponent is 0 or all ones.</summary>
    private void RejectUnordinary(HostRegister signExponent)
    {
        _a.Lea(R8, new HostAddress(signExponent, 1), 4);
        _a.Test(R8, OrdinaryExponent, 4);
        _a.Jump(Condition.E, _notOrdinary);
    }

    /// <summary>Sign (bit 17; the others are arbitrary) and exponent of the product.</summary>
    private void SignAndExponent()
    {
        bool hasB = _shape is FusedShape.MultiplyAdd or FusedShape.Product;
        _a.Mov(Sign, Rax, 4);
        if (hasB)
            _a.Arithmetic(Alu.Xor, Sign, Rdi, 4);
        if (_negateProduct)
            _a.Arithmetic(Alu.Xor, Sign, (int)FloatKind.SignBit, 4);
        _a.Arithmetic(Alu.And, Rax, ExponentMask, 4);
        if (!hasB)
            return;

        _a.Arithmetic(Alu.And, Rdi, ExponentMask, 4);
        _a.Lea(Exponent, new HostAddress(Rax, Rdi, 1, -0xfffe), 4);
    }

    /// <summary>An addend that is not greater than the product by its exponent: it is shifted right.</summary>
    private void AddToProduct()
    {
        _a.Mov(Rdx, Rcx, 4);
        SignAndExponent();
        _a.Arithmetic(Alu.Xor, Rdx, Sign, 4);
        // The addend's sign is xored with the product's: both negations count.
        if (_negateAddend)
            _a.Arithmetic(Alu.Xor, Rdx, (int)FloatKind.SignBit, 4);
        _a.ShiftBy(Shift.Shr, Rdx, 17, 4);
        _a.Arithmetic(Alu.And, Rcx, ExponentMask, 4);
        // Bits 31:18 of SignExponent are zero, so rdx is 1 for a subtraction and 0 for an addition.
        _a.Mov(Rdi, Exponent, 4);
        _a.Arithmetic(Alu.Sub, Rdi, Rcx, 4);
        _a.Jump(Condition.S, _addendIsGreater);

        // rcx:r10:r8 = the addend shifted right by edi. Shift counts are modulo 64: from 64 on the words move down by one.
        Label far = _a.NewLabel(), aligned = _a.NewLabel();
        _a.Arithmetic(Alu.Cmp, Rdi, 128, 4);
        _a.Jump(Condition.Ae, far);
        _a.Shrx(Rcx, R10, Rdi);
        _a.Arithmetic(Alu.Add, R10, R10);
        _a.Arithmetic(Alu.Xor, R8, R8, 4);
        _a.Test(Rdi, 64, 4);
        _a.Not(Rdi, 4);
        _a.Shlx(R10, R10, Rdi);
        _a.MovImmediate(Rdi, 0);
        _a.MoveIf(Condition.Ne, R8, R10);
        _a.MoveIf(Condition.Ne, R10, Rcx);
        _a.MoveIf(Condition.Ne, Rcx, Rdi);
        _a.Bind(aligned);

        // A subtraction adds the complement.
        _a.MovImmediate(Rdi, 0);
        _a.Arithmetic(Alu.Sub, Rdi, Rdx);
        _a.Arithmetic(Alu.Xor, R8, Rdi);
        _a.Arithmetic(Alu.Xor, R10, Rdi);
        _a.Arithmetic(Alu.Xor, Rcx, Rdi);
        _a.Arithmetic(Alu.Add, R8, Rdx);
        _a.Arithmetic(Alu.Adc, Rsi, R10);
        _a.Arithmetic(Alu.Adc, High, Rcx);
        _a.Arithmetic(Alu.Sbb, Rdx, Rdx);
        // No carry out of a subtraction: the addend was greater, so the difference is negated. That needs a distance of 0 or 1,
        // where nothing is below the two words.
        _a.Andn(Rcx, Rdx, Rdi);
        _a.Arithmetic(Alu.Xor, Rsi, Rcx);
        _a.Arithmetic(Alu.Xor, High, Rcx);
        _a.Arithmetic(Alu.Sub, Rsi, Rcx);
        _a.Arithmetic(Alu.Sbb, High, Rcx);
        _a.Arithmetic(Alu.And, Rcx, (int)FloatKind.SignBit, 4);
        _a.Arithmetic(Alu.Xor, Sign, Rcx, 4);
        TakeCarry(High, Rsi, R8, Rcx);

        // After massive cancellation everything is in the low word.
        _a.Lea(Rcx, new HostAddress(Exponent, -64), 4);
        _a.MovImmediate(Rdx, 0);
        _a.Test(High, High);
        _a.MoveIf(Condition.E, Exponent, Rcx, 4);
        _a.MoveIf(Condition.E, High, Rsi);
        _a.MoveIf(Condition.E, Rsi, Rdx);
        Normalize(High, Rsi, R8, _exactZero);
        RoundAndReturn();

        // Out of line: so small an addend only makes the sum inexact.
        _a.Bind(far);
        _a.MovImmediate(R8, 1);
        _a.MovImmediate(R10, 0);
        _a.MovImmediate(Rcx, 0);
        _a.Jump(aligned);
    }

    /// <summary>An addend with a greater exponent: the product is shifted right, and the sum has the addend's sign.</summary>
    private void AddToAddend()
    {
        // rcx:r8:rsi = the product shifted right by -edi.
        _a.Bind(_addendIsGreater);
        Label far = _a.NewLabel(), aligned = _a.NewLabel();
        _a.Mov(Exponent, Rcx, 4);
        _a.Negate(Rdi, 4);
        _a.Arithmetic(Alu.Cmp, Rdi, 128, 4);
        _a.Jump(Condition.Ae, far);
        _a.Shrx(Rcx, High, Rdi);
        _a.Shrx(R8, Rsi, Rdi);
        _a.Arithmetic(Alu.Add, High, High);
        _a.Not(Rdi, 4);
        _a.Shlx(High, High, Rdi);
        _a.Arithmetic(Alu.Or, R8, High);
        _a.Arithmetic(Alu.Or, High, Rsi);
        _a.Arithmetic(Alu.Add, Rsi, Rsi);
        _a.Shlx(Rsi, Rsi, Rdi);
        // A distance of 64 and more: the words move down by one, and of the rest only being zero or not matters.
        _a.Test(Rdi, 64, 4);
        _a.MoveIf(Condition.E, Rsi, High);
        _a.MoveIf(Condition.E, R8, Rcx);
        _a.MovImmediate(High, 0);
        _a.MoveIf(Condition.E, Rcx, High);
        _a.Bind(aligned);

        _a.MovImmediate(Rdi, 0);
        _a.Arithmetic(Alu.Sub, Rdi, Rdx);
        _a.Mov(High, Rdi, 4);
        _a.Arithmetic(Alu.Xor, Rsi, Rdi);
        _a.Arithmetic(Alu.Xor, R8, Rdi);
        _a.Arithmetic(Alu.Xor, Rcx, Rdi);
        _a.Arithmetic(Alu.Add, Rsi, Rdx);
        _a.Arithmetic(Alu.Adc, R8, 0);
        _a.Arithmetic(Alu.Adc, Rcx, R10);
        _a.Arithmetic(Alu.Sbb, Rdx, Rdx);
        _a.Arithmetic(Alu.And, High, (int)FloatKind.SignBit, 4);
        _a.Arithmetic(Alu.Xor, Sign, High, 4);
        TakeCarry(Rcx, R8, Rsi, High);
        Label normalize = _a.NewLabel(), cancelled = _a.NewLabel();
        _a.Bind(normalize);
        Normalize(Rcx, R8, Rsi, cancelled);
        RoundAndReturn();

        // Out of line: massive cancellation. It needs a distance of 1, so the third word is exact, and the difference is not zero.
        _a.Bind(cancelled);
        _a.Mov(Rcx, R8);
        _a.Mov(R8, Rsi);
        _a.MovImmediate(Rsi, 0);
        _a.Arithmetic(Alu.Sub, Exponent, 64, 4);
        _a.Jump(normalize);
        _a.Bind(far);
        _a.MovImmediate(Rsi, 1);
        _a.MovImmediate(R8, 0);
        _a.MovImmediate(Rcx, 0);
        _a.Jump(aligned);
    }

    /// <summary>
    /// The carry out of an addition (rdx = -1; rdi = -1 for a subtraction, whose carry means nothing) becomes the high word, with 1 in it:
    /// the normalization shifts it up again. The low word goes to the rest, of which only being zero or not matters then.
    /// </summary>
    private void TakeCarry(HostRegister high, HostRegister low, HostRegister rest, HostRegister scratch)
    {
        _a.Mov(scratch, low);
        _a.Arithmetic(Alu.Or, scratch, rest);
        _a.MovImmediate(R10, 1);
        _a.Andn(Rdx, Rdi, Rdx);
        _a.MoveIf(Condition.S, rest, scratch);
        _a.MoveIf(Condition.S, low, high);
        _a.MoveIf(Condition.S, high, R10);
        _a.Arithmetic(Alu.And, Rdx, 64, 4);
        _a.Arithmetic(Alu.Add, Exponent, Rdx, 4);
    }

    /// <summary>Shifts left until bit 63 of the high word is set: into High and Rest, of which bit 0 is sticky.</summary>
    private void Normalize(HostRegister high, HostRegister low, HostRegister rest, Label highIsZero)
    {
        _a.LeadingZeros(Rdi, high);
        _a.Jump(Condition.B, highIsZero);
        _a.Arithmetic(Alu.Sub, Exponent, Rdi, 4);
        _a.Shlx(Rest, low, Rdi);
        _a.Shlx(High, high, Rdi);
        _a.Not(Rdi, 4);
        _a.ShiftBy(Shift.Shr, low, 1);
        _a.Shrx(low, low, Rdi);
        _a.Arithmetic(Alu.Or, High, low);
        _a.Arithmetic(Alu.Xor, Rdi, Rdi, 4);
        _a.Negate(rest);
        _a.Arithmetic(Alu.Adc, Rdi, Rdi, 4);
        _a.Arithmetic(Alu.Or, Rest, Rdi);
    }

    /// <summary>A product of normalized numbers has bit 127 or 126: a shift by 0 or 1.</summary>
    private void NormalizeProduct()
    {
        _a.LeadingZeros(Rcx, High);
        _a.Arithmetic(Alu.Sub, Exponent, Rcx, 4);
        _a.Shlx(Rest, Rsi, Rcx);
        _a.ShiftBy(Shift.Shr, Rsi, 63);
        _a.Shlx(High, High, Rcx);
        _a.Arithmetic(Alu.And, Rsi, Rcx);
        _a.Arithmetic(Alu.Or, High, Rsi);
    }

    /// <summary>An addend without integer bit: zero, or not ordinary.</summary>
    private void ZeroAddend()
    {
        _a.Bind(_addendIsNotNormal);
        _a.Arithmetic(Alu.And, Rcx, ExponentMask, 4);
        _a.Arithmetic(Alu.Or, Rcx, R10);
        _a.Jump(Condition.Ne, _notOrdinary);
        SignAndExponent();
        NormalizeProduct();
        RoundAndReturn();
    }

    /// <summary>a alone: any finite number but the denormals of the double-extended format, which have the exponent 0.</summary>
    private void NormalizeOperand()
    {
        Label zero = _a.NewLabel();
        _a.Store(Target, R8, 8);
        _a.Load(High, new HostAddress(Rsi), 8);
        _a.Load(Rax, new HostAddress(Rsi, 8), 4);
        _a.Arithmetic(Alu.Cmp, new HostAddress(Rsi, 12), 0, 4);
        _a.Jump(Condition.Ne, _notOrdinary);
        SignAndExponent();
        _a.Test(High, High);
        _a.Jump(Condition.E, zero);
        _a.Lea(Rcx, new HostAddress(Exponent, -1), 4);
        _a.Arithmetic(Alu.Cmp, Rcx, OrdinaryExponent, 4);
        _a.Jump(Condition.Ae, _notOrdinary);
        _a.LeadingZeros(Rcx, High);
        _a.Shlx(High, High, Rcx);
        _a.MovImmediate(Rest, 0);
        _a.MovImmediate(R10, 0);
        _a.Arithmetic(Alu.Sub, Exponent, Rcx, 4);
        _a.Test(Rcx, Rcx, 4);
        _a.SetCondition(Condition.Ne, R10);
        _a.Arithmetic(Alu.Add, R10, R10, 4);
        RoundAndReturn();

        // Zeros keep their sign; those with an exponent are denormal operands. NaTVal has the exponent 0x1fffe.
        _a.Bind(zero);
        _a.Arithmetic(Alu.Cmp, Exponent, OrdinaryExponent, 4);
        _a.Jump(Condition.Ae, _notOrdinary);
        _a.Load(Rcx, Target, 8);
        _a.Arithmetic(Alu.And, Sign, (int)FloatKind.SignBit, 4);
        _a.Store(new HostAddress(Rcx), High, 8);
        _a.Store(new HostAddress(Rcx, 8), Sign, 8);
        _a.Negate(Exponent, 4);
        _a.Arithmetic(Alu.Sbb, Rax, Rax, 4);
        _a.Arithmetic(Alu.And, Rax, (int)FloatFlags.Denormal, 4);
        _a.Return();
    }

    /// <summary>
    /// Rounds High and Rest to nearest, ties to even; stores the result; rax = the flag I of an inexact one (with what r10 has from
    /// a normalization), carry clear.
    /// </summary>
    private void RoundAndReturn()
    {
        int dropped = _format.Dropped;
        if (dropped != 0)
        {
            // The fraction of the narrower significand, sticky in bit 0.
            _a.Mov(Rsi, High);
            _a.ShiftBy(Shift.Shl, Rsi, 64 - dropped);
            _a.ShiftBy(Shift.Shr, High, dropped);
            _a.Negate(Rest);
            _a.Mov(Rest, Rsi);
            _a.Arithmetic(Alu.Adc, Rest, 0);
        }

        // Away from zero when fraction + odd > 1/2: then fraction + odd + (1/2 - 1 unit) carries.
        _a.MovImmediate(Rcx, long.MaxValue);
        _a.BitTest(High, 0);
        _a.Arithmetic(Alu.Adc, Rcx, Rest);
        _a.Arithmetic(Alu.Adc, High, 0);
        Label carry = _a.NewLabel(), rounded = _a.NewLabel();
        if (dropped != 0)
        {
            _a.ShiftBy(Shift.Shl, High, dropped);
            _a.Jump(Condition.E, carry);
        }
        else
        {
            _a.Jump(Condition.B, carry);
        }

        _a.Bind(rounded);
        _a.Lea(Rcx, new HostAddress(Exponent, -_format.MinExponent), 4);
        _a.Arithmetic(Alu.Cmp, Rcx, _format.MaxExponent - _format.MinExponent, 4);
        _a.Jump(Condition.A, _notOrdinary);
        _a.Load(Rcx, Target, 8);
        _a.Arithmetic(Alu.And, Sign, (int)FloatKind.SignBit, 4);
        _a.Arithmetic(Alu.Or, Rax, Sign, 4);
        _a.Store(new HostAddress(Rcx), High, 8);
        _a.Store(new HostAddress(Rcx, 8), Rax, 8);
        _a.Negate(Rest);
        _a.Arithmetic(Alu.Sbb, Rax, Rax, 4);
        _a.Arithmetic(Alu.And, Rax, (int)FloatFlags.Inexact, 4);
        if (_shape == FusedShape.Normalization)
            _a.Arithmetic(Alu.Or, Rax, R10, 4);
        _a.Return();

        _a.Bind(carry);
        _a.MovImmediate(High, FloatKind.IntegerBit);
        _a.Arithmetic(Alu.Add, Exponent, 1, 4);
        _a.Jump(rounded);
    }

    /// <summary>x - x: plus zero, when rounding to nearest.</summary>
    private void ReturnZero()
    {
        _a.Bind(_exactZero);
        _a.Load(Rcx, Target, 8);
        _a.StoreImmediate(new HostAddress(Rcx), 0, 8);
        _a.StoreImmediate(new HostAddress(Rcx, 8), 0, 8);
        _a.Arithmetic(Alu.Xor, Rax, Rax, 4);
        _a.Return();
    }
}
