using FastXen.Core.Decode;
using FastXen.Core.State;

namespace FastXen.Core.Interpret;

/// <summary>
/// Faults that handlers raise. Each delivers the interruption (saves IIP, IPSR, ISR ..., sets Ip to the vector) and
/// returns <see cref="Step.Redirect"/>, so that a handler says <c>return Fault.IllegalOperation(s, i);</c> before it has changed anything.
/// </summary>
public static unsafe class Fault
{
    /// <summary>Illegal Operation fault (General Exception, ISR.code 0x00).</summary>
    public static int IllegalOperation(VcpuState* s, Instruction* i) => General(s, i, 0x00);

    /// <summary>Privileged Operation fault (General Exception, ISR.code 0x10).</summary>
    public static int PrivilegedOperation(VcpuState* s, Instruction* i) => Privileged(s, i, 0x10);

    /// <summary>Privileged Register fault (General Exception, ISR.code 0x20).</summary>
    public static int PrivilegedRegister(VcpuState* s, Instruction* i) => Privileged(s, i, 0x20);

    /// <summary>Reserved Register/Field fault (General Exception, ISR.code 0x30).</summary>
    public static int ReservedRegisterField(VcpuState* s, Instruction* i) => General(s, i, 0x30);

    /// <summary>Register NaT Consumption fault of a non-access instruction (vector 0x5600, ISR.code 0x10).</summary>
    public static int RegisterNatConsumption(VcpuState* s, Instruction* i) => Interruptions.Deliver(s, i, Vector.NatConsumption, 0x10);

    /// <summary>Register NaT Consumption fault of a memory reference; <paramref name="isr"/>: r, w, na and the non-access code.</summary>
    public static int DataNatConsumption(VcpuState* s, Instruction* i, ulong isr) => Interruptions.Deliver(s, i, Vector.NatConsumption, 0x10 | isr);

    /// <summary>Unaligned Data Reference fault.</summary>
    public static int UnalignedReference(VcpuState* s, Instruction* i, ulong address, ulong isr)
    {
        if ((s->PsrValue & Psr.Ic) != 0)
            s->Cr[Cr.Ifa] = address;
        return Interruptions.Deliver(s, i, Vector.UnalignedReference, isr);
    }

    /// <summary>Unsupported Data Reference fault: a semaphore or 16-byte access where memory is not write-back.</summary>
    public static int UnsupportedDataReference(VcpuState* s, Instruction* i, ulong address, ulong isr)
    {
        if ((s->PsrValue & Psr.Ic) != 0)
            s->Cr[Cr.Ifa] = address;
        return Interruptions.Deliver(s, i, Vector.UnsupportedDataReference, isr);
    }

    /// <summary>Disabled Floating-Point Register fault; <paramref name="isrCode"/> bit 0 for f2-f31 disabled, bit 1 for f32-f127.</summary>
    public static int DisabledFpRegister(VcpuState* s, Instruction* i, uint isrCode) => Interruptions.Deliver(s, i, Vector.DisabledFpRegister, isrCode);

    /// <summary>Floating-Point fault; <paramref name="isrCode"/> as in manual volume 2, ISR for FP faults.</summary>
    public static int FloatingPointFault(VcpuState* s, Instruction* i, uint isrCode) => Interruptions.Deliver(s, i, Vector.FloatingPointFault, isrCode);

    /// <summary>
    /// Floating-Point trap: the instruction has completed; <paramref name="isrCode"/> as in manual volume 2, ISR for FP traps.
    /// A single step trap that is due as well shows in the same ISR.code.
    /// </summary>
    public static int FloatingPointTrap(VcpuState* s, Instruction* i, uint isrCode) => Interruptions.DeliverTrap(
        s, i, Vector.FloatingPointTrap, isrCode | ((s->PsrValue & Psr.Ss) != 0 ? TrapCode.SingleStep : 0));

    private static int Privileged(VcpuState* s, Instruction* i, uint code)
    {
        int step = s->Hypervisor != null ? s->Hypervisor->Privileged(s, i) : Hypervisor.NotTaken;
        return step != Hypervisor.NotTaken ? step : General(s, i, code);
    }

    private static int General(VcpuState* s, Instruction* i, uint code) => Interruptions.Deliver(s, i, Vector.GeneralException, code);
}
