using System.Runtime.InteropServices;
using FastXen.Core.Decode;
using FastXen.Core.Float;
using FastXen.Core.Interpret;
using FastXen.Core.State;
using FastXen.Mmu;

namespace FastXen.Core.Tests.Float;

/// <summary>The checks around the operations: targets, disabled registers, predicates, delivery of faults and traps.</summary>
public sealed unsafe class FloatHandlerTests : IDisposable
{
    private const ulong Bundle = 0x4000, Iva = 0x8000, MaskedFpsr = 0x0009_804c_0270_033f;
    private const ulong CodeMask = 0xffff;

    private readonly PhysicalMemory _memory = new(0x1_0000);
    private readonly Vcpu _vcpu;
    private readonly VcpuState* _s;
    private readonly Instruction* _bundle;

    public FloatHandlerTests()
    {
        _memory.AddRam(0, 0x1_0000);
        _vcpu = new Vcpu(_memory, deterministic: true);
        _s = _vcpu.State;
        _bundle = (Instruction*)NativeMemory.AllocZeroed(3, (nuint)sizeof(Instruction));
        _s->CodeSlots = _s->RunStart = _bundle;
        _s->CodeVa = Bundle;
        _s->Cr[Cr.Iva] = Iva;
        _s->PsrValue = Psr.Ic;
    }

    public void Dispose()
    {
        _vcpu.Dispose();
        _memory.Dispose();
        NativeMemory.Free(_bundle);
    }

    private int Execute(Instruction i, int slot = 0)
    {
        i.Placement = (byte)slot;
        _bundle[slot] = i;
        return Interpreter.HandlerOf(i.Opcode)(_s, _bundle + slot);
    }

    private FloatRegister Fr(uint f) => *Registers.Fr(_s, f);

    private void AssertDelivered(int step, Vector vector, uint code)
    {
        Assert.Equal(Step.Redirect, step);
        Assert.Equal((Iva + (ulong)vector, code), (_s->Ip, _s->Cr[Cr.Isr] & CodeMask));
    }

    public static TheoryData<Opcode> Targets =>
        [Opcode.Fma, Opcode.Fpma, Opcode.XmaL, Opcode.Fselect, Opcode.Frcpa, Opcode.Fprsqrta, Opcode.Fmin, Opcode.Fpmax, Opcode.FpcmpEq,
         Opcode.FmergeS, Opcode.FcvtFx, Opcode.FpcvtFxu, Opcode.FcvtXf, Opcode.SetfSig, Opcode.SetfD];

    [Theory]
    [MemberData(nameof(Targets))]
    public void F0_and_f1_are_no_targets(Opcode opcode)
    {
        // The target is looked at before the disabled registers.
        _s->PsrValue |= Psr.Dfl | Psr.Dfh;
        AssertDelivered(Execute(new Instruction { Opcode = opcode, R1 = 0, R2 = 2, R3 = 40 }), Vector.GeneralException, 0);
        _s->PsrValue |= Psr.Dfl | Psr.Dfh | Psr.Ic;
        AssertDelivered(Execute(new Instruction { Opcode = opcode, R1 = 1 }), Vector.GeneralException, 0);
    }

    [Theory]
    [InlineData(Psr.Dfl, 6, 40, 41, 42, 1)]
    [InlineData(Psr.Dfl, 40, 41, 42, 31, 1)]
    [InlineData(Psr.Dfh, 6, 7, 32, 8, 2)]
    [InlineData(Psr.Dfl | Psr.Dfh, 6, 40, 0, 0, 3)]
    [InlineData(Psr.Dfl, 40, 0, 1, 41, 0)]
    [InlineData(Psr.Dfh, 6, 0, 1, 31, 0)]
    public void Disabled_registers_fault(ulong psr, byte f1, byte f2, byte f3, byte f4, uint code)
    {
        _s->PsrValue |= psr;
        int step = Execute(new Instruction { Opcode = Opcode.Fma, R1 = f1, R2 = f2, R3 = f3, R4 = f4 });
        if (code == 0)
            Assert.Equal(Step.Next, step);
        else
            AssertDelivered(step, Vector.DisabledFpRegister, code);
    }

    [Fact]
    public void Disabled_registers_fault_in_compares_and_moves()
    {
        _s->PsrValue |= Psr.Dfh;
        AssertDelivered(Execute(new Instruction { Opcode = Opcode.FcmpEq, P1 = 6, P2 = 7, R2 = 2, R3 = 127 }), Vector.DisabledFpRegister, 2);
        _s->PsrValue |= Psr.Dfh | Psr.Ic;
        AssertDelivered(Execute(new Instruction { Opcode = Opcode.GetfSig, R1 = 8, R2 = 32 }), Vector.DisabledFpRegister, 2);
        _s->PsrValue |= Psr.Dfh | Psr.Ic;
        AssertDelivered(Execute(new Instruction { Opcode = Opcode.SetfSig, R1 = 32, R2 = 8 }), Vector.DisabledFpRegister, 2);
    }

