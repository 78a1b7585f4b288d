using System.Runtime.InteropServices;
using FastXen.Core;
using FastXen.Core.Decode;
using FastXen.Core.Interpret;
using FastXen.Core.State;
using FastXen.Xen.EventChannels;
using FastXen.Xen.Hypercalls;

namespace FastXen.Xen.Processor;

/// <summary>Where vCPUs of paravirtualized domains enter the hypervisor.</summary>
internal static unsafe class HypervisorEntry
{
    /// <summary>The entries, at a fixed address.</summary>
    public static readonly Hypervisor* Table = Make();

    private static Hypervisor* Make()
    {
        var table = (Hypervisor*)NativeMemory.Alloc((nuint)sizeof(Hypervisor));
        table->Break = &Break;
        table->Privileged = &PrivilegedInstructions.Do;
        table->Interruption = &Reflection.Interrupt;
        table->Attend = &Attend;
        table->Entered = &Entered;
        table->Left = &Left;
        return table;
    }

    // The order is Xen's: hyperprivops, then hypercalls, of the kernel only; all else is the guest's.
    private static int Break(VcpuState* s, Instruction* i)
    {
        if (s->Cpl != ParavirtualState.KernelLevel)
            return Hypervisor.NotTaken;
        if (i->Immediate - 1 < Hyperprivops.End - 1)
            return Hyperprivops.Do(s, i, (uint)i->Immediate);
        if (i->Immediate == ParavirtualState.Of(s)->HypercallImmediate)
            return Hypercall.Do(s, i);
        return SimulatorCall.Is(i->Immediate) ? SimulatorCall.Do(s, i) : Hypervisor.NotTaken;
    }

    private static void Attend(VcpuState* s)
    {
        ParavirtualState* p = ParavirtualState.Of(s);
        if (LocalSapic.AnyRequested(s))
        {
            // Before the look at whether it is down: who brings it up requests something afterwards.
            TakeRequests(s, p);
            EventChannelTable channels = ParavirtualVcpu.Of(p).Machine.Domain.EventChannels;
            if (channels.IsPolling(p->Number))
                channels.EndPoll(p->Number);
        }

        if ((Volatile.Read(ref p->Down) | Volatile.Read(ref p->Restarts)) != 0 && !ParavirtualVcpu.Of(p).Resume())
            return;
        if (p->TimerExpired)
            SendTimer(s, p);

        // A hypercall that is not over yet is one instruction to the guest.
        if (p->ContinuesAt == 0 || p->ContinuesAt != (s->Ip | (uint)s->Slot))
            Reflection.DeliverEvents(s);
    }

    private static void Entered(VcpuState* s) => ParavirtualVcpu.Of(ParavirtualState.Of(s)).Entered();

    private static void Left(VcpuState* s, VcpuPause pause) => ParavirtualVcpu.Of(ParavirtualState.Of(s)).Left(pause);

    // Requests by vector: the timer's, and those of the controller that guests have before they have events.
    private static void TakeRequests(VcpuState* s, ParavirtualState* p)
    {
        for (int word = 0; word < 4; word++)
        {
            ulong bits = Interlocked.Exchange(ref s->Irr[word], 0);
            for (; bits != 0; bits &= bits - 1)
            {
                int vector = word * 64 + System.Numerics.BitOperations.TrailingZeroCount(bits);
                if (vector == (int)(s->Cr[Cr.Itv] & 0xFF))
                    Timer(s, p, (byte)vector);
                else if (vector != ParavirtualVcpu.EventRequest && p->EventCallback == 0)
                    LegacyInterrupts.Request(p, (byte)vector);
            }
        }
    }

    // Without a callback the timer is an interrupt of the controller; the event is still owed when there is one.
    private static void Timer(VcpuState* s, ParavirtualState* p, byte vector)
    {
        if (p->SignalledItm == s->Cr[Cr.Itm])
            return;
        p->TimerExpired = true;
        if (p->EventCallback == 0)
            LegacyInterrupts.Request(p, vector);
    }

    // One event for each value of ITM. It waits for the guest to bind its VIRQ: Linux arms the timer a while before.
    private static void SendTimer(VcpuState* s, ParavirtualState* p)
    {
        EventChannelTable channels = ParavirtualVcpu.Of(p).Machine.Domain.EventChannels;
        if (p->EventCallback == 0 || !channels.IsVirqBound(Virq.Itc, p->Number))
            return;
        p->TimerExpired = false;
        p->SignalledItm = s->Cr[Cr.Itm];
        channels.SendVirq(Virq.Itc, p->Number);
    }
}
