namespace FastXen.Core.Emit;

/// <summary>Atomic operations, fences and the timestamp.</summary>
public sealed unsafe partial class Assembler
{
    /// <summary>mfence.</summary>
    public void Fence()
    {
        Room();
        Byte(0x0f);
        Byte(0xae);
        Byte(0xf0);
    }

    /// <summary>xchg; atomic without a prefix.</summary>
    public void Exchange(in HostAddress address, HostRegister register, int size) =>
        Memory(0, size, size == 1 ? 0x86 : 0x87, (int)register, address, byteRegister: size == 1);

    /// <summary>lock cmpxchg: memory that equals rax becomes newValue; rax is what it was. ZF tells success.</summary>
    public void LockCompareExchange(in HostAddress address, HostRegister newValue, int size) =>
        Memory(Lock, size, size == 1 ? 0x0fb0 : 0x0fb1, (int)newValue, address, byteRegister: size == 1);

    /// <summary>lock xadd: memory += register; register is what memory was.</summary>
    public void LockExchangeAdd(in HostAddress address, HostRegister register, int size) =>
        Memory(Lock, size, size == 1 ? 0x0fc0 : 0x0fc1, (int)register, address, byteRegister: size == 1);

    /// <summary>A locked operation of memory and a constant (not cmp).</summary>
    public void LockArithmetic(Alu op, in HostAddress address, int immediate, int size) =>
        ArithmeticInMemory(Lock, op, address, immediate, size);

    /// <summary>lock cmpxchg16b: 16 aligned bytes that equal rdx:rax become rcx:rbx; rdx:rax is what they were. ZF tells success.</summary>
    public void LockCompareExchangeWide(in HostAddress address) => Memory(Lock, 8, 0x0fc7, 1, address);

    /// <summary>pause.</summary>
    public void Pause()
    {
        Room();
        Byte(Repeat);
        Byte(0x90);
    }

    /// <summary>rdtsc: edx:eax.</summary>
    public void ReadTimestamp()
    {
        Room();
        Byte(0x0f);
        Byte(0x31);
    }
}
