using FastXen.Core.Decode;
using FastXen.Core.Emit;
using FastXen.Core.State;
using FastXen.Mmu;

namespace FastXen.Core.Interpret;

/// <summary>cmpxchg, cmp8xchg16, xchg, fetchadd (SDM vol 3): host locked instructions, which are stronger than acquire and release.</summary>
public static unsafe class Semaphores
{
    /// <summary>Fills the dispatch table.</summary>
    public static void Bind(delegate*<VcpuState*, Instruction*, int>* table)
    {
        table[(int)Opcode.Cmpxchg1Acq] = table[(int)Opcode.Cmpxchg1Rel] = &Cmpxchg<One>;
        table[(int)Opcode.Cmpxchg2Acq] = table[(int)Opcode.Cmpxchg2Rel] = &Cmpxchg<Two>;
        table[(int)Opcode.Cmpxchg4Acq] = table[(int)Opcode.Cmpxchg4Rel] = &Cmpxchg<Four>;
        table[(int)Opcode.Cmpxchg8Acq] = table[(int)Opcode.Cmpxchg8Rel] = &Cmpxchg<Eight>;
        table[(int)Opcode.Cmp8xchg16Acq] = table[(int)Opcode.Cmp8xchg16Rel] = &Cmp8xchg16;
        table[(int)Opcode.Xchg1] = &Xchg<One>;
        table[(int)Opcode.Xchg2] = &Xchg<Two>;
        table[(int)Opcode.Xchg4] = &Xchg<Four>;
        table[(int)Opcode.Xchg8] = &Xchg<Eight>;
        table[(int)Opcode.Fetchadd4Acq] = table[(int)Opcode.Fetchadd4Rel] = &Fetchadd<Four>;
        table[(int)Opcode.Fetchadd8Acq] = table[(int)Opcode.Fetchadd8Rel] = &Fetchadd<Eight>;
    }

    // The operand in host memory. The fast path finds it only little-endian, aligned, writable and write-back.
    private static int Locate(VcpuState* s, Instruction* i, int size, out byte* host)
    {
        host = null;
        if (Registers.Nat(s, i->R3) != 0)
            return Fault.DataNatConsumption(s, i, Isr.R | Isr.W);
        ulong address = Registers.Gr(s, i->R3);
        host = FastTlb.TryWrite(s->Mmu, address, size);
        return host != null ? Step.Next : DataAccess.LocateSemaphore(s, i, address, size, out host);
    }

    private static bool NatOperand(VcpuState* s, Instruction* i) => Registers.Nat(s, i->R2) != 0;

    private static ulong Swapped(VcpuState* s, ulong value, int size) => (s->PsrValue & Psr.Be) != 0 ? DataAccess.Swap(value, size) : value;

    private static int Finish(VcpuState* s, Instruction* i, byte* host, int size, ulong old, bool stored)
    {
        if (stored && s->AlatValid != 0)
            Alat.Store(s, (ulong)(host - s->MemoryBase), size);
        Registers.SetGr(s, i->R1, old);
        return Step.Next;
    }

    private static int Cmpxchg<TSize>(VcpuState* s, Instruction* i) where TSize : struct, IAccessSize
    {
        if (Registers.BadTarget(s, i->R1))
            return Fault.IllegalOperation(s, i);
        if (NatOperand(s, i))
            return Fault.DataNatConsumption(s, i, Isr.R | Isr.W);
        int step = Locate(s, i, TSize.Bytes, out byte* host);
        if (step != Step.Next)
            return step;
        ulong ccv = s->Ar[Ar.Ccv];
        if (TSize.Bytes < 8 && ccv >> (8 * TSize.Bytes) != 0)
        {
            // All 64 bits of CCV are compared with the zero-extended operand (SDM vol 3, cmpxchg): this can never match.
            return Finish(s, i, host, TSize.Bytes, Swapped(s, TSize.Read(host), TSize.Bytes), stored: false);
        }

        ulong value = Swapped(s, Registers.Gr(s, i->R2), TSize.Bytes);
        ulong comparand = Swapped(s, ccv, TSize.Bytes);
        ulong old = TSize.Bytes switch
        {
            1 => Interlocked.CompareExchange(ref *host, (byte)value, (byte)comparand),
            2 => Interlocked.CompareExchange(ref *(ushort*)host, (ushort)value, (ushort)comparand),
            4 => Interlocked.CompareExchange(ref *(uint*)host, (uint)value, (uint)comparand),
            _ => Interlocked.CompareExchange(ref *(ulong*)host, value, comparand),
        };
        return Finish(s, i, host, TSize.Bytes, Swapped(s, old, TSize.Bytes), stored: old == comparand);
    }

