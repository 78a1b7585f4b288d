using static FastXen.Core.Emit.HostRegister;

namespace FastXen.Core.Emit;

/// <summary>
/// The host's compare-and-exchange of 16 bytes, which the runtime does not offer: a few instructions of machine code. It is atomic against all other locked
/// instructions and against loads and stores of 8 bytes.
/// </summary>
public static unsafe class WideExchange
{
    // Lives as long as the process.
    private static readonly CodeMemory Code = new(1);
    private static readonly delegate* unmanaged[Cdecl, SuppressGCTransition]<ulong*, ulong*, ulong, ulong, int> Function = Make();

    /// <summary>
    /// Where the 16 aligned bytes at <paramref name="place"/> equal both words of <paramref name="comparand"/>, they become <paramref name="low"/> and
    /// <paramref name="high"/>. Returns whether they did; comparand is what they were.
    /// </summary>
    public static bool CompareExchange(ulong* place, ulong* comparand, ulong low, ulong high) => Function(place, comparand, low, high) != 0;

    // By the host's calling convention: rdi, rsi, rdx, rcx; rbx is the caller's.
    private static delegate* unmanaged[Cdecl, SuppressGCTransition]<ulong*, ulong*, ulong, ulong, int> Make()
    {
        var asm = new Assembler();
        asm.Begin(Code.Writable, Code.Executable, (int)Code.Size);
        asm.Push(Rbx);
        asm.Mov(Rbx, Rdx);
        asm.Load(Rax, new HostAddress(Rsi), 8);
        asm.Load(Rdx, new HostAddress(Rsi, 8), 8);
        asm.LockCompareExchangeWide(new HostAddress(Rdi));
        asm.Store(new HostAddress(Rsi), Rax, 8);
        asm.Store(new HostAddress(Rsi, 8), Rdx, 8);
        asm.SetCondition(Condition.E, Rax);
        asm.ZeroExtend(Rax, Rax, 1);
        asm.Pop(Rbx);
        asm.Return();
        return (delegate* unmanaged[Cdecl, SuppressGCTransition]<ulong*, ulong*, ulong, ulong, int>)Code.Executable;
    }
}
