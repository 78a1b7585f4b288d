using FastXen.Core.Decode;
using FastXen.Core.State;

namespace FastXen.Core.Interpret;

/// <summary>Frames, interruption return, privilege, status masks, serialisation (SDM vol 3: alloc, cover, rfi, bsw, epc, ssm, srlz ...).</summary>
public static unsafe class SystemInstructions
{
    /// <summary>Fills the dispatch table.</summary>
    public static void Bind(delegate*<VcpuState*, Instruction*, int>* table)
    {
        table[(int)Opcode.Illegal] = &Illegal;
        table[(int)Opcode.LongSecondSlot] = &LongSecondSlot;
        table[(int)Opcode.Ignored] = &Nop;
        table[(int)Opcode.NopM] = &Nop;
        table[(int)Opcode.NopI] = &Nop;
        table[(int)Opcode.NopF] = &Nop;
        table[(int)Opcode.NopX] = &Nop;
        table[(int)Opcode.HintM] = &Spinning.Hint;
        table[(int)Opcode.HintI] = &Spinning.Hint;
        table[(int)Opcode.HintF] = &Spinning.Hint;
        table[(int)Opcode.HintX] = &Spinning.Hint;
        table[(int)Opcode.BreakM] = &Break;
        table[(int)Opcode.BreakI] = &Break;
        table[(int)Opcode.BreakF] = &Break;
        table[(int)Opcode.BreakX] = &Break;
        table[(int)Opcode.BreakB] = &BreakB;
        table[(int)Opcode.Alloc] = &Alloc;
        table[(int)Opcode.Cover] = &Cover;
        table[(int)Opcode.Flushrs] = &Flushrs;
        table[(int)Opcode.Loadrs] = &Loadrs;
        table[(int)Opcode.Rfi] = &Rfi;
        table[(int)Opcode.Bsw0] = &Bsw0;
        table[(int)Opcode.Bsw1] = &Bsw1;
        table[(int)Opcode.Epc] = &Epc;
        table[(int)Opcode.Vmsw0] = &Vmsw;
        table[(int)Opcode.Vmsw1] = &Vmsw;
        table[(int)Opcode.Ssm] = &Ssm;
        table[(int)Opcode.Rsm] = &Rsm;
        table[(int)Opcode.Sum] = &Sum;
        table[(int)Opcode.Rum] = &Rum;
        table[(int)Opcode.MovToPsrL] = &MovToPsrL;
        table[(int)Opcode.MovFromPsr] = &MovFromPsr;
        table[(int)Opcode.MovToPsrUm] = &MovToPsrUm;
        table[(int)Opcode.MovFromPsrUm] = &MovFromPsrUm;
        table[(int)Opcode.SrlzD] = &Srlz;
        table[(int)Opcode.SrlzI] = &SrlzI;
        table[(int)Opcode.Fwb] = &Nop;
        table[(int)Opcode.Mf] = &Mf;
        table[(int)Opcode.MfA] = &Mf;
    }

    private static int Nop(VcpuState* s, Instruction* i) => Step.Next;

    // The second slot of a long instruction is passed over, but control cannot come to it directly (rfi with ri = 2).
    private static int LongSecondSlot(VcpuState* s, Instruction* i) => i == s->RunStart ? Fault.IllegalOperation(s, i) : Step.Next;

    private static int Illegal(VcpuState* s, Instruction* i) => Fault.IllegalOperation(s, i);

    private static int Mf(VcpuState* s, Instruction* i)
    {
        Interlocked.MemoryBarrier();
        return Step.Next;
    }

    private static int Break(VcpuState* s, Instruction* i)
    {
        if (s->Hypervisor != null && s->Hypervisor->Break(s, i) is var taken and not Hypervisor.NotTaken)
            return taken;
        if (i->Immediate - FirmwareBreak.Base < FirmwareBreak.Count && s->Cpl == 0 && Vcpu.Of(s).CallFirmware(i, out int step))
            return step;
        if ((s->PsrValue & Psr.Ic) != 0)
            s->Cr[Cr.Iim] = i->Immediate;
        return Interruptions.Deliver(s, i, Vector.BreakInstruction, 0);
    }

    // break.b leaves 0 in IIM (SDM vol 3, break).
    private static int BreakB(VcpuState* s, Instruction* i)
    {
        if ((s->PsrValue & Psr.Ic) != 0)
            s->Cr[Cr.Iim] = 0;
        return Interruptions.Deliver(s, i, Vector.BreakInstruction, 0);
    }

