using FastXen.Core;
using FastXen.Core.Decode;
using FastXen.Core.Interpret;
using FastXen.Core.State;

namespace FastXen.Xen.Processor;

/// <summary>
/// The privileged instructions that a paravirtualized kernel still executes (its boot code, its handlers): done for it as Xen does. What touches only
/// registers that are the guest's own is left to the interpreter's handler.
/// </summary>
internal static unsafe class PrivilegedInstructions
{
    private const ulong Changeable = Psr.Be | Psr.Pp | Psr.Sp | Psr.I | Psr.Ic | Psr.Dt | Psr.Dfl | Psr.Dfh | Psr.Pk | Psr.Up;

    private const ulong UserMask = Psr.Up | Psr.Ac | Psr.Mfl | Psr.Mfh;

    /// <summary>Does an instruction that is privileged; <see cref="Hypervisor.NotTaken"/> where the guest is to have the fault.</summary>
    public static int Do(VcpuState* s, Instruction* i)
    {
        ParavirtualState* p = ParavirtualState.Of(s);
        if (s->Cpl != ParavirtualState.KernelLevel)
            return Hypervisor.NotTaken;
        int step = Emulate(s, p, i);
        if (step is not (Step.Next or Step.Resync) || !Reflection.IsDue(p))
            return step;
        return Reflection.DeliverBehind(s, i);
    }

    private static int Emulate(VcpuState* s, ParavirtualState* p, Instruction* i)
    {
        ulong r2 = Registers.Gr(s, i->R2), r3 = Registers.Gr(s, i->R3);
        switch (i->Opcode)
        {
            case Opcode.MovFromCr:
                return ControlRegisterFile.Read(s, p, i);
            case Opcode.MovToCr:
                return ControlRegisterFile.Write(s, p, i);
            case Opcode.Rfi:
                return InterruptionReturn.Return(s, p, i);
            case Opcode.Bsw0:
                Banks.SelectZero(s, p);
                return Step.Next;
            case Opcode.Bsw1:
                Banks.SelectOne(s, p);
                return Step.Next;
            case Opcode.Ssm:
                return SystemMask(s, p, i, VirtualPsr.Read(s, p) | i->Immediate);
            case Opcode.Rsm:
                return SystemMask(s, p, i, VirtualPsr.Read(s, p) & ~i->Immediate);
            case Opcode.MovFromPsr:
                Registers.SetGr(s, i->R1, VirtualPsr.Read(s, p) & 0x18_FFFF_FFFF);
                return Step.Next;
            case Opcode.MovToPsrL:
                if (Registers.Nat(s, i->R2) != 0)
                    return Fault.RegisterNatConsumption(s, i);
                ulong psr = VirtualPsr.Read(s, p);
                // psr.it cannot be written here: it goes with dt and rt.
                psr = (psr & ~0xFFFF_FFFFUL) | (r2 & 0xFFFF_FFFF);
                return SetPsr(s, p, psr | Psr.It);
            case Opcode.MovToArM when i->R3 < 8:
                if (Registers.Nat(s, i->R2) != 0)
                    return Fault.RegisterNatConsumption(s, i);
                p->Registers->Kr[i->R3] = s->Ar[i->R3] = r2;
                return Step.Next;
            case Opcode.MovToArM or Opcode.MovToArImmediateM when i->R3 is Ar.Itc or Ar.Eflag:
                return Step.Next;
            case Opcode.MovFromRr or Opcode.ItcD or Opcode.ItcI or Opcode.ItrD or Opcode.ItrI or Opcode.PtcG or Opcode.PtcGa or Opcode.MovToRr
                when Registers.Nat(s, i->R2, i->R3) != 0:
                return Fault.RegisterNatConsumption(s, i);
            case Opcode.MovFromRr:
                Registers.SetGr(s, i->R1, p->Rr((int)(r3 >> 61)));
                return Step.Next;
            case Opcode.MovToRr:
                return VirtualTlb.SetRr(s, p, i, r3, r2);
            case Opcode.ItcD or Opcode.ItcI:
                return VirtualTlb.InsertCache(s, p, i, r2, i->Opcode == Opcode.ItcI);
            case Opcode.ItrD or Opcode.ItrI:
                return VirtualTlb.InsertRegister(s, p, i, r3 & 0xFF, r2, i->Opcode == Opcode.ItrI);
            case Opcode.PtcG or Opcode.PtcGa:
                return VirtualTlb.PurgeGlobal(s, i, r3, r2);
            case Opcode.MovToPkr or Opcode.MovFromPkr or Opcode.MovToIbr or Opcode.MovFromIbr or Opcode.MovToDbr or Opcode.MovFromDbr
                or Opcode.MovToPmc or Opcode.MovFromPmc or Opcode.MovToPmd or Opcode.Tpa or Opcode.Tak
                or Opcode.PtcL or Opcode.PtcE or Opcode.PtrD or Opcode.PtrI:
                return AsKernel(s, p, i);
            default:
                return Hypervisor.NotTaken;
        }
    }

    // The interpreter's handler, which looks at PSR.cpl. Nothing else that hangs on the level is used meanwhile.
    private static int AsKernel(VcpuState* s, ParavirtualState* p, Instruction* i)
    {
        s->PsrValue &= ~Psr.Cpl;
        p->Emulates = true;
        // The instructions that name an address mean the guest's own region.
        ulong va = Registers.Gr(s, i->R3), rr = VirtualTlb.Expose(s, p, va);
        int step = i->Handler(s, i);
        VirtualTlb.Cover(s, va, rr);
        // An interruption has done both.
        if (p->Emulates)
        {
            p->Emulates = false;
            s->PsrValue |= (ulong)ParavirtualState.KernelLevel << Psr.CplShift;
        }

        return step;
    }

    private static int SystemMask(VcpuState* s, ParavirtualState* p, Instruction* i, ulong psr)
    {
        if ((i->Immediate & ~(Changeable | UserMask)) != 0)
            return Fault.IllegalOperation(s, i);
        // dt alone decides: rt and it follow it (metaphysical mode is one bit).
        return SetPsr(s, p, (i->Immediate & Psr.Dt) == 0 ? psr : (psr & Psr.Dt) != 0 ? psr | Psr.Rt | Psr.It : psr & ~(Psr.Rt | Psr.It));
    }

    private static int SetPsr(VcpuState* s, ParavirtualState* p, ulong psr)
    {
        VirtualPsr.Share(s, p, psr);
        VirtualPsr.Set(s, psr);
        return Step.Resync;
    }
}
