using FastXen.Core;
using FastXen.Core.Decode;
using FastXen.Core.Interpret;
using FastXen.Core.State;
using FastXen.Mmu;

namespace FastXen.Xen.Processor;

/// <summary>
/// Hyperprivops (arch-ia64.h, <c>HYPERPRIVOP_*</c>): privileged instructions as calls. Arguments in r8 to r11 and r14, the result in r8; all other registers
/// are kept. Each is a point at which pending events are delivered.
/// </summary>
internal static unsafe class Hyperprivops
{
    /// <summary>One past the highest number.</summary>
    public const uint End = 0x1b;

    private const int R8 = 8, R9 = 9, R10 = 10, R11 = 11, R14 = 14;

    /// <summary>Does hyperprivop <paramref name="number"/> (1 to 0x1a) for the break <paramref name="i"/>.</summary>
    public static int Do(VcpuState* s, Instruction* i, uint number)
    {
        ParavirtualState* p = ParavirtualState.Of(s);
        int step = number switch
        {
            0x01 => InterruptionReturn.Return(s, p, i),
            0x02 => Metaphysical(s, p, true),
            0x03 => Metaphysical(s, p, false),
            0x04 => Cover(s, p),
            0x05 => VirtualTlb.InsertCache(s, p, i, s->Gr[R8], instruction: false),
            0x06 => VirtualTlb.InsertCache(s, p, i, s->Gr[R8], instruction: true),
            0x07 => EnableInterrupts(p),
            0x08 => Result(s, LegacyInterrupts.Acknowledge(p)),
            0x09 => Result(s, p->Registers->Tpr),
            0x0a => ControlRegisterFile.SetTpr(s, p, i, s->Gr[R8]),
            0x0b => LegacyInterrupts.EndOfInterrupt(p),
            0x0c => VirtualTimer.Set(s, p, i, s->Gr[R8]),
            0x0d => Result(s, VhptWalker.Thash(s->Mmu, s->Gr[R8])),
            0x0e => VirtualTlb.PurgeGlobal(s, i, s->Gr[R8], s->Gr[R9]),
            0x0f => VirtualTlb.InsertRegister(s, p, i, s->Gr[R8], s->Gr[R9], instruction: false),
            0x10 => Result(s, p->Rr((int)(s->Gr[R8] >> 61))),
            0x11 => VirtualTlb.SetRr(s, p, i, s->Gr[R8], s->Gr[R9]),
            0x12 => SetKr(s, p, s->Gr[R8], s->Gr[R9]),
            0x13 => FlushCache(s, i, s->Gr[R8]),
            0x14 => Result(s, VirtualCpuid.Read(s->Gr[R8])),
            0x15 => Result(s, PerformanceMonitors.ReadData(s, i, (int)s->Gr[R8] & 0xFF)),
            0x16 => Result(s, s->Ar[Ar.Eflag]),
            0x17 => Step.Next,
            0x18 => BigEndianOff(s),
            0x19 => Result(s, VirtualPsr.Read(s, p) & 0x18_FFFF_FFFF),
            0x1a => SetFiveRr(s, p, i),
            _ => Hypervisor.NotTaken,
        };
        if (number == 0x01 || step is Step.Redirect or Hypervisor.NotTaken || !Reflection.IsDue(p))
            return step;
        return Reflection.DeliverBehind(s, i);
    }

    private static int Result(VcpuState* s, ulong value)
    {
        Registers.SetGr(s, R8, value);
        return Step.Next;
    }

    private static int Metaphysical(VcpuState* s, ParavirtualState* p, bool on)
    {
        VirtualPsr.SetMetaphysical(s, p, on);
        return Step.Resync;
    }

    // XSI.ifs is set whatever psr.ic is, as Xen's own fast path does.
    private static int Cover(VcpuState* s, ParavirtualState* p)
    {
        p->Registers->Ifs = 1UL << 63 | s->Cfm;
        Rse.Cover(s);
        return Step.Resync;
    }

    private static int EnableInterrupts(ParavirtualState* p)
    {
        p->Registers->InterruptCollectionEnabled = 1;
        p->Info->UpcallMask = 0;
        return Step.Next;
    }

    private static int SetKr(VcpuState* s, ParavirtualState* p, ulong index, ulong value)
    {
        if (index < 8)
            p->Registers->Kr[index] = s->Ar[(int)index] = value;
        return Step.Next;
    }

    private static int BigEndianOff(VcpuState* s)
    {
        ProcessorStatus.Set(s, s->PsrValue & ~Psr.Be);
        return Step.Resync;
    }

    private static int FlushCache(VcpuState* s, Instruction* i, ulong va)
    {
        Vcpu vcpu = Vcpu.Of(s);
        if (AddressSpace.TryLocate(s, va, write: false, out ulong machine))
            vcpu.Memory.NotifyWritten(machine & ~31UL, 32);
        return Step.Resync;
    }

    private static int SetFiveRr(VcpuState* s, ParavirtualState* p, Instruction* i)
    {
        ReadOnlySpan<int> registers = [R8, R9, R10, R11, R14];
        for (int region = 0; region < registers.Length; region++)
        {
            int step = VirtualTlb.SetRr(s, p, i, (ulong)region << 61, s->Gr[registers[region]]);
            if (step == Step.Redirect)
                return step;
        }

        return Step.Resync;
    }
}
