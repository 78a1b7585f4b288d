using System.Buffers.Binary;
using FastXen.Core.Float;

namespace FastXen.Xen.Toolstack;

/// <summary>
/// The registers of a vCPU as toolstacks hand them over (arch-ia64.h, <c>vcpu_guest_context</c>), in the forms of both generations of the interface. Whatever a toolstack
/// puts in, applying it does no harm but to the guest.
/// </summary>
internal sealed class VcpuContext
{
    /// <summary>Flags: translation registers, the callback and IVA count.</summary>
    public const ulong ExtraRegisters = 1 << 1;

    /// <summary>Flags: the vCPU is to run.</summary>
    public const ulong Online = 1 << 3;

    /// <summary>Most stacked registers that a context has.</summary>
    public const int StackedRegisters = 96;

    private const int Words = 2048, NatsOfCollection = 63;

    /// <summary>VGCF_*.</summary>
    public ulong Flags { get; set; }

    /// <summary>r0 to r31, of bank 1.</summary>
    public ulong[] Gr { get; } = new ulong[32];

    /// <summary>Their NaT bits.</summary>
    public uint Nats { get; set; }

    /// <summary>b0 to b7.</summary>
    public ulong[] Br { get; } = new ulong[8];

    /// <summary>Address of the bundle; the slot is in <see cref="Psr"/>.</summary>
    public ulong Ip { get; set; }

    /// <summary>The PSR that the guest believes it has. 0 of a new vCPU: what the hypervisor starts it with.</summary>
    public ulong Psr { get; set; }

    /// <summary>The frame marker, as CR.IFS has it.</summary>
    public ulong Cfm { get; set; }

    /// <summary>Predicates.</summary>
    public ulong Pr { get; set; }

    /// <summary>Application registers by number.</summary>
    public ulong[] Ar { get; } = new ulong[128];

    /// <summary>Control registers by number, as the guest has them.</summary>
    public ulong[] Cr { get; } = new ulong[128];

    /// <summary>f0 to f127, as stf.spill has them.</summary>
    public FloatRegister[] Fr { get; } = new FloatRegister[128];

    /// <summary>Region registers; 0: not given.</summary>
    public ulong[] Rr { get; } = new ulong[8];

    /// <summary>Instruction translation registers.</summary>
    public TranslationRegister[] Itr { get; } = new TranslationRegister[12];

    /// <summary>Data translation registers.</summary>
    public TranslationRegister[] Dtr { get; } = new TranslationRegister[12];

    /// <summary>Registers from AR.BSPSTORE to the end of the frame, oldest first.</summary>
    public List<(ulong Value, bool Nat)> Stacked { get; } = [];

    /// <summary>Where events are delivered.</summary>
    public ulong EventCallback { get; set; }

    /// <summary>Frame number of its shared registers.</summary>
    public ulong RegistersFrame { get; set; }

    /// <summary>A translation register: page table entry, ITIR, address, region identifier.</summary>
    internal readonly record struct TranslationRegister(ulong Pte, ulong Itir, ulong Va, ulong Rid);

    /// <summary>Bytes of a context.</summary>
    public static int SizeOf(DomctlVersion version) => version == DomctlVersion.Xen31 ? 1056 : 22208;

    /// <summary>Reads a context; null where its stacked registers are more than there can be.</summary>
    public static VcpuContext? Read(DomctlVersion version, ReadOnlySpan<byte> bytes)
    {
        var context = new VcpuContext { Flags = U64(bytes, 0) };
        if (version == DomctlVersion.Xen31)
        {
            context.ReadOld(bytes);
            return context;
        }

        return context.ReadNew(bytes[0x10..]) ? context : null;
    }

    /// <summary>Writes it.</summary>
    public byte[] ToBytes(DomctlVersion version)
    {
        byte[] bytes = new byte[SizeOf(version)];
        Put(bytes, 0, Flags);
        if (version == DomctlVersion.Xen31)
            WriteOld(bytes);
        else
            WriteNew(bytes.AsSpan(0x10));
        return bytes;
    }

