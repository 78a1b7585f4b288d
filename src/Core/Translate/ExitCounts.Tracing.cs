using System.Diagnostics;
using FastXen.Core.Decode;
using FastXen.Events;

namespace FastXen.Core.Translate;

// Returns from translated code come by the million: a trace has their counts, which are kept anyway, every few milliseconds.
internal sealed unsafe partial class ExitCounts
{
    private static readonly long TracePeriod = Stopwatch.Frequency / 100;
    private static readonly string[] KindNames = Enum.GetNames<ExitKind>();
    private static readonly string[] OpcodeNames = Enum.GetNames<Opcode>();

    private readonly long[] tracedExits = new long[KindNames.Length], tracedHandlers = new long[OpcodeNames.Length];
    private long tracedAt;
    private int exitsBegan = Tracing.ExitsBegan;

    /// <summary>Reports what was counted since the last report, when it is time or when it is the <paramref name="last"/>.</summary>
    public void TraceExits(bool last)
    {
        long now = Stopwatch.GetTimestamp();
        if (exitsBegan != Tracing.ExitsBegan)
        {
            // A listener that came late is told what happens from here on.
            Others.CopyTo(tracedExits, 0);
            Handlers.CopyTo(tracedHandlers, 0);
            exitsBegan = Tracing.ExitsBegan;
        }

        if (!last && now - tracedAt < TracePeriod)
            return;
        tracedAt = now;
        for (int kind = 0; kind < Kinds; kind++)
            Report(ref tracedExits[kind], Others[kind], KindNames[kind], "");
        for (int opcode = 0; opcode < Opcodes; opcode++)
            Report(ref tracedHandlers[opcode], Handlers[opcode], KindNames[(int)ExitKind.Handler], OpcodeNames[opcode]);
    }

    /// <summary>Reports one.</summary>
    public static void TraceExit(ExitSite* site)
    {
        bool handler = site->Kind == ExitKind.Handler;
        ulong ip = handler ? site->Region->CodeVa | (ulong)(site->Guest - site->Region->CodeSlots) / 3 << 4 : site->Target;
        FastXenEventSource.Log.Exit(Tracing.Domain, Tracing.Vcpu, ip, KindNames[(int)site->Kind], handler ? OpcodeNames[(int)site->Guest->Opcode] : "");
    }

    private static void Report(ref long before, long count, string reason, string opcode)
    {
        if (count != before)
            FastXenEventSource.Log.ExitCount(Tracing.Domain, Tracing.Vcpu, (ulong)(count - before), reason, opcode);
        before = count;
    }
}