    private static int Xchg<TSize>(VcpuState* s, Instruction* i) where TSize : struct, IAccessSize
    {
        if (Registers.BadTarget(s, i->R1))
            return Fault.IllegalOperation(s, i);
        if (NatOperand(s, i))
            return Fault.DataNatConsumption(s, i, Isr.R | Isr.W);
        int step = Locate(s, i, TSize.Bytes, out byte* host);
        if (step != Step.Next)
            return step;
        ulong value = Swapped(s, Registers.Gr(s, i->R2), TSize.Bytes);
        ulong old = TSize.Bytes switch
        {
            1 => Interlocked.Exchange(ref *host, (byte)value),
            2 => Interlocked.Exchange(ref *(ushort*)host, (ushort)value),
            4 => Interlocked.Exchange(ref *(uint*)host, (uint)value),
            _ => Interlocked.Exchange(ref *(ulong*)host, value),
        };
        return Finish(s, i, host, TSize.Bytes, Swapped(s, old, TSize.Bytes), stored: true);
    }

    private static int Fetchadd<TSize>(VcpuState* s, Instruction* i) where TSize : struct, IAccessSize
    {
        if (Registers.BadTarget(s, i->R1))
            return Fault.IllegalOperation(s, i);
        int step = Locate(s, i, TSize.Bytes, out byte* host);
        if (step != Step.Next)
            return step;
        ulong old;
        if ((s->PsrValue & Psr.Be) == 0)
        {
            old = TSize.Bytes == 4
                ? (uint)(Interlocked.Add(ref *(uint*)host, (uint)i->Immediate) - (uint)i->Immediate)
                : Interlocked.Add(ref *(ulong*)host, i->Immediate) - i->Immediate;
        }
        else
        {
            old = FetchaddSwapped<TSize>(host, i->Immediate);
        }

        return Finish(s, i, host, TSize.Bytes, old, stored: true);
    }

    private static ulong FetchaddSwapped<TSize>(byte* host, ulong increment) where TSize : struct, IAccessSize
    {
        for (; ; )
        {
            ulong seen = TSize.Read(host);
            ulong old = DataAccess.Swap(seen, TSize.Bytes);
            ulong next = DataAccess.Swap(old + increment, TSize.Bytes);
            bool done = TSize.Bytes == 4
                ? Interlocked.CompareExchange(ref *(uint*)host, (uint)next, (uint)seen) == (uint)seen
                : Interlocked.CompareExchange(ref *(ulong*)host, next, seen) == seen;
            if (done)
                return old;
        }
    }

    // cmp8xchg16: compares 8 bytes at r3, stores 16 at r3 & ~8 (GR r2 below, AR.CSD above).
    private static int Cmp8xchg16(VcpuState* s, Instruction* i)
    {
        if (Registers.BadTarget(s, i->R1))
            return Fault.IllegalOperation(s, i);
        if (NatOperand(s, i))
            return Fault.DataNatConsumption(s, i, Isr.R | Isr.W);
        int step = Locate(s, i, 8, out byte* host);
        if (step != Step.Next)
            return step;
        byte* pair = (byte*)((nuint)host & ~(nuint)15);
        ulong comparand = Swapped(s, s->Ar[Ar.Ccv], 8);
        ulong low = Registers.Gr(s, i->R2);
        ulong high = s->Ar[Ar.Csd];
        if ((s->PsrValue & Psr.Be) != 0)
            (low, high) = (DataAccess.Swap(high, 8), DataAccess.Swap(low, 8));
        // Only one half is compared; the other one is whatever it is at that moment.
        int half = (int)((nuint)host >> 3 & 1);
        ulong* seen = stackalloc ulong[2];
        seen[half] = comparand;
        seen[half ^ 1] = Volatile.Read(ref ((ulong*)pair)[half ^ 1]);
        while (!WideExchange.CompareExchange((ulong*)pair, seen, low, high) && seen[half] == comparand)
        {
        }

        ulong old = seen[half];
        return Finish(s, i, pair, 16, Swapped(s, old, 8), stored: old == comparand);
    }
}