    // Offsets behind the flags: r 0, b 0x100, bank 0x140, ip 0x1c0, psr, cfm, pr, nats, bnats, ar 0x1e8, cr 0x5e8, f 0x9f0, dbr 0x11f0, ibr 0x1230, rr 0x1270, pkr 0x12b0,
    // xip to xr, itrs 0x1368, dtrs 0x14e8, exception, rbs_voff 0x1684, rbs 0x1688, rbs_rnat 0x5688, num_phys_stacked; then the callback 0x56a0 and the shared registers.
    private bool ReadNew(ReadOnlySpan<byte> b)
    {
        Each(Gr, 0, b);
        Each(Br, 0x100, b);
        Ip = U64(b, 0x1c0);
        Psr = U64(b, 0x1c8);
        Cfm = U64(b, 0x1d0);
        Pr = U64(b, 0x1d8);
        Nats = BinaryPrimitives.ReadUInt32LittleEndian(b[0x1e0..]);
        Each(Ar, 0x1e8, b);
        Each(Cr, 0x5e8, b);
        for (int f = 0; f < Fr.Length; f++)
            Fr[f] = Float(b, 0x9f0 + 16 * f);
        Each(Rr, 0x1270, b);
        ReadTranslations(Itr, 0x1368, b);
        ReadTranslations(Dtr, 0x14e8, b);
        EventCallback = U64(b, 0x56a0);
        RegistersFrame = U64(b, 0x56a8);
        ulong phys = U64(b, 0x5690);
        return phys is 0 or StackedRegisters && ReadStack(b, BinaryPrimitives.ReadUInt32LittleEndian(b[0x1684..]) & 63, U64(b, 0x5688));
    }

    private void WriteNew(Span<byte> b)
    {
        All(Gr, 0, b);
        All(Br, 0x100, b);
        Put(b, 0x1c0, Ip);
        Put(b, 0x1c8, Psr);
        Put(b, 0x1d0, Cfm);
        Put(b, 0x1d8, Pr);
        BinaryPrimitives.WriteUInt32LittleEndian(b[0x1e0..], Nats);
        All(Ar, 0x1e8, b);
        All(Cr, 0x5e8, b);
        for (int f = 0; f < Fr.Length; f++)
            PutFloat(b, 0x9f0 + 16 * f, Fr[f]);
        All(Rr, 0x1270, b);
        WriteTranslations(Itr, 0x1368, b);
        WriteTranslations(Dtr, 0x14e8, b);
        Put(b, 0x5690, StackedRegisters);
        Put(b, 0x56a0, EventCallback);
        Put(b, 0x56a8, RegistersFrame);
        WriteStack(b);
    }

    // The image of memory from bspstore on: every 64th word holds the NaT bits of the 63 before it, those of the last ones are apart.
    private bool ReadStack(ReadOnlySpan<byte> b, uint offset, ulong lastNats)
    {
        const int Image = 0x1688;
        ulong start = Ar[Core.State.Ar.BspStore], end = Ar[Core.State.Ar.Bsp];
        ulong words = end - start >> 3;
        if (words > StackedRegisters + 2)
            return false;
        uint slot = offset;
        var nats = new List<int>();
        for (uint w = 0; w < words; w++, slot++)
        {
            if (slot % 64 == NatsOfCollection)
            {
                Collect(nats, U64(b, Image + 8 * (int)w));
                continue;
            }

            nats.Add((int)(slot % 64));
            Stacked.Add((U64(b, Image + 8 * (int)w), false));
        }

        Collect(nats, lastNats);
        return Stacked.Count <= StackedRegisters;
    }

    private void Collect(List<int> slots, ulong collection)
    {
        for (int k = 0; k < slots.Count; k++)
        {
            int at = Stacked.Count - slots.Count + k;
            Stacked[at] = Stacked[at] with { Nat = (collection >> slots[k] & 1) != 0 };
        }

        slots.Clear();
    }

    private void WriteStack(Span<byte> b)
    {
        const int Image = 0x1688;
        uint slot = (uint)(Ar[Core.State.Ar.BspStore] >> 3) & 63;
        BinaryPrimitives.WriteUInt32LittleEndian(b[0x1684..], slot);
        ulong collection = 0;
        int word = 0;
        foreach ((ulong value, bool nat) in Stacked)
        {
            if (slot % 64 == NatsOfCollection)
            {
                Put(b, Image + 8 * word++, collection);
                collection = 0;
                slot++;
            }

            collection |= (nat ? 1UL : 0) << (int)(slot % 64);
            Put(b, Image + 8 * word++, value);
            slot++;
        }

        if (slot % 64 == NatsOfCollection && Stacked.Count > 0 && word < Words)
            Put(b, Image + 8 * word, collection);
        Put(b, 0x5688, collection);
    }

    // The form of Xen 3.1: a frame of pt_regs from 0x10 on, whose registers come in the order of that structure.
    private void ReadOld(ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<byte> b = bytes[0x10..];
        foreach ((int offset, ulong[] file, int number) in OldRegisters)
            Register(file, number) = U64(b, offset);
        Psr = U64(b, 0x40);
        Ip = U64(b, 0x48);
        Cfm = U64(b, 0x50);
        Pr = U64(b, 0x80);
        for (int f = 6; f < 12; f++)
            Fr[f] = Float(b, 0x160 + 16 * (f - 6));
        Ar[Core.State.Ar.Bsp] = Ar[Core.State.Ar.BspStore];
        ReadOnlySpan<byte> extra = bytes[0x200..];
        ReadTranslations(Itr.AsSpan(0, 8), 0, extra);
        ReadTranslations(Dtr.AsSpan(0, 8), 0x100, extra);
        Cr[Core.State.Cr.Iva] = U64(extra, 0x200);
        Cr[Core.State.Cr.Dcr] = U64(extra, 0x208);
        EventCallback = U64(extra, 0x210);
        RegistersFrame = U64(bytes, 0x418);
    }

