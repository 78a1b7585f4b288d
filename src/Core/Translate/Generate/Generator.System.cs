using FastXen.Core.Decode;
using FastXen.Core.Emit;
using FastXen.Core.State;
using static FastXen.Core.Emit.HostRegister;

namespace FastXen.Core.Translate;

/// <summary>System instructions that kernels use on their fast paths.</summary>
internal sealed unsafe partial class Generator
{
    private bool IsKernel => (context & TranslationContext.CplMask) == 0;

    private void EmitSystem(in IrInstruction ir)
    {
        switch (ir.Opcode)
        {
            case IrOpcode.Serialize:
                if (ir.Guest->Opcode == Opcode.SrlzI)
                {
                    // Code that another vCPU changed: this region may be of it. The handler's way ends it.
                    asm.Arithmetic(Alu.Cmp, State(StateOffsets.Stale), 0, 4);
                    Slow(ir, Condition.Ne);
                }

                asm.StoreImmediate(State(StateOffsets.IcInFlight), 0, 4);
                break;
            case IrOpcode.MoveToEc when ir.UsesImmediate:
                asm.StoreImmediate(State(StateOffsets.ArOf(Ar.Ec)), (int)(ir.Immediate & 0x3F), 8);
                break;
            case IrOpcode.MoveToEc:
                ReadInto(Rax, ir.A);
                asm.Arithmetic(Alu.And, Rax, 0x3F, 4);
                asm.Store(State(StateOffsets.ArOf(Ar.Ec)), Rax, 8);
                break;
            case var _ when !IsKernel:
                EmitHandler(ir);
                break;
            case IrOpcode.MoveFromPsr:
                asm.Load(Rax, State(StateOffsets.Psr), 8);
                asm.MovImmediate(Rcx, Psr.ImplementedLow | Psr.Mc | Psr.It);
                asm.Arithmetic(Alu.And, Rax, Rcx);
                Write(ir.D, Rax);
                break;
            case IrOpcode.DisableInterrupts:
                // A change of the PSR is a look-point: the handler's where the budget is used up behind it.
                asm.Arithmetic(Alu.Cmp, R15, ir.Slot + 1 - current.First);
                Slow(ir, Condition.Le);
                asm.Arithmetic(Alu.And, State(StateOffsets.Psr), ~(int)Psr.I, 4);
                break;
            default:
                EmitMoveToRsc(ir);
                break;
        }
    }

    // Reserved fields fault; another privilege level or byte order of the RSE chooses other translations: the handler's.
    private void EmitMoveToRsc(in IrInstruction ir)
    {
        const int reserved = ~0x3FFF_001F, mode = 0x1C;
        if (ir.UsesImmediate)
            asm.MovImmediate(Rax, ir.Immediate);
        else
            ReadInto(Rax, ir.A);
        asm.MovImmediate(Rcx, unchecked((ulong)reserved));
        asm.Test(Rax, Rcx);
        Slow(ir, Condition.Ne);
        asm.Mov(Rcx, Rax);
        asm.Arithmetic(Alu.Xor, Rcx, State(StateOffsets.ArOf(Ar.Rsc)));
        asm.Test(Rcx, mode, 4);
        Slow(ir, Condition.Ne);
        asm.Store(State(StateOffsets.ArOf(Ar.Rsc)), Rax, 8);
    }
}
