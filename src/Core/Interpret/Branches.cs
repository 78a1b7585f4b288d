using System.Runtime.CompilerServices;
using FastXen.Core.Decode;
using FastXen.Core.State;

namespace FastXen.Core.Interpret;

/// <summary>Branches (SDM vol 3, br, brl, brp) and the way of control to a target.</summary>
public static unsafe class Branches
{
    /// <summary>Fills the dispatch table with the branches.</summary>
    public static void Bind(delegate*<VcpuState*, Instruction*, int>* table)
    {
        table[(int)Opcode.BrCond] = &BrCond;
        table[(int)Opcode.BrWexit] = &BrWexit;
        table[(int)Opcode.BrWtop] = &BrWtop;
        table[(int)Opcode.BrCloop] = &BrCloop;
        table[(int)Opcode.BrCexit] = &BrCexit;
        table[(int)Opcode.BrCtop] = &BrCtop;
        table[(int)Opcode.BrCall] = &BrCall;
        table[(int)Opcode.BrCondIndirect] = &BrCondIndirect;
        table[(int)Opcode.BrIa] = &BrIa;
        table[(int)Opcode.BrRet] = &BrRet;
        table[(int)Opcode.BrCallIndirect] = &BrCallIndirect;
        table[(int)Opcode.Brp] = &Nop;
        table[(int)Opcode.BrpIndirect] = &Nop;
        table[(int)Opcode.BrpRet] = &Nop;
        table[(int)Opcode.NopB] = &Nop;
        table[(int)Opcode.HintB] = &Spinning.Hint;
        table[(int)Opcode.Brl] = &BrCond;
        table[(int)Opcode.BrlCall] = &BrCall;
        table[(int)Opcode.Clrrrb] = &Clrrrb;
        table[(int)Opcode.ClrrrbPr] = &ClrrrbPr;
    }

    private static int Nop(VcpuState* s, Instruction* i) => Step.Next;

    /// <summary>Goes to <paramref name="target"/> from <paramref name="i"/>, with the taken-branch trap where it is armed.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Take(VcpuState* s, Instruction* i, ulong target)
    {
        if ((s->PsrValue & Psr.Ic) != 0)
            s->LastIp = CodePosition.Bundle(s, i);
        s->Ip = target & ~0xFUL;
        s->Slot = 0;
        if ((s->PsrValue & Psr.Tb) != 0)
        {
            // Both traps of one instruction are delivered as one (SDM vol 2, 5.6).
            return Interruptions.DeliverTrapHere(s, i, Vector.TakenBranchTrap, TrapCode.TakenBranch | SteppedCode(s));
        }

        return Step.Redirect;
    }

    private static ulong SteppedCode(VcpuState* s) => (s->PsrValue & Psr.Ss) != 0 ? TrapCode.SingleStep : 0;

    /// <summary>Goes to the IP-relative target of <paramref name="i"/> (branches, and checks that go to their recovery code).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int TakeRelative(VcpuState* s, Instruction* i) => Take(s, i, CodePosition.Bundle(s, i) + i->Immediate);

    private static int BrCond(VcpuState* s, Instruction* i) => TakeRelative(s, i);

    private static int BrCondIndirect(VcpuState* s, Instruction* i) => Take(s, i, s->Br[i->R2]);

    /// <summary>br.ia: this processor does not execute IA-32 instructions (as the 9100 series and later without the layer's help): Illegal Operation.</summary>
    private static int BrIa(VcpuState* s, Instruction* i) => Fault.IllegalOperation(s, i);

    private static int BrCall(VcpuState* s, Instruction* i)
    {
        ulong bundle = CodePosition.Bundle(s, i);
        return Call(s, i, bundle, bundle + i->Immediate);
    }

    private static int BrCallIndirect(VcpuState* s, Instruction* i) =>
        Call(s, i, CodePosition.Bundle(s, i), s->Br[i->R2]);

    private static int Call(VcpuState* s, Instruction* i, ulong bundle, ulong target)
    {
        s->Br[i->R1] = bundle + 16;
        s->Ar[Ar.Pfs] = s->Cfm | s->Ar[Ar.Ec] << 52 | (ulong)s->Cpl << 62;
        Rse.Call(s);
        return Take(s, i, target);
    }

    private static int BrRet(VcpuState* s, Instruction* i) => ReturnTo(s, i, i->R2);

