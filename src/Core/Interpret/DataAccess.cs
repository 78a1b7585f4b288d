using System.Buffers.Binary;
using System.Diagnostics;
using FastXen.Core.Decode;
using FastXen.Core.State;
using FastXen.Events;
using FastXen.Mmu;

namespace FastXen.Core.Interpret;

/// <summary>Where a load found its data.</summary>
/// <param name="Physical">Physical address.</param>
/// <param name="Speculative">True when the memory may be read ahead: write-back RAM. Only then does the ALAT take an entry.</param>
public readonly record struct AccessPlace(ulong Physical, bool Speculative);

/// <summary>What a load may do when it fails.</summary>
public enum LoadKind
{
    /// <summary>Faults.</summary>
    Ordinary,
    /// <summary>ld.a: faults; memory with side effects is not read.</summary>
    Advanced,
    /// <summary>ld.s, ld.sa: may defer.</summary>
    Speculative,
}

/// <summary>
/// Data references that the fast TLB does not serve: misses, faults, MMIO, unaligned and big-endian ones. Every method
/// returns <see cref="Step.Next"/>, or has delivered an interruption.
/// </summary>
public static unsafe class DataAccess
{
    private const ulong PageMask = ~0xFFFUL;

    /// <summary>Reverses the bytes of the low <paramref name="size"/> bytes of a value.</summary>
    public static ulong Swap(ulong value, int size) => BinaryPrimitives.ReverseEndianness(value) >> (64 - 8 * size);

    /// <summary>Loads 1 to 8 bytes.</summary>
    public static int Read(VcpuState* s, Instruction* i, ulong va, int size, ulong* value)
    {
        AccessPlace place;
        return ReadPlaced(s, i, va, size, advanced: false, value, &place);
    }

    /// <summary>Loads 1 to 8 bytes and tells where from.</summary>
    public static int ReadPlaced(VcpuState* s, Instruction* i, ulong va, int size, bool advanced, ulong* value, AccessPlace* place)
    {
        ulong word = 0;
        bool deferred;
        int step = ReadBytes(s, i, va, size, size, advanced ? LoadKind.Advanced : LoadKind.Ordinary, (byte*)&word, place, &deferred);
        *value = word;
        return step;
    }

    /// <summary>ld.s, ld.sa: loads, defers or faults.</summary>
    public static int ReadSpeculative(VcpuState* s, Instruction* i, ulong va, int size, ulong* value, AccessPlace* place, bool* deferred)
    {
        ulong word = 0;
        int step = ReadBytes(s, i, va, size, size, LoadKind.Speculative, (byte*)&word, place, deferred);
        *value = word;
        return step;
    }

    /// <summary>
    /// Loads <paramref name="size"/> bytes in units of <paramref name="unit"/> bytes (of which each is swapped by itself when PSR.be is 1) into
    /// <paramref name="target"/>, as a little-endian processor has them.
    /// </summary>
    public static int ReadBytes(
        VcpuState* s, Instruction* i, ulong va, int size, int unit, LoadKind kind, byte* target, AccessPlace* place, bool* deferred)
    {
        *deferred = false;
        byte* fast = size == 10 ? null : FastTlb.TryRead(s->Mmu, va, size);
        if (fast != null)
        {
            CopyWhole(fast, target, size);
            *place = new AccessPlace((ulong)(fast - s->MemoryBase), true);
            return Step.Next;
        }

        bool speculative = kind == LoadKind.Speculative;
        int alignment = size == 10 ? 16 : size;
        ulong isr = speculative ? Isr.R | Isr.Sp | (s->CodeEd != 0 ? Isr.Ed : 0) : Isr.R;
        int first = (int)Math.Min((ulong)size, 0x1000 - (va & 0xFFF));
        int step = Translate(s, i, va, first, AccessKind.Read, kind, isr, out Mmu.Translation t, deferred);
        if (step != Step.Next || *deferred)
            return step;
        *place = new AccessPlace(t.PhysicalAddress, IsSpeculative(s, t));
        if (speculative && !place->Speculative)
        {
            // Nothing that reading could change is read ahead of time.
            *deferred = true;
            return Step.Next;
        }

        bool unaligned = (va & (ulong)(alignment - 1)) != 0;
        if (unaligned)
        {
            if (speculative && ((s->PsrValue & Psr.Ic) == 0 || s->CodeEd != 0) && MustAlign(s, size))
            {
                *deferred = true;
                return Step.Next;
            }

            if (MustAlign(s, size))
                return Fault.UnalignedReference(s, i, va, isr);
        }

        if (kind == LoadKind.Advanced && !place->Speculative)
            return Step.Next;
        Copy(s, t.PhysicalAddress, target, first, write: false);
        if (first < size)
        {
            step = Translate(s, i, va + (ulong)first, size - first, AccessKind.Read, kind, isr, out Mmu.Translation rest, deferred);
            if (step != Step.Next || *deferred)
                return step;
            Copy(s, rest.PhysicalAddress, target + first, size - first, write: false);
        }

        SwapUnits(s, target, size, unit);
        return Step.Next;
    }

