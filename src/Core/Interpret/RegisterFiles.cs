using FastXen.Core.Decode;
using FastXen.Core.State;
using FastXen.Mmu;

namespace FastXen.Core.Interpret;

/// <summary>Moves between general registers and the indirect register files (SDM vol 3, mov indirect): rr, pkr, ibr, dbr, pmc, pmd, cpuid, dahr.</summary>
public static unsafe class RegisterFiles
{
    /// <summary>Fills the dispatch table.</summary>
    public static void Bind(delegate*<VcpuState*, Instruction*, int>* table)
    {
        table[(int)Opcode.MovToRr] = &MovToRr;
        table[(int)Opcode.MovToPkr] = &MovToPkr;
        table[(int)Opcode.MovToIbr] = &MovToIbr;
        table[(int)Opcode.MovToDbr] = &MovToDbr;
        table[(int)Opcode.MovToPmc] = &MovToPmc;
        table[(int)Opcode.MovToPmd] = &MovToPmd;
        table[(int)Opcode.MovFromRr] = &MovFromRr;
        table[(int)Opcode.MovFromPkr] = &MovFromPkr;
        table[(int)Opcode.MovFromIbr] = &MovFromIbr;
        table[(int)Opcode.MovFromDbr] = &MovFromDbr;
        table[(int)Opcode.MovFromPmc] = &MovFromPmc;
        table[(int)Opcode.MovFromPmd] = &MovFromPmd;
        table[(int)Opcode.MovFromCpuid] = &MovFromCpuid;
        table[(int)Opcode.MovFromDahr] = &MovFromDahr;
        table[(int)Opcode.MovToDahrImmediate] = &MovToDahr;
    }

    /// <summary>What an instruction does after the MMU's answer.</summary>
    public static int Result(VcpuState* s, Instruction* i, TlbResult result) => result switch
    {
        TlbResult.Ok => Step.Next,
        TlbResult.ReservedRegisterField => Fault.ReservedRegisterField(s, i),
        _ => AddressSpace.MachineCheck(s, i, $"{i->Opcode} overlaps a translation register"),
    };

    // The checks of all privileged moves into a file. False: the step is all that there is to do (a hypervisor may have done the whole instruction).
    private static bool MayWrite(VcpuState* s, Instruction* i, out int step)
    {
        step = s->Cpl != 0 ? Fault.PrivilegedOperation(s, i)
            : Registers.Nat(s, i->R2, i->R3) != 0 ? Fault.RegisterNatConsumption(s, i)
            : Step.Next;
        return s->Cpl == 0 && step == Step.Next;
    }

    private static bool MayRead(VcpuState* s, Instruction* i, bool privileged, out int step)
    {
        bool isRefused = privileged && s->Cpl != 0;
        step = Registers.BadTarget(s, i->R1) ? Fault.IllegalOperation(s, i)
            : isRefused ? Fault.PrivilegedOperation(s, i)
            : Registers.Nat(s, i->R3) != 0 ? Fault.RegisterNatConsumption(s, i)
            : Step.Next;
        return !isRefused && step == Step.Next;
    }

    private static int MovToRr(VcpuState* s, Instruction* i)
    {
        if (!MayWrite(s, i, out int step))
            return step;
        s->FetchVa = CodePage.NoAddress;
        step = Result(s, i, MmuRegisters.SetRr(s->Mmu, Registers.Gr(s, i->R3), Registers.Gr(s, i->R2)));
        return step == Step.Next ? Step.Resync : step;
    }

    private static int MovToPkr(VcpuState* s, Instruction* i)
    {
        if (!MayWrite(s, i, out int step))
            return step;
        s->FetchVa = CodePage.NoAddress;
        step = Result(s, i, MmuRegisters.SetPkr(s->Mmu, Registers.Gr(s, i->R3), Registers.Gr(s, i->R2)));
        return step == Step.Next ? Step.Resync : step;
    }

    private static int MovToIbr(VcpuState* s, Instruction* i)
    {
        return MayWrite(s, i, out int step) ? Result(s, i, MmuRegisters.SetIbr(s->Mmu, Registers.Gr(s, i->R3), Registers.Gr(s, i->R2))) : step;
    }

    private static int MovToDbr(VcpuState* s, Instruction* i)
    {
        return MayWrite(s, i, out int step) ? Result(s, i, MmuRegisters.SetDbr(s->Mmu, Registers.Gr(s, i->R3), Registers.Gr(s, i->R2))) : step;
    }

    private static int MovToPmc(VcpuState* s, Instruction* i)
    {
        if (MayWrite(s, i, out int step))
            PerformanceMonitors.WriteControl(s, i, (int)Registers.Gr(s, i->R3) & 0xFF, Registers.Gr(s, i->R2));
        return step;
    }

    private static int MovToPmd(VcpuState* s, Instruction* i)
    {
        if (MayWrite(s, i, out int step))
            PerformanceMonitors.WriteData(s, i, (int)Registers.Gr(s, i->R3) & 0xFF, Registers.Gr(s, i->R2));
        return step;
    }

    private static int MovFromRr(VcpuState* s, Instruction* i)
    {
        if (MayRead(s, i, privileged: true, out int step))
            Registers.SetGr(s, i->R1, s->Mmu->Rr[Registers.Gr(s, i->R3) >> 61]);
        return step;
    }

    private static int MovFromPkr(VcpuState* s, Instruction* i) => ReadFile(s, i, s->Mmu->Pkr, MmuState.PkrCount);

    private static int MovFromIbr(VcpuState* s, Instruction* i) => ReadFile(s, i, s->Mmu->Ibr, 2 * MmuState.DebugPairs);

    private static int MovFromDbr(VcpuState* s, Instruction* i) => ReadFile(s, i, s->Mmu->Dbr, 2 * MmuState.DebugPairs);

    private static int ReadFile(VcpuState* s, Instruction* i, ulong* file, ulong count)
    {
        if (!MayRead(s, i, privileged: true, out int step))
            return step;
        ulong index = Registers.Gr(s, i->R3) & 0xFF;
        if (index >= count)
            return Fault.ReservedRegisterField(s, i);
        Registers.SetGr(s, i->R1, file[index]);
        return Step.Next;
    }

    private static int MovFromPmc(VcpuState* s, Instruction* i)
    {
        if (MayRead(s, i, privileged: true, out int step))
            Registers.SetGr(s, i->R1, PerformanceMonitors.ReadControl(s, (int)Registers.Gr(s, i->R3) & 0xFF));
        return step;
    }

    private static int MovFromPmd(VcpuState* s, Instruction* i)
    {
        if (MayRead(s, i, privileged: false, out int step))
            Registers.SetGr(s, i->R1, PerformanceMonitors.ReadData(s, i, (int)Registers.Gr(s, i->R3) & 0xFF));
        return step;
    }

    private static int MovFromCpuid(VcpuState* s, Instruction* i)
    {
        if (!MayRead(s, i, privileged: false, out int step))
            return step;
        ulong index = Registers.Gr(s, i->R3) & 0xFF;
        if (index >= Cpuid.Count)
            return Fault.ReservedRegisterField(s, i);
        Registers.SetGr(s, i->R1, Cpuid.Read((int)index));
        return Step.Next;
    }

    // Data access hint registers hold hints only: they read as zero.
    private static int MovFromDahr(VcpuState* s, Instruction* i)
    {
        if (MayRead(s, i, privileged: false, out int step))
            Registers.SetGr(s, i->R1, 0);
        return step;
    }

    private static int MovToDahr(VcpuState* s, Instruction* i) => Step.Next;
}