    private static int Alloc(VcpuState* s, Instruction* i)
    {
        int sof = i->Position;
        int sol = i->Length;
        int sor = i->Selector;
        if (sof > 96 || sol > sof || sor > sof || i->R1 == 0 || (i->R1 >= 32 && i->R1 >= 32 + sof))
            return Fault.IllegalOperation(s, i);
        if (sor != s->Sor && (s->Cfm >> 18) != 0)
            return Fault.ReservedRegisterField(s, i);
        int step = RseMemory.Spill(s, i, s->Dirty + sof - Rse.PhysicalRegisters);
        if (step != Step.Next)
            return step;

        if (s->AlatValid != 0)
            Alat.ForgetRenamed(s);
        Rse.SetFrameSize(s, (s->Cfm & ~0x3_FFFFUL) | (uint)sof | (uint)sol << 7 | (uint)(sor >> 3) << 14);
        Registers.SetGr(s, i->R1, s->Ar[Ar.Pfs]);
        return Step.Next;
    }

    private static int Cover(VcpuState* s, Instruction* i)
    {
        ulong cfm = s->Cfm;
        Rse.Cover(s);
        if ((s->PsrValue & Psr.Ic) == 0)
            s->Cr[Cr.Ifs] = cfm | 1UL << 63;
        return Step.Next;
    }

    private static int Flushrs(VcpuState* s, Instruction* i) => RseMemory.Flush(s, i);

    private static int Loadrs(VcpuState* s, Instruction* i)
    {
        // Not in an eager mode, and nothing may be loaded below a frame that is not empty (SDM vol 3, loadrs).
        if ((s->Ar[Ar.Rsc] & 3) != 0 || (s->Sof != 0 && (s->Ar[Ar.Rsc] >> Rsc.LoadrsShift & 0x3FFF) != 0))
            return Fault.IllegalOperation(s, i);
        return RseMemory.Load(s, i);
    }

    private static int Rfi(VcpuState* s, Instruction* i)
    {
        if (s->Cpl != 0)
            return Fault.PrivilegedOperation(s, i);
        ulong ifs = s->Cr[Cr.Ifs];
        ulong ipsr = s->Cr[Cr.Ipsr];
        // An instruction set that this processor does not have.
        if ((ipsr & Psr.Is) != 0)
            return Fault.IllegalOperation(s, i);
        if ((s->PsrValue & Psr.Ic) != 0)
            s->LastIp = CodePosition.Bundle(s, i);
        s->Ip = s->Cr[Cr.Iip] & ~0xFUL;
        s->Slot = (int)(ipsr >> Psr.RiShift) & 3;
        ProcessorStatus.Set(s, ipsr & Psr.Implemented);
        s->IcInFlight = 0;
        if ((ifs >> 63) != 0)
        {
            ulong cfm = ifs & FrameMarker.Mask;
            Rse.Return(s, cfm, FrameMarker.Sof(cfm));
        }
        else if (s->AlatValid != 0)
        {
            Alat.ForgetRenamed(s);
        }

        return s->Dirty < 0 ? RseMemory.CompleteFrame(s) : Step.Redirect;
    }

    private static int Bsw0(VcpuState* s, Instruction* i) => SwitchBank(s, i, 0);

    private static int Bsw1(VcpuState* s, Instruction* i) => SwitchBank(s, i, Psr.Bn);

    private static int SwitchBank(VcpuState* s, Instruction* i, ulong bank)
    {
        if (s->Cpl != 0)
            return Fault.PrivilegedOperation(s, i);
        ProcessorStatus.Set(s, (s->PsrValue & ~Psr.Bn) | bank);
        return Step.Next;
    }

    private static int Epc(VcpuState* s, Instruction* i)
    {
        // The caller may not be less privileged than PFS.ppl says (SDM vol 3, epc).
        if ((int)(s->Ar[Ar.Pfs] >> 62) < s->Cpl)
            return Fault.IllegalOperation(s, i);
        int level = AddressSpace.PromotedPrivilege(s);
        if (level < s->Cpl)
            ProcessorStatus.SetCpl(s, level);
        return Step.Resync;
    }

    // PSR.vm is not implemented (as PAL_PROC_GET_FEATURES and CPUID[4] tell): vmsw is then an illegal operation.
    private static int Vmsw(VcpuState* s, Instruction* i) => Fault.IllegalOperation(s, i);

