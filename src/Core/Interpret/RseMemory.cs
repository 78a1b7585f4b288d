using System.Buffers.Binary;
using FastXen.Core.Decode;
using FastXen.Core.State;
using FastXen.Mmu;

namespace FastXen.Core.Interpret;

/// <summary>The RSE's references to the backing store: mandatory stores and loads, flushrs and loadrs (SDM vol 2, 6.5, 6.11).</summary>
public static unsafe class RseMemory
{
    /// <summary>Stores the lowest <paramref name="count"/> dirty registers, with the collections between them, for <paramref name="i"/>.</summary>
    public static int Spill(VcpuState* s, Instruction* i, int count)
    {
        while (count > 0)
        {
            int run = SpillRun(s, count);
            if (run == 0)
            {
                int step = Spill(s, i);
                if (step != Step.Next)
                    return step;
                run = 1;
            }

            count -= run;
        }

        return Step.Next;
    }

    // Stores registers without NaT bits up to the next collection or page in one piece, where the fast TLB has the page. Returns how many.
    private static int SpillRun(VcpuState* s, int count)
    {
        ulong address = s->BspStore;
        int bit = (int)(address >> 3) & 63;
        if (bit == 63 || (s->NatPresent | s->AlatValid) != 0 || (s->Ar[Ar.Rsc] & Rsc.Be) != 0)
            return 0;
        byte* host = FastTlb.TryWrite(s->Mmu->Rse, address, 8);
        if (host == null)
            return 0;
        int run = Math.Min(Math.Min(count, 63 - bit), (int)(0x1000 - (address & 0xFFF)) >> 3);
        new ReadOnlySpan<ulong>(s->FrameBase + 32 - s->Dirty, run).CopyTo(new Span<ulong>(host, run));
        s->Rnat &= ~(((1UL << run) - 1) << bit);
        s->BspStore = address + 8 * (ulong)run;
        s->Dirty -= run;
        return run;
    }

    // As SpillRun, loading at most count words below BSPSTORE.
    private static int FillRun(VcpuState* s, int count)
    {
        ulong address = s->BspStore - 8;
        int bit = (int)(address >> 3) & 63;
        if (bit == 63 || s->NatPresent != 0 || (s->Ar[Ar.Rsc] & Rsc.Be) != 0)
            return 0;
        byte* host = FastTlb.TryRead(s->Mmu->Rse, address, 8);
        if (host == null)
            return 0;
        int run = Math.Min(Math.Min(count, bit + 1), (int)((address & 0xFFF) >> 3) + 1);
        if ((s->Rnat >> (bit + 1 - run) & ((1UL << run) - 1)) != 0)
            return 0;
        new ReadOnlySpan<ulong>(host - 8 * (run - 1), run).CopyTo(new Span<ulong>(s->FrameBase + 32 - s->Dirty - run, run));
        s->BspStore -= 8 * (ulong)run;
        s->Dirty += run;
        return run;
    }

    /// <summary>Stores the lowest dirty register, and a NaT collection where one is due, for <paramref name="i"/>.</summary>
    public static int Spill(VcpuState* s, Instruction* i)
    {
        if ((s->BspStore >> 3 & 63) == 63)
        {
            int step = Store(s, i, s->BspStore, s->Rnat);
            if (step != Step.Next)
                return step;
            s->BspStore += 8;
        }

        ulong address = s->BspStore;
        int bit = (int)(address >> 3) & 63;
        ulong* register = s->FrameBase + 32 - s->Dirty;
        int stored = Store(s, i, address, *register);
        if (stored != Step.Next)
            return stored;
        ulong nat = s->NatPresent == 0 ? 0UL : s->FrameNat[32 - s->Dirty];
        s->Rnat = (s->Rnat & ~(1UL << bit)) | nat << bit;
        s->BspStore = address + 8;
        s->Dirty--;
        return Step.Next;
    }

    /// <summary>flushrs: stores all dirty registers, and the collection below BSP.</summary>
    public static int Flush(VcpuState* s, Instruction* i)
    {
        int spilled = Spill(s, i, s->Dirty);
        if (spilled != Step.Next)
            return spilled;

        if ((s->BspStore >> 3 & 63) == 63)
        {
            int step = Store(s, i, s->BspStore, s->Rnat);
            if (step != Step.Next)
                return step;
            s->BspStore += 8;
        }

        return Step.Next;
    }

