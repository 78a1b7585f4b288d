using System.Runtime.InteropServices;
using FastXen.Core.Emit;
using FastXen.Core.State;
using FastXen.Core.Translate;
using FastXen.Mmu;
using static FastXen.Core.Emit.HostRegister;

namespace FastXen.Xen.Processor.Fast;

/// <summary>What all pieces of host code for breaks have in common: where things are, and how a piece begins and ends (<see cref="BreakCode"/>).</summary>
internal sealed unsafe class FastCode(Assembler asm, CodeArena arena)
{
    private const int Banked = 16;

    /// <summary>PSR bits that may change: those that <see cref="FindContext"/> follows, and <see cref="Indifferent"/> ones.</summary>
    public const ulong Changeable = Indifferent | Psr.Cpl | Psr.Dfl | Psr.Dfh;

    /// <summary>PSR bits that neither the context nor a translation hangs on, nor how the processor runs.</summary>
    public const ulong Indifferent = Psr.Up | Psr.Ac | Psr.Mfl | Psr.Mfh | Psr.Sp | Psr.Pp | Psr.Di | Psr.Si;

    // Structures of which only addresses are computed.
    private static readonly byte* Origin = (byte*)NativeMemory.AllocZeroed((nuint)sizeof(MmuState));

    public static readonly MappedRegisters* X = (MappedRegisters*)Origin;
    public static readonly ParavirtualState* P = (ParavirtualState*)Origin;
    public static readonly VcpuInfo* I = (VcpuInfo*)Origin;
    private static readonly MmuState* M = (MmuState*)Origin;

    private Label _failed;

    public Assembler Asm => asm;

    /// <summary>A field of the processor's state.</summary>
    public static HostAddress State(int offset) => new(Rbp, offset);

    /// <summary>A field of <see cref="P"/>, what the hypervisor keeps of the vCPU: in r8.</summary>
    public static HostAddress Vcpu(void* field) => new(R8, Offset(field));

    /// <summary>A field of <see cref="X"/>, the registers that are shared with the guest: in r9. What is read there is a value that the guest chose; each is read once.</summary>
    public static HostAddress Shared(void* field) => new(R9, Offset(field));

    /// <summary>A field of <see cref="I"/>, the vCPU's part of shared_info, which the guest writes, too: in r10.</summary>
    public static HostAddress Info(void* field) => new(R10, Offset(field));

    /// <summary>PTA, where a register points at the MMU.</summary>
    public static HostAddress Pta(HostRegister mmu) => new(mmu, Offset(&M->Pta));

    /// <summary>Region register 0, where a register points at the MMU.</summary>
    public static HostAddress Rr(HostRegister mmu) => new(mmu, Offset(M->Rr));

    /// <summary>The size and the address of the window, where a register points at the MMU.</summary>
    public static (HostAddress Size, HostAddress Va) Window(HostRegister mmu) =>
        (new HostAddress(mmu, Offset(&M->Paravirtual.WindowSize)), new HostAddress(mmu, Offset(&M->Paravirtual.WindowVa)));

    /// <summary>Displacements in the MMU of the arrays of its data translation cache (<see cref="TranslationCache.Arrays"/>).</summary>
    public static (int Offset, int Space, int Pte, int Key, int Used) DataCache
    {
        get
        {
            (nint offset, nint space, nint pte, nint key, nint used) = TranslationCache.Arrays(&M->Dtc);
            return (Offset((void*)offset), Offset((void*)space), Offset((void*)pte), Offset((void*)key), Offset((void*)used));
        }
    }

    private static int Offset(void* field) => (int)((byte*)field - Origin);

    /// <summary>Begins a piece.</summary>
    public nint Begin()
    {
        asm.Align(16);
        nint start = (nint)asm.Here;
        _failed = asm.NewLabel();
        asm.Load(R8, State(StateOffsets.Hypervised), 8);
        asm.Load(R9, Vcpu(&P->Registers), 8);
        asm.Load(R10, Vcpu(&P->Info), 8);
        return start;
    }

