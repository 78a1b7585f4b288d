using FastXen.Core.Emit;
using FastXen.Core.Float;
using FastXen.Core.Translate;
using static FastXen.Core.Emit.HostRegister;

namespace FastXen.Core.Tests.Translate.Floating;

/// <summary>The stubs, and a way for C# to call them.</summary>
internal sealed unsafe class StubMachine : IDisposable
{
    /// <summary>What a stub writes must be seen to be written.</summary>
    private static readonly FloatRegister Untouched = new(0x15555, 0x5555555555555555) { Tag = 0x55555555 };

    private readonly CodeMemory _memory = new(ExtendedStubs.Capacity + 4096);
    private readonly delegate* unmanaged<byte*, FloatRegister*, FloatRegister*, FloatRegister*, FloatRegister*, ulong*, ulong, ulong> _call;

    public StubMachine()
    {
        var a = new Assembler();
        Stubs = new ExtendedStubs(a, _memory.Writable, _memory.Executable, ExtendedStubs.Capacity);

        // (stub, a, b, c, target, double's bits in and out, rax) as C has them; the result is rax, carry in bit 32.
        a.Begin(_memory.Writable + ExtendedStubs.Capacity, _memory.Executable + ExtendedStubs.Capacity, 2048);
        a.Push(Rbx);
        a.Mov(Rbx, R9);
        a.VectorLoad(HostVector.Xmm0, new HostAddress(R9), 8);
        a.Load(Rax, new HostAddress(Rsp, 16), 8);
        a.Mov(R10, Rdi);
        a.Mov(Rdi, Rdx);
        a.Call(R10);
        a.MovImmediate(Rcx, 0);
        a.SetCondition(Condition.B, Rcx);
        a.ShiftBy(Shift.Shl, Rcx, 32);
        a.Mov(Rax, Rax, 4);
        a.Arithmetic(Alu.Or, Rax, Rcx);
        a.VectorStore(new HostAddress(Rbx), HostVector.Xmm0, 8);
        a.Pop(Rbx);
        a.Return();
        _call = (delegate* unmanaged<byte*, FloatRegister*, FloatRegister*, FloatRegister*, FloatRegister*, ulong*, ulong, ulong>)
            (_memory.Executable + ExtendedStubs.Capacity);
    }

    public ExtendedStubs Stubs { get; }

    public ReadOnlySpan<byte> Code => new(_memory.Executable, Stubs.Size);

    public void Dispose() => _memory.Dispose();

    public readonly record struct Outcome(bool Success, FloatRegister Value, uint Flags, ulong Xmm0);

    /// <summary>Calls a stub. Fails the test when a failing stub wrote, or a succeeding one left the tag.</summary>
    public Outcome Call(byte* stub, FloatRegister a, FloatRegister b = default, FloatRegister c = default, ulong bits = 0, bool writes = true)
    {
        FloatRegister target = Untouched;
        ulong xmm = bits;
        ulong result = _call(stub, &a, &b, &c, &target, &xmm, bits);
        bool success = result >> 32 == 0;
        if (writes && success)
            Assert.Equal(0u, target.Tag);
        else
            Assert.Equal((Untouched, Untouched.Tag), (target, target.Tag));
        return new Outcome(success, target, (uint)result, xmm);
    }

    /// <summary>As Call, with an operand (0, 1, 2) being the target.</summary>
    public FloatRegister CallInPlace(byte* stub, FloatRegister a, FloatRegister b, FloatRegister c, int target)
    {
        FloatRegister* registers = stackalloc FloatRegister[3] { a, b, c };
        ulong xmm = 0;
        _ = _call(stub, registers, registers + 1, registers + 2, registers + target, &xmm, 0);
        return registers[target];
    }
}
