using FastXen.Core.Emit;
using static FastXen.Core.Tests.Emit.Listing;
using Assembler = FastXen.Core.Emit.Assembler;

namespace FastXen.Core.Tests.Emit;

/// <summary>Each integer instruction reads back as what was asked for, with all registers that change its encoding.</summary>
public sealed class IntegerFormTests : IDisposable
{
    private static readonly int[] Sizes = [1, 2, 4, 8];
    private readonly Listing _listing = new();

    public void Dispose() => _listing.Dispose();

    private delegate void Two(Assembler assembler, HostRegister a, HostRegister b, int size);

    private delegate void One(Assembler assembler, HostRegister a, int size);

    private delegate void OneAndMemory(Assembler assembler, HostRegister a, HostAddress address, int size);

    private delegate void Three(Assembler assembler, HostRegister a, HostRegister b, HostRegister c, int size);

    private void All(string name, int[] sizes, Two emit, Func<int, int>? sizeOfSecond = null, string end = "")
    {
        foreach (int size in sizes)
        {
            foreach (HostRegister a in Registers)
            {
                foreach (HostRegister b in Registers)
                    _listing.AssertIs($"{name} {Name(a, size)}, {Name(b, sizeOfSecond?.Invoke(size) ?? size)}{end}", x => emit(x, a, b, size));
            }
        }
    }

    private void All(string name, int[] sizes, One emit, string end = "")
    {
        foreach (int size in sizes)
        {
            foreach (HostRegister a in Registers)
                _listing.AssertIs($"{name} {Name(a, size)}{end}", x => emit(x, a, size));
        }
    }

    private void All(string name, int[] sizes, Three emit)
    {
        foreach (int size in sizes)
        {
            foreach (HostRegister a in Registers)
            {
                foreach (HostRegister b in Registers)
                {
                    HostRegister c = (HostRegister)(((int)a * 5 + (int)b * 3 + 7) & 15);
                    _listing.AssertIs($"{name} {Name(a, size)}, {Name(b, size)}, {Name(c, size)}", x => emit(x, a, b, c, size));
                }
            }
        }
    }

    /// <summary>name register, memory; or the other way round.</summary>
    private void AllWithMemory(string name, int[] sizes, OneAndMemory emit, bool store = false, Func<int, int>? registerSize = null, string? pointer = null)
    {
        foreach (int size in sizes)
        {
            foreach ((HostAddress address, string text) in SomeAddresses())
            {
                foreach (HostRegister a in Registers)
                {
                    string register = Name(a, registerSize?.Invoke(size) ?? size), memory = (pointer ?? Pointer(size)) + text;
                    _listing.AssertIs(store ? $"{name} {memory}, {register}" : $"{name} {register}, {memory}", x => emit(x, a, address, size));
                }
            }
        }
    }

    private void AllOfMemory(string name, int[] sizes, Action<Assembler, HostAddress, int> emit, string end = "")
    {
        foreach (int size in sizes)
        {
            foreach ((HostAddress address, string text) in SomeAddresses())
                _listing.AssertIs($"{name} {Pointer(size)}{text}{end}", x => emit(x, address, size));
        }
    }

