using System.Buffers.Binary;
using System.Runtime.InteropServices;
using FastXen.Core;
using FastXen.Core.Interpret;
using FastXen.Core.State;

namespace FastXen.Loader.Dumps;

/// <summary>A processor's registers as contents of ELF notes, little-endian.</summary>
public static unsafe class RegisterNotes
{
    // struct elf_prstatus of Linux/ia64: the process's number, the 128 words of elf_gregset_t.
    private const int StatusSize = 1144, StatusProcess = 32, StatusRegisters = 112;

    /// <summary>
    /// NT_PRSTATUS, as Linux/ia64 lays it out (elf_gregset_t, asm/elf.h): r0-r31, their NaT bits, predicates, b0-b7, ip, cfm, psr, then the application
    /// registers of user code. The number of the processor, from 1, stands for the process.
    /// </summary>
    public static byte[] Status(Vcpu processor, int number)
    {
        ArgumentNullException.ThrowIfNull(processor);
        VcpuState* s = processor.State;
        List<ulong> words = [];
        ulong nats = 0;
        for (uint r = 0; r < 32; r++)
        {
            words.Add(Registers.Gr(s, r));
            nats |= (ulong)Registers.Nat(s, r) << (int)r;
        }
        words.AddRange([nats, s->Pr]);
        for (int b = 0; b < 8; b++) words.Add(s->Br[b]);
        words.AddRange([s->Ip, s->Cfm, s->PsrValue | ((ulong)s->Slot << Psr.RiShift)]);
        words.AddRange([s->Ar[Ar.Rsc], Rse.Bsp(s), s->BspStore, s->Rnat, s->Ar[Ar.Ccv], s->Ar[Ar.Unat], s->Ar[Ar.Fpsr], s->Ar[Ar.Pfs], s->Ar[Ar.Lc], s->Ar[Ar.Ec]]);
        words.AddRange([s->Ar[Ar.Csd], s->Ar[Ar.Ssd]]);
        byte[] note = new byte[StatusSize];
        BinaryPrimitives.WriteInt32LittleEndian(note.AsSpan(StatusProcess), number + 1);
        MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(words)).CopyTo(note.AsSpan(StatusRegisters));
        // Floating-point registers follow in a note of their own.
        BinaryPrimitives.WriteInt32LittleEndian(note.AsSpan(StatusSize - 8), 1);
        return note;
    }

    /// <summary>NT_FPREGSET: f0-f127 in the form of stf.spill, 16 bytes each.</summary>
    public static byte[] Floating(Vcpu processor)
    {
        ArgumentNullException.ThrowIfNull(processor);
        byte[] note = new byte[128 * 16];
        for (uint f = 0; f < 128; f++)
        {
            Span<byte> entry = note.AsSpan((int)f * 16);
            BinaryPrimitives.WriteUInt64LittleEndian(entry, Registers.Fr(processor.State, f)->Significand);
            BinaryPrimitives.WriteUInt32LittleEndian(entry[8..], Registers.Fr(processor.State, f)->SignExponent);
        }
        return note;
    }

    /// <summary>
    /// Words of 8 bytes: the processor's number; cr0-cr127; rr0-rr7; ar0-ar127; how many stacked registers follow; how many of those are dirty ones of callers
    /// (the rest are the current frame's, r32 first); their values, oldest first; then a byte for each, its NaT bit.
    /// </summary>
    public static byte[] System(Vcpu processor, int number)
    {
        ArgumentNullException.ThrowIfNull(processor);
        VcpuState* s = processor.State;
        List<ulong> words = [(ulong)number];
        for (int cr = 0; cr < 128; cr++) words.Add(s->Cr[cr]);
        for (int rr = 0; rr < 8; rr++) words.Add(s->Mmu->Rr[rr]);
        for (int ar = 0; ar < 128; ar++)
        {
            words.Add(ar switch
            {
                Ar.Bsp => Rse.Bsp(s),
                Ar.BspStore => s->BspStore,
                Ar.Rnat => s->Rnat,
                Ar.Itc => Clock.Itc(s),
                _ => s->Ar[ar],
            });
        }
        int dirty = Math.Max(s->Dirty, 0), all = dirty + s->Sof;
        words.AddRange([(ulong)all, (ulong)dirty]);
        for (int n = 0; n < all; n++) words.Add(s->FrameBase[32 - dirty + n]);
        byte[] nats = new byte[all];
        for (int n = 0; n < all && s->NatPresent != 0; n++) nats[n] = s->FrameNat[32 - dirty + n];
        return [.. MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(words)), .. nats];
    }
}
