using FastXen.Core.Emit;
using Iced.Intel;

namespace FastXen.Core.Tests.Emit;

/// <summary>What another disassembler reads in the code of an <see cref="FastXen.Core.Emit.Assembler"/>.</summary>
internal sealed unsafe class Listing : IDisposable
{
    private const int Capacity = 1 << 16;

    private static readonly string[] Wide =
        ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"];

    private static readonly string[] Bytes =
        ["al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil", "r8b", "r9b", "r10b", "r11b", "r12b", "r13b", "r14b", "r15b"];

    private readonly CodeMemory _memory = new(Capacity);

    private readonly IntelFormatter _formatter = new(new FormatterOptions
    {
        NumberBase = NumberBase.Decimal,
        SignedImmediateOperands = true,
        SignedMemoryDisplacements = true,
        MemorySizeOptions = MemorySizeOptions.Always,
        SpaceAfterOperandSeparator = true,
        BranchLeadingZeros = false,
        ShowBranchSize = false,
        UsePseudoOps = false,
    });

    public FastXen.Core.Emit.Assembler Assembler { get; } = new();

    public static IEnumerable<HostRegister> Registers => Enum.GetValues<HostRegister>();

    public static IEnumerable<HostVector> Vectors => Enum.GetValues<HostVector>();

    public void Dispose() => _memory.Dispose();

    /// <summary>Exactly this instruction, in Intel's syntax, and nothing after it. Immediates are signed and decimal.</summary>
    public void AssertIs(string expected, Action<FastXen.Core.Emit.Assembler> emit)
    {
        Assembler.Begin(_memory.Writable, _memory.Executable, 64);
        emit(Assembler);
        Assert.False(Assembler.Overflow);
        Assert.Equal(expected, string.Join("; ", Lines()));
    }

    public IEnumerable<string> Lines() => Instructions().Select(Text);

    public byte[] Code() => new ReadOnlySpan<byte>(_memory.Writable, Assembler.Size).ToArray();

    public List<Instruction> Instructions()
    {
        byte[] code = Code();
        var decoder = Decoder.Create(64, code);
        decoder.IP = (ulong)_memory.Executable;
        var all = new List<Instruction>();
        while (decoder.IP < (ulong)_memory.Executable + (ulong)code.Length)
            all.Add(decoder.Decode());
        Assert.Equal(code.Length, all.Sum(i => i.Length));
        return all;
    }

    public void Begin() => Assembler.Begin(_memory.Writable, _memory.Executable, Capacity);

    public byte* Executable => _memory.Executable;

    private string Text(Instruction instruction)
    {
        Assert.False(instruction.IsInvalid);
        var output = new StringOutput();
        _formatter.Format(instruction, output);
        return output.ToStringAndReset();
    }

    public static string Name(HostRegister register, int size = 8)
    {
        int number = (int)register;
        return size switch
        {
            1 => Bytes[number],
            2 => number < 8 ? Wide[number][1..] : $"{Wide[number]}w",
            4 => number < 8 ? $"e{Wide[number][1..]}" : $"{Wide[number]}d",
            _ => Wide[number],
        };
    }

    public static string Name(HostVector vector, int width = 16) => $"{(width == 32 ? 'y' : 'x')}mm{(int)vector}";

    /// <summary>Addresses in all shapes that are encoded differently, with their texts.</summary>
    public static IEnumerable<(HostAddress Address, string Text)> Addresses()
    {
        foreach (HostRegister register in Registers)
        {
            foreach (int displacement in (int[])[0, 1, -1, 127, -128, 128, -129, int.MaxValue, int.MinValue])
            {
                string end = displacement == 0 ? "" : displacement < 0 ? $"-{-(long)displacement}" : $"+{displacement}";
                yield return (new HostAddress(register, displacement), $"[{Name(register)}{end}]");
                foreach (HostRegister index in Registers.Where(r => r != HostRegister.Rsp))
                {
                    foreach (int scale in (int[])[1, 2, 4, 8])
                    {
                        string times = scale == 1 ? "" : $"*{scale}";
                        yield return (new HostAddress(register, index, scale, displacement), $"[{Name(register)}+{Name(index)}{times}{end}]");
                    }
                }
            }
        }
    }

    /// <summary>A few of them: each base, and each index.</summary>
    public static IEnumerable<(HostAddress Address, string Text)> SomeAddresses()
    {
        foreach (HostRegister register in Registers)
        {
            yield return (new HostAddress(register), $"[{Name(register)}]");
            yield return (new HostAddress(register, -128), $"[{Name(register)}-128]");
            if (register == HostRegister.Rsp)
                continue;
            HostRegister other = (HostRegister)((int)register ^ 13);
            yield return (new HostAddress(other, register, 8, 4096), $"[{Name(other)}+{Name(register)}*8+4096]");
        }
    }

    public static string Pointer(int size) => size switch
    {
        1 => "byte ptr ",
        2 => "word ptr ",
        4 => "dword ptr ",
        8 => "qword ptr ",
        16 => "xmmword ptr ",
        _ => "ymmword ptr ",
    };
}