    private static int Ssm(VcpuState* s, Instruction* i) => SystemMask(s, i, s->PsrValue | i->Immediate);

    private static int Rsm(VcpuState* s, Instruction* i) => SystemMask(s, i, s->PsrValue & ~i->Immediate);

    private static int SystemMask(VcpuState* s, Instruction* i, ulong value)
    {
        if (s->Cpl != 0)
            return Fault.PrivilegedOperation(s, i);
        if ((i->Immediate & ~(Psr.ImplementedLow & Psr.SystemMask)) != 0)
            return Fault.ReservedRegisterField(s, i);
        return SetPsr(s, value);
    }

    private static int MovToPsrL(VcpuState* s, Instruction* i)
    {
        if (s->Cpl != 0)
            return Fault.PrivilegedOperation(s, i);
        if (Registers.Nat(s, i->R2) != 0)
            return Fault.RegisterNatConsumption(s, i);
        ulong value = Registers.Gr(s, i->R2) & 0xFFFF_FFFF;
        if ((value & ~Psr.ImplementedLow) != 0)
            return Fault.ReservedRegisterField(s, i);
        return SetPsr(s, (s->PsrValue & ~0xFFFF_FFFFUL) | value);
    }

    private static int SetPsr(VcpuState* s, ulong value)
    {
        ulong changed = s->PsrValue ^ value;
        if (changed == 0)
            return Step.Next;
        if ((changed & Psr.Ic) != 0)
            s->IcInFlight = 1;
        ProcessorStatus.Set(s, value);
        return Step.Resync;
    }

    private static int MovFromPsr(VcpuState* s, Instruction* i)
    {
        if (Registers.BadTarget(s, i->R1))
            return Fault.IllegalOperation(s, i);
        if (s->Cpl != 0)
            return Fault.PrivilegedOperation(s, i);
        // PSR{31:0}, and it and mc in 36:35 (SDM vol 3, mov psr).
        Registers.SetGr(s, i->R1, s->PsrValue & (Psr.ImplementedLow | Psr.Mc | Psr.It));
        return Step.Next;
    }

    private static int Sum(VcpuState* s, Instruction* i) => UserMask(s, i, s->PsrValue | i->Immediate);

    private static int Rum(VcpuState* s, Instruction* i) => UserMask(s, i, s->PsrValue & ~i->Immediate);

    private static int UserMask(VcpuState* s, Instruction* i, ulong value)
    {
        if ((i->Immediate & ~Psr.UserMask) != 0)
            return Fault.ReservedRegisterField(s, i);
        return SetUserMask(s, value);
    }

    private static int MovToPsrUm(VcpuState* s, Instruction* i)
    {
        if (Registers.Nat(s, i->R2) != 0)
            return Fault.RegisterNatConsumption(s, i);
        ulong value = Registers.Gr(s, i->R2);
        if ((value & ~Psr.UserMask & 0xFF) != 0)
            return Fault.ReservedRegisterField(s, i);
        return SetUserMask(s, (s->PsrValue & ~Psr.UserMask) | (value & Psr.UserMask));
    }

    // With PSR.sp set, the user's up bit does not change.
    private static int SetUserMask(VcpuState* s, ulong value)
    {
        if ((s->PsrValue & Psr.Sp) != 0)
            value = (value & ~Psr.Up) | (s->PsrValue & Psr.Up);
        ProcessorStatus.Set(s, value);
        return Step.Next;
    }

    private static int MovFromPsrUm(VcpuState* s, Instruction* i)
    {
        if (Registers.BadTarget(s, i->R1))
            return Fault.IllegalOperation(s, i);
        Registers.SetGr(s, i->R1, s->PsrValue & Psr.UserMask);
        return Step.Next;
    }

    private static int Srlz(VcpuState* s, Instruction* i)
    {
        s->IcInFlight = 0;
        return Step.Next;
    }

    // What comes behind is fetched after the instruction: code that another vCPU changed, and told so, is seen (SDM vol 3, srlz). What this vCPU changed itself was
    // its fc's to look at.
    private static int SrlzI(VcpuState* s, Instruction* i)
    {
        s->IcInFlight = 0;
        if (s->Translated.Stale == 0 || Vcpu.Of(s).Code.Holds(s->CodePa, s->CodeSlots))
            return Step.Next;
        s->FetchVa = CodePage.NoAddress;
        return Step.Resync;
    }
}