    /// <summary>Stores 1 to 8 bytes.</summary>
    public static int Write(VcpuState* s, Instruction* i, ulong va, int size, ulong value) => WriteBytes(s, i, va, size, size, (byte*)&value);

    /// <summary>As <see cref="ReadBytes"/>, storing. <paramref name="source"/> may be changed.</summary>
    public static int WriteBytes(VcpuState* s, Instruction* i, ulong va, int size, int unit, byte* source)
    {
        int alignment = size == 10 ? 16 : size;
        int first = (int)Math.Min((ulong)size, 0x1000 - (va & 0xFFF));
        bool deferred;
        int step = Translate(s, i, va, first, AccessKind.Write, LoadKind.Ordinary, Isr.W, out Mmu.Translation t, &deferred);
        if (step != Step.Next)
            return step;
        if ((va & (ulong)(alignment - 1)) != 0 && MustAlign(s, size))
            return Fault.UnalignedReference(s, i, va, Isr.W);
        Mmu.Translation rest = default;
        if (first < size)
        {
            step = Translate(s, i, va + (ulong)first, size - first, AccessKind.Write, LoadKind.Ordinary, Isr.W, out rest, &deferred);
            if (step != Step.Next)
                return step;
        }

        SwapUnits(s, source, size, unit);
        Copy(s, t.PhysicalAddress, source, first, write: true);
        if (first < size)
            Copy(s, rest.PhysicalAddress, source + first, size - first, write: true);
        return Step.Next;
    }

    /// <summary>ld16: 16 bytes, aligned, in one piece; an Unsupported Data Reference fault where memory is not write-back.</summary>
    public static int ReadSixteen(VcpuState* s, Instruction* i, ulong va, byte* target) => Sixteen(s, i, va, target, write: false);

    /// <summary>st16.</summary>
    public static int WriteSixteen(VcpuState* s, Instruction* i, ulong va, byte* source) => Sixteen(s, i, va, source, write: true);

    private static int Sixteen(VcpuState* s, Instruction* i, ulong va, byte* data, bool write)
    {
        ulong isr = write ? Isr.W : Isr.R;
        bool deferred;
        int step = Translate(s, i, va & ~15UL, 16, write ? AccessKind.Write : AccessKind.Read, LoadKind.Ordinary, isr, out Mmu.Translation t, &deferred);
        if (step != Step.Next)
            return step;
        if ((va & 15) != 0)
            return Fault.UnalignedReference(s, i, va, isr);
        if (!IsSpeculative(s, t))
            return Fault.UnsupportedDataReference(s, i, va, isr);
        byte* host = s->MemoryBase + t.PhysicalAddress;
        bool big = (s->PsrValue & Psr.Be) != 0;
        if (write && big)
            SwapWhole(data);
        System.Runtime.Intrinsics.Vector128<byte> value = System.Runtime.Intrinsics.Vector128.Load(write ? data : host);
        System.Runtime.Intrinsics.Vector128.Store(value, write ? host : data);
        if (!write && big)
            SwapWhole(data);
        if (write && s->AlatValid != 0)
            Alat.Store(s, t.PhysicalAddress, 16);
        return Step.Next;
    }

    private static void SwapWhole(byte* data) => new Span<byte>(data, 16).Reverse();

    /// <summary>The operand of a semaphore in host memory: aligned, readable and writable, write-back.</summary>
    public static int LocateSemaphore(VcpuState* s, Instruction* i, ulong va, int size, out byte* host)
    {
        const ulong isr = Isr.R | Isr.W;
        host = null;
        bool deferred;
        int step = Translate(s, i, va & ~(ulong)(size - 1), size, AccessKind.ReadWrite, LoadKind.Ordinary, isr, out Mmu.Translation t, &deferred);
        if (step != Step.Next)
            return step;
        if ((va & (ulong)(size - 1)) != 0)
            return Fault.UnalignedReference(s, i, va, isr);
        if (!IsSpeculative(s, t))
            return Fault.UnsupportedDataReference(s, i, va, isr);
        host = s->MemoryBase + t.PhysicalAddress;
        return Step.Next;
    }

