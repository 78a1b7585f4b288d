using FastXen.Core.Decode;
using FastXen.Core.State;

namespace FastXen.Core.Interpret;

/// <summary>
/// Performance monitors (SDM vol 2, 7.2), as on Itanium 2: PMC/PMD 4 to 15 are generic counters, of which the events
/// "instructions retired" and "CPU cycles" count; others stay where they are. PMC0 bit 0 freezes all.
/// </summary>
public static unsafe class PerformanceMonitors
{
    /// <summary>First generic pair.</summary>
    public const int First = 4;

    /// <summary>One past the last generic pair.</summary>
    public const int End = 16;

    /// <summary>Width of a counter in bits, as PAL_PERF_MON_INFO reports.</summary>
    public const int Width = 47;

    /// <summary>Event code (PMC bits 15:8) of IA64_INST_RETIRED.</summary>
    public const int InstructionsRetired = 0x08;

    /// <summary>Event code of CPU_OP_CYCLES_ALL.</summary>
    public const int Cycles = 0x12;

    private const ulong WidthMask = (1UL << Width) - 1;

    /// <summary>mov pmc =: counters go on from where they are under the new event.</summary>
    public static void WriteControl(VcpuState* s, Instruction* i, int index, ulong value)
    {
        if (index >= End)
            return;
        if (index == 0)
            Settle(s, i, First, End);
        else if (index >= First)
            Settle(s, i, index, index + 1);
        s->Pmc[index] = value;
    }

    /// <summary>mov = pmc.</summary>
    public static ulong ReadControl(VcpuState* s, int index) => index < End ? s->Pmc[index] : 0;

    /// <summary>mov pmd =.</summary>
    public static void WriteData(VcpuState* s, Instruction* i, int index, ulong value)
    {
        if (index is < First or >= End)
            return;
        Settle(s, i, index, index + 1);
        s->Pmd[index] = value & WidthMask;
    }

    /// <summary>mov = pmd: 0 where the program may not read it (PSR.sp; PMC.pm for privileged monitors).</summary>
    public static ulong ReadData(VcpuState* s, Instruction* i, int index)
    {
        if (index is < First or >= End)
            return 0;
        bool hidden = s->Cpl != 0 && ((s->PsrValue & Psr.Sp) != 0 || (s->Pmc[index] & 1 << 6) != 0);
        if (hidden)
            return 0;
        Settle(s, i, index, index + 1);
        // Counters are sign-extended from their implemented width.
        return (ulong)((long)(s->Pmd[index] << (64 - Width)) >> (64 - Width));
    }

    // Adds what counted since the last look.
    private static void Settle(VcpuState* s, Instruction* i, int first, int end)
    {
        ulong retired = Clock.RetiredAt(s, i);
        ulong cycles = Clock.Itc(s, i);
        for (int index = first; index < end; index++)
        {
            ulong now = (int)(s->Pmc[index] >> 8 & 0xFF) switch
            {
                InstructionsRetired => retired,
                Cycles => cycles,
                _ => 0,
            };
            bool counts = now != 0 && (s->Pmc[index] & 0xF) != 0 && (s->Pmc[0] & 1) == 0 && (s->PsrValue & (Psr.Up | Psr.Pp)) != 0;
            if (counts)
                s->Pmd[index] = (s->Pmd[index] + now - s->PmdSeen[index]) & WidthMask;
            s->PmdSeen[index] = now;
        }
    }
}
