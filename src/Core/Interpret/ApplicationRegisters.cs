using FastXen.Core.Decode;
using FastXen.Core.State;

namespace FastXen.Core.Interpret;

/// <summary>Moves between general and application registers, with the registers' side effects (SDM vol 3, mov ar; vol 1, 3.1.8).</summary>
public static unsafe class ApplicationRegisters
{
    private enum Kind : byte
    {
        Reserved,
        Ignored,
        Plain,
        Kernel,
        Rsc,
        Bsp,
        StackMode,
        Fpsr,
        Clock,
        Pfs,
        Ec,
    }

    private static readonly Kind[] Kinds = MakeKinds();

    private static Kind[] MakeKinds()
    {
        var kinds = new Kind[128];
        for (int k = 0; k < 8; k++)
            kinds[k] = Kind.Kernel;
        foreach (int plain in (ReadOnlySpan<int>)[Ar.Fcr, Ar.Eflag, Ar.Csd, Ar.Ssd, Ar.Cflg, Ar.Fsr, Ar.Fir, Ar.Fdr, Ar.Ccv, Ar.Unat, Ar.Lc])
            kinds[plain] = Kind.Plain;
        for (int ignored = 48; ignored < 64; ignored++)
            kinds[ignored] = kinds[ignored + 64] = Kind.Ignored;
        kinds[Ar.Rsc] = Kind.Rsc;
        kinds[Ar.Bsp] = Kind.Bsp;
        kinds[Ar.BspStore] = kinds[Ar.Rnat] = Kind.StackMode;
        kinds[Ar.Fpsr] = Kind.Fpsr;
        kinds[Ar.Itc] = kinds[Ar.Ruc] = Kind.Clock;
        kinds[Ar.Pfs] = Kind.Pfs;
        kinds[Ar.Ec] = Kind.Ec;
        return kinds;
    }

    /// <summary>Fills the dispatch table.</summary>
    public static void Bind(delegate*<VcpuState*, Instruction*, int>* table)
    {
        table[(int)Opcode.MovToArM] = &MovToArM;
        table[(int)Opcode.MovToArI] = &MovToArI;
        table[(int)Opcode.MovToArImmediateM] = &MovToArImmediateM;
        table[(int)Opcode.MovToArImmediateI] = &MovToArImmediateI;
        table[(int)Opcode.MovFromArM] = &MovFromArM;
        table[(int)Opcode.MovFromArI] = &MovFromArI;
    }

    // Registers 0-63 are reached by the M unit, 64-127 by the I unit, the ignored ones by both.
    private static bool OfUnitM(uint ar) => ar < 64 || Kinds[ar] == Kind.Ignored;

    private static bool OfUnitI(uint ar) => ar >= 64 || Kinds[ar] == Kind.Ignored;

    private static int MovToArM(VcpuState* s, Instruction* i) =>
        OfUnitM(i->R3) ? WriteRegister(s, i) : Fault.IllegalOperation(s, i);

    private static int MovToArI(VcpuState* s, Instruction* i) =>
        OfUnitI(i->R3) ? WriteRegister(s, i) : Fault.IllegalOperation(s, i);

    private static int MovToArImmediateM(VcpuState* s, Instruction* i) =>
        OfUnitM(i->R3) ? Write(s, i, i->R3, i->Immediate, 0) : Fault.IllegalOperation(s, i);

    private static int MovToArImmediateI(VcpuState* s, Instruction* i) =>
        OfUnitI(i->R3) ? Write(s, i, i->R3, i->Immediate, 0) : Fault.IllegalOperation(s, i);

    private static int MovFromArM(VcpuState* s, Instruction* i) =>
        OfUnitM(i->R3) ? Read(s, i) : Fault.IllegalOperation(s, i);

    private static int MovFromArI(VcpuState* s, Instruction* i) =>
        OfUnitI(i->R3) ? Read(s, i) : Fault.IllegalOperation(s, i);

    private static int WriteRegister(VcpuState* s, Instruction* i) =>
        Write(s, i, i->R3, Registers.Gr(s, i->R2), Registers.Nat(s, i->R2));

    private static int Read(VcpuState* s, Instruction* i)
    {
        uint ar = i->R3;
        Kind kind = Kinds[ar];
        if (kind == Kind.Reserved || Registers.BadTarget(s, i->R1) || (kind == Kind.StackMode && (s->Ar[Ar.Rsc] & 3) != 0))
            return Fault.IllegalOperation(s, i);
        if (kind == Kind.Clock && (s->PsrValue & Psr.Si) != 0 && s->Cpl != 0)
            return Fault.PrivilegedRegister(s, i);
        ulong value = ar switch
        {
            Ar.Bsp => Rse.Bsp(s),
            Ar.BspStore => s->BspStore,
            Ar.Rnat => s->Rnat,
            Ar.Itc => Clock.Itc(s, i),
            Ar.Ruc => Clock.Itc(s, i),
            _ => s->Ar[ar],
        };
        Registers.SetGr(s, i->R1, value);
        return Step.Next;
    }

    private static int Write(VcpuState* s, Instruction* i, uint ar, ulong value, uint nat)
    {
        Kind kind = Kinds[ar];
        if (kind is Kind.Reserved or Kind.Bsp || (kind == Kind.StackMode && (s->Ar[Ar.Rsc] & 3) != 0))
            return Fault.IllegalOperation(s, i);
        if (nat != 0)
            return Fault.RegisterNatConsumption(s, i);
        if (Reserved(kind, value))
            return Fault.ReservedRegisterField(s, i);
        if (kind is Kind.Kernel or Kind.Clock && s->Cpl != 0)
            return Fault.PrivilegedRegister(s, i);
        switch (kind)
        {
            case Kind.Ignored:
                break;
            case Kind.Rsc:
                // A less privileged program cannot make the RSE more privileged than itself.
                ulong pl = Math.Max(value >> 2 & 3, (ulong)s->Cpl);
                s->Ar[Ar.Rsc] = (value & ~0xCUL) | pl << 2;
                AddressSpace.SelectMode(s);
                break;
            case Kind.StackMode when ar == Ar.BspStore:
                s->BspStore = value & ~7UL;
                break;
            case Kind.StackMode:
                s->Rnat = value & 0x7FFF_FFFF_FFFF_FFFF;
                break;
            case Kind.Clock:
                if (ar == Ar.Itc)
                    Clock.SetItc(s, i, value);
                break;
            case Kind.Ec:
                s->Ar[Ar.Ec] = value & 0x3f;
                break;
            default:
                s->Ar[ar] = value;
                break;
        }

        return Step.Next;
    }

    // Reserved fields of a value to be written (SDM vol 1, 3.1.8; vol 2, 6.5.1).
    private static bool Reserved(Kind kind, ulong value) => kind switch
    {
        Kind.Rsc => (value & ~0x3FFF_001FUL) != 0,
        Kind.Fpsr => (value & 0xFC00_0000_0000_1000) != 0 || ReservedPrecision(value),
        Kind.Pfs => (value & 0x3C0F_FFC0_0000_0000) != 0,
        _ => false,
    };

    // sf.pc 01 is reserved in each of the four status fields.
    private static bool ReservedPrecision(ulong fpsr)
    {
        for (int shift = 6; shift < 58; shift += 13)
        {
            if ((fpsr >> (shift + 2) & 3) == 1)
                return true;
        }

        return false;
    }
}
