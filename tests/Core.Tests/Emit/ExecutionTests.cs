using FastXen.Core.Emit;

namespace FastXen.Core.Tests.Emit;

/// <summary>Code that was written runs.</summary>
public sealed unsafe class ExecutionTests : IDisposable
{
    private readonly CodeMemory _memory = new(1 << 16);
    private readonly Assembler _assembler = new();

    public void Dispose() => _memory.Dispose();

    [Fact]
    public void A_loop_adds_the_numbers_of_an_array()
    {
        Assembler a = _assembler;
        a.Begin(_memory.Writable, _memory.Executable, 256);
        Label loop = a.NewLabel(), end = a.NewLabel();
        a.MovImmediate(HostRegister.Rax, 0);
        a.Bind(loop);
        a.Arithmetic(Alu.Sub, HostRegister.Rsi, 1);
        a.Jump(Condition.S, end);
        a.Arithmetic(Alu.Add, HostRegister.Rax, new HostAddress(HostRegister.Rdi, HostRegister.Rsi, 8));
        a.Jump(loop);
        a.Bind(end);
        a.Return();
        Assert.False(a.Overflow);

        long[] numbers = [1, 20, 300, -4000, 50000];
        var sum = (delegate* unmanaged<long*, long, long>)_memory.Executable;
        fixed (long* p = numbers)
            Assert.Equal(numbers.Sum(), sum(p, numbers.Length));
    }
}