    /// <summary>lfetch.fault, fc: translates and checks; <paramref name="code"/> is the instruction's <see cref="NonAccess"/> code.</summary>
    public static int LocateNonAccess(VcpuState* s, Instruction* i, ulong va, ulong code, out ulong physical)
    {
        bool deferred;
        AccessKind kind = code == NonAccess.Fc ? AccessKind.FlushCache : AccessKind.Read;
        int step = Translate(s, i, va, 1, kind, LoadKind.Ordinary, Isr.R | Isr.Na | code, out Mmu.Translation t, &deferred);
        physical = t.PhysicalAddress;
        return step;
    }

    private static int Translate(
        VcpuState* s, Instruction* i, ulong va, int size, AccessKind access, LoadKind kind, ulong isr, out Mmu.Translation t, bool* deferred)
    {
        PhysicalMemory memory = Vcpu.Of(s).Memory;
        *deferred = false;
        TranslationOutcome outcome = kind == LoadKind.Speculative
            ? AddressTranslation.ResolveSpeculative(s->Mmu, memory, va, size, s->Cpl, s->PsrValue, s->Cr[Cr.Dcr], s->CodeEd != 0, out t)
            : AddressTranslation.Resolve(s->Mmu, memory, va, size, access, s->Cpl, s->PsrValue, s->Cr[Cr.Dcr], out t);
        if (outcome == TranslationOutcome.Ok)
        {
            // One-shot disables (PSR.da, dd) let this access through that the next one must not profit from.
            if ((s->PsrValue & (Psr.Be | Psr.Da | Psr.Dd)) == 0 && access != AccessKind.FlushCache)
                FastTlb.Fill(s->Mmu, memory, s->Mmu->Data, va, t);
            return Step.Next;
        }

        if (outcome == TranslationOutcome.Deferred)
        {
            *deferred = true;
            return Step.Next;
        }

        return AddressSpace.DataFault(s, i, outcome, t, isr);
    }

    // RAM that may be read ahead and holds semaphores.
    private static bool IsSpeculative(VcpuState* s, in Mmu.Translation t) =>
        t.Attribute == MemoryAttribute.WB && Vcpu.Of(s).Memory.IsRam(t.PhysicalAddress, 1);

    // With PSR.ac 0 this processor does unaligned references of up to 8 bytes itself; larger ones always fault (SDM vol 2, 4.5).
    private static bool MustAlign(VcpuState* s, int size) => (s->PsrValue & Psr.Ac) != 0 || size > 8;

    private static void Copy(VcpuState* s, ulong physical, byte* data, int length, bool write)
    {
        PhysicalMemory memory = Vcpu.Of(s).Memory;
        if (memory.IsRam(physical, (ulong)length))
        {
            byte* host = s->MemoryBase + physical;
            if (write)
            {
                CopyWhole(data, host, length);
                if (s->AlatValid != 0)
                    Alat.Store(s, physical, length);
            }
            else
            {
                CopyWhole(host, data, length);
            }
        }
        else
        {
            Device(memory, physical, data, length, write);
        }
    }

    // One host access for the sizes that the guest may expect to be atomic.
    private static void CopyWhole(byte* from, byte* to, int length)
    {
        switch (length)
        {
            case 1:
                *to = *from;
                break;
            case 2:
                *(ushort*)to = *(ushort*)from;
                break;
            case 4:
                *(uint*)to = *(uint*)from;
                break;
            case 8:
                *(ulong*)to = *(ulong*)from;
                break;
            default:
                Buffer.MemoryCopy(from, to, length, length);
                break;
        }
    }

    // A device window; reads of addresses where nothing answers give ones, writes there are lost. Odd lengths go byte by byte.
    private static void Device(PhysicalMemory memory, ulong physical, byte* data, int length, bool write)
    {
        int unit = length is 1 or 2 or 4 or 8 ? length : 1;
        for (int done = 0; done < length; done += unit)
        {
            IMmioRegion? region = memory.FindMmio(physical + (ulong)done, out ulong offset);
            ulong value = ulong.MaxValue;
            long begin = Tracing.Devices ? Stopwatch.GetTimestamp() : 0;
            if (write)
            {
                value = 0;
                Buffer.MemoryCopy(data + done, &value, 8, unit);
                region?.Write(offset, unit, value);
            }
            else
            {
                if (region != null)
                    value = region.Read(offset, unit);
                Buffer.MemoryCopy(&value, data + done, unit, unit);
            }

            if (begin != 0)
                Vcpu.TraceDevice(region?.NameAt(offset) ?? "nothing", write, physical + (ulong)done, unit, value, begin);
        }
    }

    private static void SwapUnits(VcpuState* s, byte* data, int size, int unit)
    {
        if ((s->PsrValue & Psr.Be) == 0)
            return;
        for (int at = 0; at < size; at += unit)
            new Span<byte>(data + at, unit).Reverse();
    }
}