    /// <summary>Leaves the break to the handler where the condition holds. Nothing may have been changed yet.</summary>
    public void Fail(Condition condition) => asm.Jump(condition, _failed);

    /// <summary>Leaves the break to the handler where a field of four bytes is not 0.</summary>
    public void FailUnlessZero(int stateOffset)
    {
        asm.Arithmetic(Alu.Cmp, State(stateOffset), 0, 4);
        Fail(Condition.Ne);
    }

    /// <summary>Leaves the break to the handler while the ALAT knows a banked register: they are renamed. (A bit for each register by its number modulo 32.)</summary>
    public void FailOnBankInAlat()
    {
        asm.Test(State(StateOffsets.AlatValid), unchecked((int)0xFFFF_0000), 4);
        Fail(Condition.Ne);
    }

    /// <summary>The last look: leaves the break to the handler where it is not known what follows from the PSR in rax. Changes rcx.</summary>
    public void FindContext()
    {
        asm.Call(arena.FindContext);
        asm.Test(Rcx, Rcx);
        Fail(Condition.E);
    }

    /// <summary>The first change, behind <see cref="FindContext"/>: the PSR in rax becomes the processor's. Changes rcx and vector registers.</summary>
    public void SetPsr()
    {
        asm.Call(arena.EnterContext);
        asm.Store(State(StateOffsets.Psr), Rax, 8);
    }

    /// <summary>Ends the piece: the break is done.</summary>
    public void End()
    {
        asm.MovImmediate(Rax, 1);
        asm.Return();
        asm.Bind(_failed);
        asm.MovImmediate(Rax, 0);
        asm.Return();
    }

    /// <summary>r11 = the virtual PSR (<see cref="VirtualPsr.Read"/>): of that in r13, the shared registers, and what r11 has (ri, the user's level). Changes rcx; r12 = the number of the bank.</summary>
    public void ReadVirtualPsr()
    {
        asm.MovImmediate(Rcx, VirtualPsr.Passed | Psr.Di);
        asm.Arithmetic(Alu.And, Rcx, R13);
        asm.Arithmetic(Alu.Or, R11, Rcx);
        asm.Load(R12, Shared(&X->BankNumber), 4);
        Virtual(Shared(&X->InterruptCollectionEnabled), 4, Condition.E, Psr.Ic);
        Virtual(Info(&I->UpcallMask), 1, Condition.Ne, Psr.I);
        Virtual(Shared(&X->MetaphysicalMode), 4, Condition.Ne, VirtualPsr.Translation);
        Virtual(Shared(&X->VpsrDfh), 1, Condition.E, Psr.Dfh);
        Virtual(Shared(&X->VpsrPp), 1, Condition.E, Psr.Pp);
        Label none = asm.NewLabel();
        asm.Test(R12, R12, 4);
        asm.Jump(Condition.E, none);
        asm.BitTestSet(R11, Bit(Psr.Bn));
        asm.Bind(none);
    }

    private void Virtual(HostAddress field, int size, Condition absent, ulong bits)
    {
        Label none = asm.NewLabel();
        asm.Arithmetic(Alu.Cmp, field, 0, size);
        asm.Jump(absent, none);
        asm.MovImmediate(Rcx, bits);
        asm.Arithmetic(Alu.Or, R11, Rcx);
        asm.Bind(none);
    }

    /// <summary>The number of a bit.</summary>
    public static int Bit(ulong bit) => System.Numerics.BitOperations.TrailingZeroCount(bit);

    /// <summary>Copies r16-r31 to the bank in the shared registers, or from it.</summary>
    public void CopyBank(bool toShared)
    {
        for (int r = 0; r < Banked; r += 4)
        {
            HostAddress register = State(StateOffsets.Gr + 8 * (Banked + r)), shared = Shared(X->Bank1 + r);
            asm.VectorLoad(HostVector.Xmm0, toShared ? register : shared, 32);
            asm.VectorStore(toShared ? shared : register, HostVector.Xmm0, 32);
        }
    }
}
