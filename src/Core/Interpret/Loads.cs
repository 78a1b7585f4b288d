using System.Runtime.CompilerServices;
using FastXen.Core.Decode;
using FastXen.Core.State;
using FastXen.Mmu;

namespace FastXen.Core.Interpret;

/// <summary>Integer loads (SDM vol 3, ld).</summary>
public static unsafe class Loads
{
    /// <summary>Fills the dispatch table.</summary>
    public static void Bind(delegate*<VcpuState*, Instruction*, int>* table)
    {
        BindSize<One>(table, Opcode.Ld1);
        BindSize<Two>(table, Opcode.Ld2);
        BindSize<Four>(table, Opcode.Ld4);
        BindSize<Eight>(table, Opcode.Ld8);
        table[(int)Opcode.Ld8Fill] = &Fill;
        table[(int)Opcode.Ld16] = &Ld16;
        table[(int)Opcode.Ld16Acq] = &Ld16;
    }

    // The nine forms of each size follow one another in Opcode.
    private static void BindSize<TSize>(delegate*<VcpuState*, Instruction*, int>* table, Opcode first) where TSize : struct, IAccessSize
    {
        table += (int)first;
        table[0] = &Plain<TSize>;
        table[Opcode.Ld1S - Opcode.Ld1] = &Speculative<TSize>;
        table[Opcode.Ld1A - Opcode.Ld1] = &Advanced<TSize>;
        table[Opcode.Ld1SA - Opcode.Ld1] = &SpeculativeAdvanced<TSize>;
        table[Opcode.Ld1Bias - Opcode.Ld1] = &Plain<TSize>;
        table[Opcode.Ld1Acq - Opcode.Ld1] = &Plain<TSize>;
        table[Opcode.Ld1CClr - Opcode.Ld1] = &CheckClear<TSize>;
        table[Opcode.Ld1CNc - Opcode.Ld1] = &CheckNoClear<TSize>;
        table[Opcode.Ld1CClrAcq - Opcode.Ld1] = &CheckClear<TSize>;
    }

    /// <summary>True when the targets of a load are not allowed: r1, and with a base update r3 or both the same.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool BadTargets(VcpuState* s, Instruction* i) =>
        Registers.BadTarget(s, i->R1) || (i->Completers != 0 && (i->R1 == i->R3 || Registers.BadTarget(s, i->R3)));

    /// <summary>The base update of a memory instruction, after the access (SDM: post-increment).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void UpdateBase(VcpuState* s, Instruction* i, Completers update)
    {
        if (update == Completers.None)
            return;
        uint r3 = i->R3;
        if ((update & Completers.UpdateImmediate) != 0)
            Registers.SetGr(s, r3, Registers.Gr(s, r3) + i->Immediate, Registers.Nat(s, r3));
        else
            Registers.SetGr(s, r3, Registers.Gr(s, r3) + Registers.Gr(s, i->R2), Registers.Nat(s, r3, i->R2));
    }

    private static int Plain<TSize>(VcpuState* s, Instruction* i) where TSize : struct, IAccessSize
    {
        if (BadTargets(s, i))
            return Fault.IllegalOperation(s, i);
        if (Registers.Nat(s, i->R3) != 0)
            return Fault.DataNatConsumption(s, i, Isr.R);
        ulong address = Registers.Gr(s, i->R3);
        ulong value;
        byte* host = FastTlb.TryRead(s->Mmu, address, TSize.Bytes);
        if (host != null)
        {
            value = TSize.Read(host);
        }
        else
        {
            int step = DataAccess.Read(s, i, address, TSize.Bytes, &value);
            if (step != Step.Next)
                return step;
        }

        // The update reads r2, which may be r1: its old value counts.
        Completers update = i->Completers;
        if (update != Completers.None)
            UpdateBase(s, i, update);
        Registers.SetGr(s, i->R1, value);
        return Step.Next;
    }

    private static int Speculative<TSize>(VcpuState* s, Instruction* i) where TSize : struct, IAccessSize =>
        Speculate<TSize>(s, i, advanced: false);

    private static int SpeculativeAdvanced<TSize>(VcpuState* s, Instruction* i) where TSize : struct, IAccessSize =>
        Speculate<TSize>(s, i, advanced: true);

    private static int Speculate<TSize>(VcpuState* s, Instruction* i, bool advanced) where TSize : struct, IAccessSize
    {
        if (BadTargets(s, i))
            return Fault.IllegalOperation(s, i);
        ulong address = Registers.Gr(s, i->R3);
        ulong value = 0;
        bool deferred = Registers.Nat(s, i->R3) != 0 || (s->PsrValue & Psr.Ed) != 0;
        var place = default(AccessPlace);
        if (!deferred)
        {
            int step = DataAccess.ReadSpeculative(s, i, address, TSize.Bytes, &value, &place, &deferred);
            if (step != Step.Next)
                return step;
        }

        if (advanced)
        {
            Alat.Remove(s, i->R1, isFloat: false);
            if (!deferred && place.Speculative)
                Alat.Insert(s, i->R1, isFloat: false, place.Physical, TSize.Bytes, value);
        }

        UpdateBase(s, i, i->Completers);
        Registers.SetGr(s, i->R1, deferred ? 0 : value, deferred ? 1u : 0u);
        return Step.Next;
    }