    /// <summary>br.ret through branch register <paramref name="branch"/>.</summary>
    public static int ReturnTo(VcpuState* s, Instruction* i, uint branch)
    {
        ulong target = s->Br[branch];
        ulong pfs = s->Ar[Ar.Pfs];
        ulong psr = s->PsrValue;
        ulong cfm = pfs & FrameMarker.Mask;
        s->Ar[Ar.Ec] = pfs >> 52 & 0x3f;
        Rse.Return(s, cfm, FrameMarker.Sol(cfm));
        int cpl = (int)(pfs >> 62);
        bool lowered = cpl > s->Cpl;
        if (lowered)
            ProcessorStatus.SetCpl(s, cpl);
        if (lowered && (s->PsrValue & Psr.Lp) != 0)
        {
            // The highest of the traps is delivered, and shows the others (SDM vol 2, 5.6).
            ulong code = TrapCode.LowerPrivilege | ((s->PsrValue & Psr.Tb) != 0 ? TrapCode.TakenBranch : 0) | SteppedCode(s);
            s->Ip = target & ~0xFUL;
            s->Slot = 0;
            return Interruptions.DeliverTrapHere(s, i, Vector.LowerPrivilegeTransferTrap, code);
        }

        int step = Take(s, i, target);
        // A trap comes before the mandatory loads, which are the target's: its handler finds the frame incomplete and its rfi loads it.
        bool trapped = (psr & (Psr.Tb | Psr.Ss)) != 0;
        return s->Dirty < 0 && !trapped ? RseMemory.CompleteFrame(s) : step;
    }

    // The loop branches must be in the last slot of a bundle (SDM vol 3, br: "must be in slot 2, else Illegal Operation").
    private static bool Misplaced(Instruction* i) => CodePosition.Slot(i) != 2;

    private static int BrCloop(VcpuState* s, Instruction* i)
    {
        if (Misplaced(i))
            return Fault.IllegalOperation(s, i);
        if (s->Ar[Ar.Lc] == 0)
            return Step.Next;
        s->Ar[Ar.Lc]--;
        return TakeRelative(s, i);
    }

    private static int BrCtop(VcpuState* s, Instruction* i) =>
        Misplaced(i) ? Fault.IllegalOperation(s, i) : Counted(s) ? TakeRelative(s, i) : Step.Next;

    private static int BrCexit(VcpuState* s, Instruction* i) =>
        Misplaced(i) ? Fault.IllegalOperation(s, i) : Counted(s) ? Step.Next : TakeRelative(s, i);

    private static int BrWtop(VcpuState* s, Instruction* i) =>
        Misplaced(i) ? Fault.IllegalOperation(s, i) : While(s, i) ? TakeRelative(s, i) : Step.Next;

    private static int BrWexit(VcpuState* s, Instruction* i) =>
        Misplaced(i) ? Fault.IllegalOperation(s, i) : While(s, i) ? Step.Next : TakeRelative(s, i);

    // Modulo-scheduled counted loop: true while it goes on.
    private static bool Counted(VcpuState* s)
    {
        ulong stage = 0;
        bool more = true;
        if (s->Ar[Ar.Lc] != 0)
        {
            s->Ar[Ar.Lc]--;
            stage = 1;
        }
        else
        {
            more = s->Ar[Ar.Ec] > 1;
            if (s->Ar[Ar.Ec] == 0)
            {
                s->Pr &= ~(1UL << 63);
                return false;
            }

            s->Ar[Ar.Ec]--;
        }

        s->Pr = (s->Pr & ~(1UL << 63)) | stage << 63;
        Rse.Rotate(s);
        return more;
    }

    // Modulo-scheduled while loop: true while it goes on.
    private static bool While(VcpuState* s, Instruction* i)
    {
        bool more = true;
        if (Registers.Pr(s, i->QpField) == 0)
        {
            more = s->Ar[Ar.Ec] > 1;
            if (s->Ar[Ar.Ec] == 0)
            {
                s->Pr &= ~(1UL << 63);
                return false;
            }

            s->Ar[Ar.Ec]--;
        }

        s->Pr &= ~(1UL << 63);
        Rse.Rotate(s);
        return more;
    }

    private static int Clrrrb(VcpuState* s, Instruction* i)
    {
        Rse.LeaveFrame(s);
        return Step.Next;
    }

    private static int ClrrrbPr(VcpuState* s, Instruction* i)
    {
        Rse.ClearPrRotation(s);
        return Step.Next;
    }
}