    private void WriteOld(Span<byte> bytes)
    {
        Span<byte> b = bytes[0x10..];
        foreach ((int offset, ulong[] file, int number) in OldRegisters)
            Put(b, offset, Register(file, number));
        Put(b, 0x40, Psr);
        Put(b, 0x48, Ip);
        Put(b, 0x50, Cfm);
        Put(b, 0x80, Pr);
        for (int f = 6; f < 12; f++)
            PutFloat(b, 0x160 + 16 * (f - 6), Fr[f]);
        Span<byte> extra = bytes[0x200..];
        WriteTranslations(Itr.AsSpan(0, 8), 0, extra);
        WriteTranslations(Dtr.AsSpan(0, 8), 0x100, extra);
        Put(extra, 0x200, Cr[Core.State.Cr.Iva]);
        Put(extra, 0x208, Cr[Core.State.Cr.Dcr]);
        Put(extra, 0x210, EventCallback);
        Put(bytes, 0x418, RegistersFrame);
    }

    private IEnumerable<(int Offset, ulong[] File, int Number)> OldRegisters
    {
        get
        {
            yield return (0x00, Br, 6);
            yield return (0x08, Br, 7);
            yield return (0x10, Ar, Core.State.Ar.Csd);
            yield return (0x18, Ar, Core.State.Ar.Ssd);
            for (int r = 8; r <= 11; r++)
                yield return (0x20 + 8 * (r - 8), Gr, r);
            yield return (0x58, Ar, Core.State.Ar.Unat);
            yield return (0x60, Ar, Core.State.Ar.Pfs);
            yield return (0x68, Ar, Core.State.Ar.Rsc);
            yield return (0x70, Ar, Core.State.Ar.Rnat);
            yield return (0x78, Ar, Core.State.Ar.BspStore);
            yield return (0x88, Br, 0);
            yield return (0x98, Gr, 1);
            yield return (0xa0, Gr, 12);
            yield return (0xa8, Gr, 13);
            yield return (0xb0, Ar, Core.State.Ar.Fpsr);
            yield return (0xb8, Gr, 15);
            yield return (0xc0, Gr, 14);
            yield return (0xc8, Gr, 2);
            yield return (0xd0, Gr, 3);
            for (int r = 16; r <= 31; r++)
                yield return (0xd8 + 8 * (r - 16), Gr, r);
            yield return (0x158, Ar, Core.State.Ar.Ccv);
            for (int r = 4; r <= 7; r++)
                yield return (0x1c0 + 8 * (r - 4), Gr, r);
        }
    }

    private static ref ulong Register(ulong[] file, int number) => ref file[number];

    private static void ReadTranslations(Span<TranslationRegister> registers, int offset, ReadOnlySpan<byte> b)
    {
        for (int k = 0; k < registers.Length; k++)
            registers[k] = new(U64(b, offset + 32 * k), U64(b, offset + 32 * k + 8), U64(b, offset + 32 * k + 16), U64(b, offset + 32 * k + 24));
    }

    private static void WriteTranslations(ReadOnlySpan<TranslationRegister> registers, int offset, Span<byte> b)
    {
        for (int k = 0; k < registers.Length; k++)
        {
            Put(b, offset + 32 * k, registers[k].Pte);
            Put(b, offset + 32 * k + 8, registers[k].Itir);
            Put(b, offset + 32 * k + 16, registers[k].Va);
            Put(b, offset + 32 * k + 24, registers[k].Rid);
        }
    }

    private static FloatRegister Float(ReadOnlySpan<byte> b, int offset) =>
        new(BinaryPrimitives.ReadUInt32LittleEndian(b[(offset + 8)..]) & 0x3_FFFF, U64(b, offset));

    private static void PutFloat(Span<byte> b, int offset, in FloatRegister value)
    {
        Put(b, offset, value.Significand);
        Put(b, offset + 8, value.SignExponent);
    }

    private static void Each(ulong[] registers, int offset, ReadOnlySpan<byte> b)
    {
        for (int k = 0; k < registers.Length; k++)
            registers[k] = U64(b, offset + 8 * k);
    }

    private static void All(ulong[] registers, int offset, Span<byte> b)
    {
        for (int k = 0; k < registers.Length; k++)
            Put(b, offset + 8 * k, registers[k]);
    }

    private static ulong U64(ReadOnlySpan<byte> b, int offset) => BinaryPrimitives.ReadUInt64LittleEndian(b[offset..]);

    private static void Put(Span<byte> b, int offset, ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(b[offset..], value);
}