    /// <summary>
    /// loadrs: afterwards just the registers in the RSC.loadrs bytes below BSP are dirty: missing ones are loaded, others dropped.
    /// </summary>
    public static int Load(VcpuState* s, Instruction* i)
    {
        ulong bytes = s->Ar[Ar.Rsc] >> Rsc.LoadrsShift & 0x3FF8;
        ulong bsp = Rse.Bsp(s);
        ulong tear = bsp - bytes;
        // The slots between the tear point and BSP, less the collections among them, are registers.
        int wanted = RegistersBetween(tear, bsp);
        if (wanted > Rse.PhysicalRegisters)
            return Fault.IllegalOperation(s, i);
        while (s->BspStore > tear)
        {
            if (FillRun(s, (int)((s->BspStore - tear) >> 3)) != 0)
                continue;
            int step = Fill(s, i);
            if (step != Step.Next)
                return step;
        }

        s->BspStore = tear;
        s->Dirty = wanted;
        return Step.Next;
    }

    /// <summary>
    /// Loads the registers that an incomplete frame misses (after br.ret, rfi). Ip is already the target; a fault is delivered there with
    /// ISR.ir and ISR.rs, and the frame stays incomplete until the handler returns.
    /// </summary>
    public static int CompleteFrame(VcpuState* s)
    {
        while (s->Dirty < 0)
        {
            if (FillRun(s, -s->Dirty) == 0 && Fill(s, null) != Step.Next)
                return Step.Redirect;
        }

        Rse.CompleteRotation(s);
        return Step.Redirect;
    }

    private static int RegistersBetween(ulong low, ulong high)
    {
        // A collection is the last of 64 words.
        return low >= high ? 0 : (int)((high >> 3) - (low >> 3) - ((high >> 9) - (low >> 9)));
    }

    // Loads the word below BSPSTORE: a register into the place below the dirty ones, or the collection.
    private static int Fill(VcpuState* s, Instruction* i)
    {
        ulong address = s->BspStore - 8;
        ulong value;
        int step = Reference(s, i, address, AccessKind.Read | AccessKind.Rse, &value);
        if (step != Step.Next)
            return step;
        int bit = (int)(address >> 3) & 63;
        if (bit == 63)
        {
            s->Rnat = value;
        }
        else
        {
            int place = 32 - s->Dirty - 1;
            uint nat = (uint)(s->Rnat >> bit) & 1;
            s->FrameBase[place] = value;
            if ((s->NatPresent | nat) != 0)
            {
                s->NatPresent = 1;
                s->FrameNat[place] = (byte)nat;
            }

            s->Dirty++;
        }

        s->BspStore = address;
        return Step.Next;
    }

    private static int Store(VcpuState* s, Instruction* i, ulong address, ulong value) =>
        Reference(s, i, address, AccessKind.Write | AccessKind.Rse, &value);

    private static int Reference(VcpuState* s, Instruction* i, ulong address, AccessKind kind, ulong* value)
    {
        bool write = (kind & AccessKind.Write) != 0;
        byte* host = write ? FastTlb.TryWrite(s->Mmu->Rse, address, 8) : FastTlb.TryRead(s->Mmu->Rse, address, 8);
        if (host == null)
        {
            PhysicalMemory memory = Vcpu.Of(s).Memory;
            int privilege = (int)(s->Ar[Ar.Rsc] >> 2) & 3;
            TranslationOutcome outcome = AddressTranslation.Resolve(
                s->Mmu, memory, address, 8, kind, privilege, s->PsrValue, s->Cr[Cr.Dcr], out Mmu.Translation t);
            if (outcome != TranslationOutcome.Ok)
            {
                ulong isr = Isr.Rs | (write ? Isr.W : Isr.R);
                if (i != null)
                    return AddressSpace.DataFault(s, i, outcome, t, isr);
                AddressSpace.DataFaultHere(s, outcome, t, isr);
                return Step.Redirect;
            }

            if (!memory.IsRam(t.PhysicalAddress, 8))
            {
                Vcpu.Of(s).Crash($"machine check: the backing store at 0x{address:x16} is not memory (physical 0x{t.PhysicalAddress:x})");
                return Step.Leave;
            }

            if ((s->PsrValue & (Psr.Da | Psr.Dd)) == 0 && (s->Ar[Ar.Rsc] & Rsc.Be) == 0)
                FastTlb.Fill(s->Mmu, memory, s->Mmu->Rse, address, t);
            host = s->MemoryBase + t.PhysicalAddress;
        }

        bool big = (s->Ar[Ar.Rsc] & Rsc.Be) != 0;
        if (write)
        {
            *(ulong*)host = big ? BinaryPrimitives.ReverseEndianness(*value) : *value;
            if (s->AlatValid != 0)
                Alat.Store(s, (ulong)(host - s->MemoryBase), 8);
        }
        else
        {
            *value = big ? BinaryPrimitives.ReverseEndianness(*(ulong*)host) : *(ulong*)host;
        }

        return Step.Next;
    }
}