    [Fact]
    public void Addresses_of_all_shapes()
    {
        foreach ((HostAddress address, string text) in Addresses())
        {
            _listing.AssertIs($"mov rdx, qword ptr {text}", x => x.Load(HostRegister.Rdx, address, 8));
            _listing.AssertIs($"lea r9d, {text}", x => x.Lea(HostRegister.R9, address, 4));
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => new HostAddress(HostRegister.Rax, HostRegister.Rsp, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new HostAddress(HostRegister.Rax, HostRegister.Rax, 3));
    }

    [Fact]
    public void Moves()
    {
        All("mov", [4, 8], (x, a, b, size) => x.Mov(a, b, size));
        All("mov", [4, 8], (x, a, b, size) => x.ZeroExtend(a, b, size));
        All("movzx", [1], (x, a, b, _) => x.ZeroExtend(a, b, 1), size: 4);
        All("movzx", [2], (x, a, b, _) => x.ZeroExtend(a, b, 2), size: 4);
        All("movsx", [1], (x, a, b, _) => x.SignExtend(a, b, 1), size: 8);
        All("movsx", [2], (x, a, b, _) => x.SignExtend(a, b, 2), size: 8);
        All("movsxd", [4], (x, a, b, _) => x.SignExtend(a, b, 4), size: 8);
        All("mov", [8], (x, a, b, _) => x.SignExtend(a, b, 8));
        foreach (Condition condition in Enum.GetValues<Condition>())
        {
            All($"cmov{Suffix(condition)}", [2, 4, 8], (x, a, b, size) => x.MoveIf(condition, a, b, size));
            All($"set{Suffix(condition)}", [1], (x, a, _) => x.SetCondition(condition, a));
            AllOfMemory($"set{Suffix(condition)}", [1], (x, m, _) => x.SetCondition(condition, m));
        }

        AllWithMemory("cmovbe", [2, 4, 8], (x, a, m, size) => x.MoveIf(Condition.Be, a, m, size));
        All("push", [8], (x, a, _) => x.Push(a));
        All("pop", [8], (x, a, _) => x.Pop(a));
    }

    private void All(string name, int[] from, Two emit, int size) => All(name, [size], (x, a, b, s) => emit(x, a, b, s), _ => from[0]);

    private static string Suffix(Condition condition) => condition.ToString().ToLowerInvariant();

    [Fact]
    public void Loads_and_stores()
    {
        AllWithMemory("mov", [4, 8], (x, a, m, size) => x.Load(a, m, size));
        AllWithMemory("movzx", [1, 2], (x, a, m, size) => x.Load(a, m, size), registerSize: _ => 4);
        AllWithMemory("movsx", [1, 2], (x, a, m, size) => x.LoadSigned(a, m, size), registerSize: _ => 8);
        AllWithMemory("movsxd", [4], (x, a, m, size) => x.LoadSigned(a, m, size), registerSize: _ => 8);
        AllWithMemory("mov", [8], (x, a, m, size) => x.LoadSigned(a, m, size));
        AllWithMemory("mov", Sizes, (x, a, m, size) => x.Store(m, a, size), store: true);
        AllWithMemory("lea", [4, 8], (x, a, m, size) => x.Lea(a, m, size), pointer: "");
        foreach (int value in (int[])[0, 1, -1, 127, -128, 32767, -32768, int.MaxValue, int.MinValue])
        {
            foreach (int size in Sizes)
                AllOfMemory("mov", [size], (x, m, s) => x.StoreImmediate(m, value, s), $", {Truncated(value, size)}");
        }
    }

    private static int Truncated(int value, int size) => size switch
    {
        1 => (sbyte)value,
        2 => (short)value,
        _ => value,
    };

    [Theory]
    [InlineData(0UL, 4, 5)]
    [InlineData(1UL, 4, 5)]
    [InlineData(0x7fffffffUL, 4, 5)]
    [InlineData(0x80000000UL, 4, 5)]
    [InlineData(0xffffffffUL, 4, 5)]
    [InlineData(0x100000000UL, 8, 10)]
    [InlineData(ulong.MaxValue, 8, 7)]
    [InlineData(0xffffffff80000000UL, 8, 7)]
    [InlineData(0xffffffff7fffffffUL, 8, 10)]
    [InlineData(0x123456789abcdef0UL, 8, 10)]
    public void Constants(ulong value, int size, int length)
    {
        foreach (HostRegister register in Registers)
        {
            _listing.AssertIs($"mov {Name(register, size)}, {(size == 4 ? (int)value : (long)value)}", x => x.MovImmediate(register, value));
            Assert.Equal(length + (size == 4 && register >= HostRegister.R8 ? 1 : 0), _listing.Assembler.Size);
        }
    }

    [Fact]
    public void Arithmetic()
    {
        foreach (Alu op in Enum.GetValues<Alu>())
        {
            string name = op.ToString().ToLowerInvariant();
            All(name, Sizes, (x, a, b, size) => x.Arithmetic(op, a, b, size));
            AllWithMemory(name, Sizes, (x, a, m, size) => x.Arithmetic(op, a, m, size));
            AllWithMemory(name, Sizes, (x, a, m, size) => x.Arithmetic(op, m, a, size), store: true);
            foreach (int value in (int[])[0, 1, -1, 127, -128, 128, 255, -129, 32767, -32768, 65535, 0x12345, int.MaxValue, int.MinValue])
            {
                foreach (int size in Sizes)
                {
                    string end = $", {Truncated(value, size)}";
                    All(name, [size], (x, a, s) => x.Arithmetic(op, a, value, s), end);
                    AllOfMemory(name, [size], (x, m, s) => x.Arithmetic(op, m, value, s), end);
                    if (op != Alu.Cmp)
                        AllOfMemory($"lock {name}", [size], (x, m, s) => x.LockArithmetic(op, m, value, s), end);
                }
            }
        }

        All("test", Sizes, (x, a, b, size) => x.Test(a, b, size));
        All("not", Sizes, (x, a, size) => x.Not(a, size));
        All("neg", Sizes, (x, a, size) => x.Negate(a, size));
        AllOfMemory("inc", Sizes, (x, m, size) => x.Increment(m, size));
        _listing.AssertIs("stc", x => x.SetCarry());
        AllOfMemory("dec", Sizes, (x, m, size) => x.Decrement(m, size));
    }

    [Theory]
    [InlineData(0, 8, 1)]
    [InlineData(127, 8, 1)]
    [InlineData(127, 2, 1)]
    [InlineData(128, 8, 4)]
    [InlineData(128, 2, 2)]
    [InlineData(128, 1, 1)]
    [InlineData(int.MaxValue, 8, 4)]
    [InlineData(-1, 8, 8)]
    [InlineData(-1, 4, 4)]
    [InlineData(int.MinValue, 8, 8)]
    public void Tests_are_as_short_as_their_flags_allow(int mask, int size, int written)
    {
        string end = $", {Truncated(mask, written)}";
        foreach (HostRegister register in Registers)
            _listing.AssertIs($"test {Name(register, written)}{end}", x => x.Test(register, mask, size));
        AllOfMemory("test", [written], (x, m, _) => x.Test(m, mask, size), end);
    }

    [Fact]
    public void Products_and_quotients()
    {
        All("imul", [2, 4, 8], (x, a, b, size) => x.Multiply(a, b, size));
        foreach (int value in (int[])[3, -128, 127, 128, int.MaxValue, int.MinValue])
            All("imul", [8], (x, a, b, _) => x.MultiplyImmediate(a, b, value), end: $", {value}");
        All("mul", [8], (x, a, _) => x.MultiplyWide(a));
        All("imul", [8], (x, a, _) => x.MultiplyWideSigned(a));
        All("div", [4, 8], (x, a, size) => x.DivideWide(a, size));
        All("idiv", [4, 8], (x, a, size) => x.DivideWideSigned(a, size));
        _listing.AssertIs("cqo", x => x.SignIntoRdx());
        _listing.AssertIs("cdq", x => x.SignIntoRdx(4));
        All("mulx", [8], (x, a, b, c, _) => x.Mulx(a, b, c));
        foreach ((HostAddress address, string text) in SomeAddresses())
            _listing.AssertIs($"mulx r9, rsi, qword ptr {text}", x => x.Mulx(HostRegister.R9, HostRegister.Rsi, address));
    }

    [Fact]
    public void Shifts()
    {
        foreach (Shift op in Enum.GetValues<Shift>())
        {
            string name = op.ToString().ToLowerInvariant();
            foreach (int size in Sizes)
            {
                foreach (int count in (int[])[1, 2, (8 * size) - 1])
                    All(name, [size], (x, a, s) => x.ShiftBy(op, a, count, s), $", {count}");
            }

            All(name, Sizes, (x, a, size) => x.ShiftByCl(op, a, size), ", cl");
        }

        All("shlx", [4, 8], (x, a, b, c, size) => x.Shlx(a, b, c, size));
        All("shrx", [4, 8], (x, a, b, c, size) => x.Shrx(a, b, c, size));
        All("sarx", [4, 8], (x, a, b, c, size) => x.Sarx(a, b, c, size));
        foreach (int count in (int[])[0, 1, 17, 63])
        {
            All("rorx", [8], (x, a, b, _) => x.Rorx(a, b, count), end: $", {count}");
            All("shrd", [8], (x, a, b, _) => x.ShiftDoubleRight(a, b, count), end: $", {count}");
            All("shld", [8], (x, a, b, _) => x.ShiftDoubleLeft(a, b, count), end: $", {count}");
        }

        All("rorx", [4], (x, a, b, size) => x.Rorx(a, b, 31, size), end: ", 31");
        All("shrd", [4, 8], (x, a, b, size) => x.ShiftDoubleRightCl(a, b, size), end: ", cl");
        All("shld", [4, 8], (x, a, b, size) => x.ShiftDoubleLeftCl(a, b, size), end: ", cl");
    }

    [Fact]
    public void Bits()
    {
        All("andn", [4, 8], (x, a, b, c, size) => x.Andn(a, b, c, size));
        // The count, which is vvvv, is the last operand.
        All("bzhi", [4, 8], (x, a, b, c, size) => x.Bzhi(a, b, c, size));
        All("pext", [4, 8], (x, a, b, c, size) => x.Pext(a, b, c, size));
        All("pdep", [4, 8], (x, a, b, c, size) => x.Pdep(a, b, c, size));
        All("popcnt", [2, 4, 8], (x, a, b, size) => x.PopulationCount(a, b, size));
        All("lzcnt", [2, 4, 8], (x, a, b, size) => x.LeadingZeros(a, b, size));
        All("tzcnt", [2, 4, 8], (x, a, b, size) => x.TrailingZeros(a, b, size));
        All("bswap", [4, 8], (x, a, size) => x.SwapBytes(a, size));
        All("rol", [2], (x, a, size) => x.SwapBytes(a, size), ", 8");
        foreach (int bit in (int[])[0, 31, 32, 63])
        {
            All("bt", [bit < 32 ? 4 : 8], (x, a, _) => x.BitTest(a, bit), $", {bit}");
            All("bts", [8], (x, a, _) => x.BitTestSet(a, bit), $", {bit}");
            All("btr", [8], (x, a, _) => x.BitTestReset(a, bit), $", {bit}");
            All("btc", [8], (x, a, _) => x.BitTestComplement(a, bit), $", {bit}");
        }

        All("bt", [8], (x, a, b, _) => x.BitTest(a, b));
        All("bts", [8], (x, a, b, _) => x.BitTestSet(a, b));
        All("btr", [8], (x, a, b, _) => x.BitTestReset(a, b));
        All("btc", [8], (x, a, b, _) => x.BitTestComplement(a, b));
    }

    [Fact]
    public void Atomics()
    {
        AllWithMemory("xchg", Sizes, (x, a, m, size) => x.Exchange(m, a, size), store: true);
        AllWithMemory("lock cmpxchg", Sizes, (x, a, m, size) => x.LockCompareExchange(m, a, size), store: true);
        AllWithMemory("lock xadd", Sizes, (x, a, m, size) => x.LockExchangeAdd(m, a, size), store: true);
        AllOfMemory("lock cmpxchg16b", [16], (x, m, _) => x.LockCompareExchangeWide(m));
        _listing.AssertIs("mfence", x => x.Fence());
        _listing.AssertIs("pause", x => x.Pause());
        _listing.AssertIs("rdtsc", x => x.ReadTimestamp());
        _listing.AssertIs("ud2", x => x.Trap());
        _listing.AssertIs("ret", x => x.Return());
    }

    [Fact]
    public void Indirect_jumps_and_calls()
    {
        All("jmp", [8], (x, a, _) => x.Jump(a));
        All("call", [8], (x, a, _) => x.Call(a));
        AllOfMemory("jmp", [8], (x, m, _) => x.Jump(m));
        AllOfMemory("call", [8], (x, m, _) => x.Call(m));
    }
}