    [Fact]
    public void A_fault_changes_nothing()
    {
        _s->Ar[Ar.Fpsr] = MaskedFpsr & ~(ulong)FloatFlags.Invalid;
        *Registers.Fr(_s, 8) = FloatKind.Infinity(0);
        var multiply = new Instruction { Opcode = Opcode.Fma, Completers = Completers.PrecisionDouble, R1 = 9, R3 = 8, R4 = 0 };
        AssertDelivered(Execute(multiply, slot: 1), Vector.FloatingPointFault, FloatFlags.Invalid);
        Assert.Equal((Bundle, 1UL), (_s->Cr[Cr.Iip], (_s->Cr[Cr.Ipsr] >> Psr.RiShift) & 3));
        Assert.Equal(default, Fr(9));
        Assert.Equal(MaskedFpsr & ~(ulong)FloatFlags.Invalid, _s->Ar[Ar.Fpsr]);
        Assert.Equal(0UL, _s->Cr[Cr.Ipsr] & (Psr.Mfl | Psr.Mfh));
    }

    [Fact]
    public void A_trap_comes_after_the_write()
    {
        _s->Ar[Ar.Fpsr] = MaskedFpsr & ~(ulong)FloatFlags.Inexact;
        *Registers.Fr(_s, 8) = new FloatRegister(0xffff, 0x8000_0000_0000_0401);
        var normalize = new Instruction { Opcode = Opcode.Fma, Completers = Completers.PrecisionDouble, R1 = 9, R3 = 8, R4 = 1 };
        AssertDelivered(Execute(normalize, slot: 1), Vector.FloatingPointTrap, 0x6001);
        Assert.Equal((Bundle, 2UL), (_s->Cr[Cr.Iip], (_s->Cr[Cr.Ipsr] >> Psr.RiShift) & 3));
        Assert.Equal(new FloatRegister(0xffff, 0x8000_0000_0000_0800), Fr(9));
        Assert.Equal(FloatFlags.Inexact, FloatStatus.FieldFlags(_s->Ar[Ar.Fpsr], 0));
        Assert.Equal(Psr.Mfl, _s->Cr[Cr.Ipsr] & (Psr.Mfl | Psr.Mfh));
    }

    [Fact]
    public void Masked_exceptions_set_the_flags_of_their_status_field()
    {
        *Registers.Fr(_s, 40) = new FloatRegister(0xffff, 0x8000_0000_0000_0401);
        var normalize = new Instruction { Opcode = Opcode.Fma, Completers = Completers.PrecisionDouble, R1 = 41, R3 = 40, R4 = 1, Selector = 2 };
        Assert.Equal(Step.Next, Execute(normalize));
        Assert.Equal(MaskedFpsr | (0x20UL << 39), _s->Ar[Ar.Fpsr]);
        Assert.Equal(Psr.Mfh, _s->PsrValue & (Psr.Mfl | Psr.Mfh));
    }

    [Theory]
    [InlineData(Opcode.FcmpLt)]
    [InlineData(Opcode.FcmpLtUnc)]
    [InlineData(Opcode.Fclass)]
    public void Equal_predicate_targets_are_illegal(Opcode opcode) =>
        AssertDelivered(Execute(new Instruction { Opcode = opcode, P1 = 5, P2 = 5 }), Vector.GeneralException, 0);

    [Theory]
    [InlineData(Opcode.FcmpEqUnc)]
    [InlineData(Opcode.FclassUnc)]
    public void Unconditional_compares_clear_both_targets_when_predicated_off(Opcode opcode)
    {
        _s->Pr |= 0xc0;
        Assert.Equal(Step.Next, Execute(new Instruction { Opcode = opcode, QpField = 5, P1 = 6, P2 = 7 }));
        Assert.Equal(1UL, _s->Pr);
    }

    [Fact]
    public void An_approximation_that_is_predicated_off_clears_its_predicate()
    {
        _s->Pr |= 0xc0;
        Assert.Equal(Step.Next, Execute(new Instruction { Opcode = Opcode.Frcpa, QpField = 5, R1 = 0, P2 = 6 }));
        Assert.Equal(0x81UL, _s->Pr);
    }

    [Fact]
    public void Nats_travel_between_the_register_files()
    {
        _s->NatPresent = 1;
        _s->GrNat[8] = 1;
        Assert.Equal(Step.Next, Execute(new Instruction { Opcode = Opcode.SetfD, R1 = 9, R2 = 8 }));
        Assert.True(Fr(9).IsNatVal);
        Assert.Equal(Step.Next, Execute(new Instruction { Opcode = Opcode.GetfD, R1 = 10, R2 = 9 }));
        Assert.Equal(1u, Registers.Nat(_s, 10));
        Assert.Equal(Step.Next, Execute(new Instruction { Opcode = Opcode.Fma, R1 = 11, R2 = 9, R3 = 1, R4 = 1 }));
        Assert.True(Fr(11).IsNatVal);
        Assert.Equal(Step.Next, Execute(new Instruction { Opcode = Opcode.FcmpLe, P1 = 6, P2 = 7, R2 = 9, R3 = 9 }));
        Assert.Equal(1UL, _s->Pr);
    }

    [Fact]
    public void Getf_needs_a_register_of_the_frame() =>
        AssertDelivered(Execute(new Instruction { Opcode = Opcode.GetfExp, R1 = 32, R2 = 1 }), Vector.GeneralException, 0);

    [Theory]
    [InlineData(0, 0x04)]
    [InlineData(0, 0x4c)]
    [InlineData(3, 0x04)]
    public void Fsetc_refuses_reserved_controls(byte field, byte controls) => AssertDelivered(
        Execute(new Instruction { Opcode = Opcode.Fsetc, Selector = field, Position = 0, Length = controls }), Vector.GeneralException, 0x30);
}
