namespace FastXen.Core.Emit;

/// <summary>Two-operand integer arithmetic and tests.</summary>
public sealed unsafe partial class Assembler
{
    /// <summary>to = to op from.</summary>
    public void Arithmetic(Alu op, HostRegister to, HostRegister from, int size = 8) =>
        Registers(0, size, ((int)op << 3) | (size == 1 ? 0 : 1), (int)from, (int)to, bytes: size == 1 ? 3 : 0);

    /// <summary>to = to op a constant (sign-extended for 8 bytes).</summary>
    public void Arithmetic(Alu op, HostRegister to, int immediate, int size = 8)
    {
        bool small = size == 1 || FitsByte(immediate, size);
        if (to == HostRegister.Rax && (size == 1 || !small))
        {
            Room();
            Prefixes(0, size);
            RexAndOpcode(size & 8, false, ((int)op << 3) | (size == 1 ? 4 : 5));
        }
        else
        {
            Registers(0, size, size == 1 ? 0x80 : small ? 0x83 : 0x81, (int)op, (int)to, bytes: size == 1 ? 2 : 0);
        }

        Immediate(immediate, small ? 1 : size);
    }

    /// <summary>to = to op memory.</summary>
    public void Arithmetic(Alu op, HostRegister to, in HostAddress from, int size = 8) =>
        Memory(0, size, ((int)op << 3) | (size == 1 ? 2 : 3), (int)to, from, byteRegister: size == 1);

    /// <summary>memory = memory op from.</summary>
    public void Arithmetic(Alu op, in HostAddress to, HostRegister from, int size = 8) =>
        Memory(0, size, ((int)op << 3) | (size == 1 ? 0 : 1), (int)from, to, byteRegister: size == 1);

    /// <summary>memory = memory op a constant (sign-extended for 8 bytes).</summary>
    public void Arithmetic(Alu op, in HostAddress to, int immediate, int size = 8) => ArithmeticInMemory(0, op, to, immediate, size);

    private void ArithmeticInMemory(int prefix, Alu op, in HostAddress to, int immediate, int size)
    {
        bool small = size == 1 || FitsByte(immediate, size);
        Memory(prefix, size, size == 1 ? 0x80 : small ? 0x83 : 0x81, (int)op, to);
        Immediate(immediate, small ? 1 : size);
    }

    /// <summary>Flags of a and b.</summary>
    public void Test(HostRegister a, HostRegister b, int size = 8) =>
        Registers(0, size, size == 1 ? 0x84 : 0x85, (int)b, (int)a, bytes: size == 1 ? 3 : 0);

    /// <summary>Flags of a and a constant (sign-extended for 8 bytes). Written in the smallest size that gives the same flags.</summary>
    public void Test(HostRegister a, int immediate, int size = 8)
    {
        size = TestSize(immediate, size);
        if (a == HostRegister.Rax)
        {
            Room();
            Prefixes(0, size);
            RexAndOpcode(size & 8, false, size == 1 ? 0xa8 : 0xa9);
        }
        else
        {
            Registers(0, size, size == 1 ? 0xf6 : 0xf7, 0, (int)a, bytes: size == 1 ? 2 : 0);
        }

        Immediate(immediate, size);
    }

    /// <summary>Flags of memory and a constant (sign-extended for 8 bytes). Written in the smallest size that gives the same flags.</summary>
    public void Test(in HostAddress a, int immediate, int size)
    {
        size = TestSize(immediate, size);
        Memory(0, size, size == 1 ? 0xf6 : 0xf7, 0, a);
        Immediate(immediate, size);
    }

    /// <summary>A positive mask leaves the sign flag clear in any size that holds it.</summary>
    private static int TestSize(int mask, int size) => mask is >= 0 and <= sbyte.MaxValue ? 1 : size == 8 && mask >= 0 ? 4 : size;

    /// <summary>True when the constant is a sign-extended byte, in an operation of the given size.</summary>
    private static bool FitsByte(int value, int size) => (size == 2 ? (short)value : value) == (sbyte)value;

    /// <summary>not; changes no flags.</summary>
    public void Not(HostRegister register, int size = 8) => Unary(2, register, size);

    /// <summary>neg.</summary>
    public void Negate(HostRegister register, int size = 8) => Unary(3, register, size);

    private void Unary(int extension, HostRegister register, int size) =>
        Registers(0, size, size == 1 ? 0xf6 : 0xf7, extension, (int)register, bytes: size == 1 ? 2 : 0);

    /// <summary>stc.</summary>
    public void SetCarry()
    {
        Room();
        Byte(0xf9);
    }

    /// <summary>inc; the carry flag stays.</summary>
    public void Increment(in HostAddress address, int size) => Memory(0, size, size == 1 ? 0xfe : 0xff, 0, address);

    /// <summary>dec; the carry flag stays.</summary>
    public void Decrement(in HostAddress address, int size) => Memory(0, size, size == 1 ? 0xfe : 0xff, 1, address);

    /// <summary>imul of two registers, the low half of the product.</summary>
    public void Multiply(HostRegister to, HostRegister from, int size = 8) => Registers(0, size, 0x0faf, (int)to, (int)from);

    /// <summary>imul of a register and a constant.</summary>
    public void MultiplyImmediate(HostRegister to, HostRegister from, int immediate)
    {
        bool small = FitsByte(immediate, 8);
        Registers(0, 8, small ? 0x6b : 0x69, (int)to, (int)from);
        Immediate(immediate, small ? 1 : 4);
    }

    /// <summary>mul: rdx:rax = rax * factor.</summary>
    public void MultiplyWide(HostRegister factor) => Unary(4, factor, 8);

    /// <summary>imul: rdx:rax = rax * factor, signed.</summary>
    public void MultiplyWideSigned(HostRegister factor) => Unary(5, factor, 8);

    /// <summary>div: rax = rdx:rax / divisor, rdx the rest.</summary>
    public void DivideWide(HostRegister divisor, int size = 8) => Unary(6, divisor, size);

    /// <summary>idiv: rax = rdx:rax / divisor, rdx the rest, signed.</summary>
    public void DivideWideSigned(HostRegister divisor, int size = 8) => Unary(7, divisor, size);

    /// <summary>cqo or cdq: rdx = the sign of rax.</summary>
    public void SignIntoRdx(int size = 8)
    {
        Room();
        RexAndOpcode(size & 8, false, 0x99);
    }

    /// <summary>mulx: high:low = rdx * factor; no flags. high wins where both are the same register.</summary>
    public void Mulx(HostRegister high, HostRegister low, HostRegister factor) =>
        VexRegisters(Map0F38, PrefixF2, 0xf6, (int)high, (int)low, (int)factor, wide: 1);

    /// <summary>mulx with a factor in memory.</summary>
    public void Mulx(HostRegister high, HostRegister low, in HostAddress factor) =>
        VexMemory(Map0F38, PrefixF2, 0xf6, (int)high, (int)low, factor, wide: 1);
}
