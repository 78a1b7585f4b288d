using System.Diagnostics;
using FastXen.Core.Decode;
using FastXen.Core.State;

namespace FastXen.Core.Interpret;

/// <summary>
/// AR.ITC and the interval timer (SDM vol 2, 3.3.4.2: ITC, ITM, ITV). ITC counts a scaled host clock, or retired slots where the
/// machine is deterministic.
/// </summary>
public static unsafe class Clock
{
    /// <summary>Frequency of AR.ITC in Hz where nobody wants another (<see cref="VcpuState.ItcFrequency"/>); PAL_FREQ_RATIOS reports the same.</summary>
    public const ulong ItcFrequency = 400_000_000;

    /// <summary>Slots between two looks at the host clock.</summary>
    private const ulong PollSlots = 20_000;

    /// <summary>The counter behind ITC: never goes back, starts near 0.</summary>
    private static ulong Raw(VcpuState* s, ulong retired) =>
        s->Deterministic != 0 ? retired + s->IdleTime : Scaled(s, Stopwatch.GetTimestamp() - s->ClockStart);

    private static ulong Scaled(VcpuState* s, long elapsed)
    {
        (long seconds, long rest) = Math.DivRem(elapsed, Stopwatch.Frequency);
        return (ulong)seconds * s->ItcFrequency + (ulong)rest * s->ItcFrequency / (ulong)Stopwatch.Frequency;
    }

    /// <summary>AR.ITC as <paramref name="i"/> reads it.</summary>
    public static ulong Itc(VcpuState* s, Instruction* i) => Raw(s, RetiredAt(s, i)) + s->ItcOffset;

    /// <summary>AR.ITC between instructions.</summary>
    public static ulong Itc(VcpuState* s) => Raw(s, s->Retired) + s->ItcOffset;

    /// <summary>Sets AR.ITC.</summary>
    public static void SetItc(VcpuState* s, Instruction* i, ulong value)
    {
        s->ItcOffset += value - Itc(s, i);
        Arm(s, value);
    }

    /// <summary>CR.ITM was written: the timer fires at the match that is still to come.</summary>
    public static void SetItm(VcpuState* s, Instruction* i, ulong value)
    {
        s->Cr[Cr.Itm] = value;
        Arm(s, Itc(s, i));
    }

    private static void Arm(VcpuState* s, ulong itc)
    {
        s->ItmFired = (long)(s->Cr[Cr.Itm] - itc) <= 0 ? 1u : 0u;
        s->Deadline = 0;
    }

    /// <summary>Slots that had retired when <paramref name="i"/> began (the run loop adds them up only at branches).</summary>
    public static ulong RetiredAt(VcpuState* s, Instruction* i) => s->Retired + (ulong)(i - s->RunStart);

    /// <summary>Raises the timer's interrupt when ITC has reached ITM, and sets the next deadline of the run loop.</summary>
    public static void Tick(VcpuState* s)
    {
        ulong itc = Itc(s);
        long left = (long)(s->Cr[Cr.Itm] - itc);
        if (s->ItmFired == 0 && left <= 0)
        {
            s->ItmFired = 1;
            ulong itv = s->Cr[Cr.Itv];
            if ((itv & 0x1_0000) == 0)
                LocalSapic.Request(s, (byte)itv);
        }

        if (s->Deterministic == 0)
            s->Deadline = s->Retired + PollSlots;
        else
            s->Deadline = s->ItmFired != 0 ? ulong.MaxValue : s->Retired + (ulong)left;
    }

    /// <summary>Deterministic time passes while nothing runs.</summary>
    public static void Skip(VcpuState* s, ulong counts) => s->IdleTime += counts;

    /// <summary>The counter behind AR.ITC between instructions: where software never set ITC, the two are equal.</summary>
    public static ulong Time(VcpuState* s) => Raw(s, s->Retired);

    /// <summary>The host's timestamp at which the timer fires, or fired just now; null when it is not armed. Any thread while the vCPU does not run.</summary>
    public static long? TimerTimestamp(VcpuState* s)
    {
        if (s->ItmFired != 0 || (s->Cr[Cr.Itv] & 0x1_0000) != 0)
            return null;
        long left = (long)(s->Cr[Cr.Itm] - Itc(s));
        if (left <= 0)
            return Stopwatch.GetTimestamp();
        // Rounded up: at this time ITC has reached ITM.
        UInt128 raw = (UInt128)(s->Cr[Cr.Itm] - s->ItcOffset) * (ulong)Stopwatch.Frequency;
        UInt128 ticks = (raw + (s->ItcFrequency - 1)) / s->ItcFrequency;
        return ticks >= long.MaxValue / 2 ? long.MaxValue : s->ClockStart + (long)ticks;
    }

    /// <summary>ITC counts until the timer fires; null when it is not armed.</summary>
    public static ulong? UntilTimer(VcpuState* s)
    {
        if (s->ItmFired != 0 || (s->Cr[Cr.Itv] & 0x1_0000) != 0)
            return null;
        long left = (long)(s->Cr[Cr.Itm] - Itc(s));
        return left <= 0 ? 0 : (ulong)left;
    }
}