    private static int Advanced<TSize>(VcpuState* s, Instruction* i) where TSize : struct, IAccessSize
    {
        if (BadTargets(s, i))
            return Fault.IllegalOperation(s, i);
        if (Registers.Nat(s, i->R3) != 0)
            return Fault.DataNatConsumption(s, i, Isr.R);
        return LoadAndRecord<TSize>(s, i, emptyIfSequential: true);
    }

    private static int CheckClear<TSize>(VcpuState* s, Instruction* i) where TSize : struct, IAccessSize
    {
        if (!Alat.NeedsNoLoad(s, i->R1, isFloat: false))
        {
            Alat.Remove(s, i->R1, isFloat: false);
            return Plain<TSize>(s, i);
        }

        int step = Hit(s, i);
        if (step == Step.Next)
            Alat.Remove(s, i->R1, isFloat: false);
        return step;
    }

    private static int CheckNoClear<TSize>(VcpuState* s, Instruction* i) where TSize : struct, IAccessSize
    {
        if (Alat.NeedsNoLoad(s, i->R1, isFloat: false))
            return Hit(s, i);
        if (BadTargets(s, i))
            return Fault.IllegalOperation(s, i);
        if (Registers.Nat(s, i->R3) != 0)
            return Fault.DataNatConsumption(s, i, Isr.R);
        return LoadAndRecord<TSize>(s, i, emptyIfSequential: false);
    }

    // A check load that hits only updates its base.
    private static int Hit(VcpuState* s, Instruction* i)
    {
        if (BadTargets(s, i))
            return Fault.IllegalOperation(s, i);
        if (Registers.Nat(s, i->R3) != 0)
            return Fault.DataNatConsumption(s, i, Isr.R);
        UpdateBase(s, i, i->Completers);
        return Step.Next;
    }

    private static int LoadAndRecord<TSize>(VcpuState* s, Instruction* i, bool emptyIfSequential) where TSize : struct, IAccessSize
    {
        ulong value = 0;
        AccessPlace place;
        int step = DataAccess.ReadPlaced(s, i, Registers.Gr(s, i->R3), TSize.Bytes, advanced: emptyIfSequential, &value, &place);
        if (step != Step.Next)
            return step;
        if (place.Speculative)
        {
            Alat.Insert(s, i->R1, isFloat: false, place.Physical, TSize.Bytes, value);
        }
        else if (emptyIfSequential)
        {
            // An advanced load of memory that may not be read early returns 0 and no entry (SDM vol 1, 4.4.5.3).
            Alat.Remove(s, i->R1, isFloat: false);
            value = 0;
        }

        UpdateBase(s, i, i->Completers);
        Registers.SetGr(s, i->R1, value);
        return Step.Next;
    }

    private static int Fill(VcpuState* s, Instruction* i)
    {
        if (BadTargets(s, i))
            return Fault.IllegalOperation(s, i);
        if (Registers.Nat(s, i->R3) != 0)
            return Fault.DataNatConsumption(s, i, Isr.R);
        ulong address = Registers.Gr(s, i->R3);
        ulong value;
        byte* host = FastTlb.TryRead(s->Mmu, address, 8);
        if (host != null)
        {
            value = *(ulong*)host;
        }
        else
        {
            int step = DataAccess.Read(s, i, address, 8, &value);
            if (step != Step.Next)
                return step;
        }

        uint nat = (uint)(s->Ar[Ar.Unat] >> ((int)(address >> 3) & 63)) & 1;
        UpdateBase(s, i, i->Completers);
        Registers.SetGr(s, i->R1, value, nat);
        return Step.Next;
    }

    private static int Ld16(VcpuState* s, Instruction* i)
    {
        if (BadTargets(s, i))
            return Fault.IllegalOperation(s, i);
        if (Registers.Nat(s, i->R3) != 0)
            return Fault.DataNatConsumption(s, i, Isr.R);
        byte* bytes = stackalloc byte[16];
        int step = DataAccess.ReadSixteen(s, i, Registers.Gr(s, i->R3), bytes);
        if (step != Step.Next)
            return step;
        Registers.SetGr(s, i->R1, *(ulong*)bytes);
        s->Ar[Ar.Csd] = *(ulong*)(bytes + 8);
        return Step.Next;
    }
}
