using System.Diagnostics;
using System.Runtime.InteropServices;
using FastXen.Core.Decode;
using FastXen.Core.Interpret;
using FastXen.Core.State;
using FastXen.Events;
using FastXen.Xen.Firmware;
using FastXen.Xen.Processor;

namespace FastXen.Xen.Hypercalls;

/// <summary>
/// The hypercalls by number (xen.h, <c>__HYPERVISOR_*</c>): r2 is the number, r32 to r36 are the arguments, r8 is the result, r10 becomes 0. Numbers from 256
/// on are the firmware's.
/// </summary>
internal static unsafe partial class Hypercall
{
    private const int Count = 64;

    private static readonly delegate*<HypercallFrame*, long>* Table = Make();

    private static delegate*<HypercallFrame*, long>* Make()
    {
        var table = (delegate*<HypercallFrame*, long>*)NativeMemory.Alloc(Count, (nuint)sizeof(nint));
        for (int number = 0; number < Count; number++)
            table[number] = &NotThere;
        table[6] = &SchedOp.DoCompat;
        table[7] = &PlatformOp.Do;
        table[12] = &MemoryOp.Do;
        table[13] = &Multicall.Do;
        table[17] = &XenVersion.Do;
        table[18] = &ConsoleIo.Do;
        table[20] = &GrantTableOp.Do;
        table[24] = &VcpuOp.Do;
        table[29] = &SchedOp.Do;
        table[30] = &CallbackOp.Do;
        table[32] = &EventChannelOp.Do;
        table[33] = &PhysdevOp.Do;
        table[34] = &HvmOp.Do;
        table[35] = &SysctlOp.Do;
        table[36] = &DomctlOp.Do;
        table[48] = &Dom0VpOp.Do;
        table[49] = &PhysdevOp.DoFastEoi;
        table[50] = &DebugOp.Do;
        return table;
    }

    private static long NotThere(HypercallFrame* call) => -Errno.ENOSYS;

    /// <summary>One hypercall of a list: its result.</summary>
    public static long Call(HypercallFrame* call) => call->Number < Count ? Table[call->Number](call) : -Errno.ENOSYS;

    /// <summary>Does the hypercall of the break <paramref name="i"/>.</summary>
    public static int Do(VcpuState* s, Instruction* i)
    {
        ParavirtualState* p = ParavirtualState.Of(s);
        ulong number = s->Gr[2];
        if (number >= 0x100)
            return FirmwareEntry.Do(s, i, number);
        var call = new HypercallFrame { Vcpu = p, State = s, Number = number };
        ulong* arguments = s->FrameBase + 32;
        for (int k = 0; k < HypercallFrame.ArgumentCount; k++)
            call.Arguments[k] = arguments[k];
        if (p->ContinuesAt != 0)
            Resume(&call, i);
        long begin = Tracing.Hypercalls ? Stopwatch.GetTimestamp() : 0;
        long result = Call(&call);
        if (begin != 0)
            Trace(&call, result, begin);
        if (call.Again)
            return Repeat(&call, i);
        p->Recent.Add(number, call.Arguments, result);
        Registers.SetGr(s, 8, (ulong)result);
        Registers.SetGr(s, 10, 0);
        return Finish(s, p, i);
    }

    /// <summary>The way back from a hypercall: what became due meanwhile comes first.</summary>
    public static int Finish(VcpuState* s, ParavirtualState* p, Instruction* i)
    {
        // Blocked, stopped or preempted: the run loop sees to it behind the break.
        if (s->Deadline == 0)
            return Step.Resync;
        return Reflection.IsDue(p) ? Reflection.DeliverBehind(s, i) : Step.Next;
    }

    /// <summary>A handler that changes translations: whoever waits for other vCPUs to forget one serves the caller meanwhile.</summary>
    public static long AsCaller(HypercallFrame* call, delegate*<HypercallFrame*, long> handler)
    {
        ParavirtualVcpu.Current = call->Caller;
        long result = handler(call);
        ParavirtualVcpu.Current = null;
        return result;
    }

    // A list that is longer than one hypercall may take: the break executes again, past a look-point, and goes on where it was (Xen: a continuation). The
    // guest sees one hypercall: events wait until it is over.
    private static int Repeat(HypercallFrame* call, Instruction* i)
    {
        VcpuState* s = call->State;
        s->Ip = CodePosition.Bundle(s, i);
        s->Slot = CodePosition.Slot(i);
        call->Vcpu->ContinuesAt = s->Ip | (uint)s->Slot;
        call->Vcpu->Progress = call->Progress;
        call->Vcpu->InnerProgress = call->InnerProgress;
        return Step.Redirect;
    }

    // Another break than the one that continues comes from a handler of a fault meanwhile.
    private static void Resume(HypercallFrame* call, Instruction* i)
    {
        ParavirtualState* p = call->Vcpu;
        if (p->ContinuesAt != (CodePosition.Bundle(call->State, i) | (uint)CodePosition.Slot(i)))
            return;
        p->ContinuesAt = 0;
        call->Progress = p->Progress;
        call->InnerProgress = p->InnerProgress;
    }
}

/// <summary>A hypercall under way.</summary>
internal unsafe struct HypercallFrame
{
    /// <summary>Arguments of a hypercall.</summary>
    public const int ArgumentCount = 5;

    /// <summary>The caller.</summary>
    public ParavirtualState* Vcpu;

    /// <summary>The caller's processor.</summary>
    public VcpuState* State;

    /// <summary>Number.</summary>
    public ulong Number;

    /// <summary>r32 to r36.</summary>
    public fixed ulong Arguments[ArgumentCount];

    /// <summary>How far a list was done when the hypercall was to be executed again; 0 at first.</summary>
    public ulong Progress;

    /// <summary>As <see cref="Progress"/>, of the hypercall in a list of them.</summary>
    public ulong InnerProgress;

    /// <summary>Set by the handler: there is no result yet, the hypercall is to be executed again with <see cref="Progress"/>.</summary>
    public bool Again;

    /// <summary>The caller.</summary>
    public readonly ParavirtualVcpu Caller => ParavirtualVcpu.Of(Vcpu);

    /// <summary>The caller's domain.</summary>
    public readonly XenDomain Domain => Caller.Machine.Domain;

    /// <summary>Ends this execution of the hypercall, and has it executed again from <paramref name="progress"/> on.</summary>
    public long ContinueFrom(ulong progress)
    {
        Progress = progress;
        Again = true;
        return 0;
    }
}
