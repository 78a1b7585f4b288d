using FastXen.Core.Decode;
using FastXen.Core.Interpret;
using FastXen.Core.State;

namespace FastXen.Core.Tests.Interpret;

/// <summary>A processor state on which single decoded instructions run as the run loop would run them.</summary>
internal sealed unsafe class HandlerBench : IDisposable
{
    public VcpuState* State { get; } = VcpuAllocation.Allocate();

    public ulong Pr { get => State->Pr; set => State->Pr = value | 1; }

    public ulong Gr(uint r) => Registers.Gr(State, r);

    public uint Nat(uint r) => Registers.Nat(State, r);

    public void SetGr(uint r, ulong value, bool nat = false) => Registers.SetGr(State, r, value, nat ? 1u : 0u);

    /// <summary>Runs an instruction that must not fault; true when its qualifying predicate let it run.</summary>
    public bool Run(Instruction instruction)
    {
        if ((State->Pr >> instruction.Qp & 1) == 0)
            return false;
        Assert.Equal(Step.Next, Interpreter.HandlerOf(instruction.Opcode)(State, &instruction));
        return true;
    }

    public void Dispose() => VcpuAllocation.Free(State);
}
