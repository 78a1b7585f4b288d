using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FastXen.Core.Decode;
using FastXen.Core.Sharing;
using FastXen.Core.State;

namespace FastXen.Core.Interpret;

/// <summary>
/// The reference engine: runs decoded slots one after the other through a table of handlers. A run goes straight from slot to
/// slot until a handler redirects; what retired is counted from the distance. Timers, interrupts and requests are looked at
/// between runs (every taken branch, interruption and page end), never inside of one.
/// </summary>
public static unsafe class Interpreter
{
    private static readonly delegate*<VcpuState*, Instruction*, int>* Handlers = MakeHandlers();

    private static delegate*<VcpuState*, Instruction*, int>* MakeHandlers()
    {
        int count = Enum.GetValues<Opcode>().Length;
        var table = (delegate*<VcpuState*, Instruction*, int>*)NativeMemory.AllocZeroed((nuint)count, (nuint)sizeof(nint));
        SystemInstructions.Bind(table);
        ApplicationRegisters.Bind(table);
        ControlRegisters.Bind(table);
        RegisterFiles.Bind(table);
        TranslationInstructions.Bind(table);
        Branches.Bind(table);
        Loads.Bind(table);
        Stores.Bind(table);
        Semaphores.Bind(table);
        FloatingMemory.Bind(table);
        SpeculationChecks.Bind(table);
        CacheInstructions.Bind(table);
        IntegerHandlers.Bind(table);
        FloatingHandlers.Bind(table);
        IEnumerable<Opcode> missing = Enum.GetValues<Opcode>().Where(opcode => !IsBound(table, opcode));
        if (missing.Any())
            throw new InvalidOperationException($"no handler for {string.Join(", ", missing)}");
        return table;
    }

    private static bool IsBound(delegate*<VcpuState*, Instruction*, int>* table, Opcode opcode) => table[(int)opcode] != null;

    /// <summary>The handler of an operation.</summary>
    public static delegate*<VcpuState*, Instruction*, int> HandlerOf(Opcode opcode) => Handlers[(int)opcode];

    /// <summary>Runs until the vCPU is stopped (<see cref="Vcpu.StopReason"/>) or has reached its limit.</summary>
    public static void Run(VcpuState* s)
    {
        Vcpu vcpu = Vcpu.Of(s);
        while (s->Retired < Volatile.Read(ref s->Deadline) || vcpu.Attend())
        {
            if (s->Translated.Stale != 0)
                CodeEpochs.CatchUp(s);
            Stretch(s);
        }
    }

    /// <summary>Runs from ip and slot to the next look-point: a taken branch, the page's end, an interruption, a change of PSR or translations.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Stretch(VcpuState* s)
    {
        if ((s->Ip & ~0xFFFUL) != s->FetchVa && !CodeFetch.Fetch(s))
            return;
        if (s->Careful != 0)
        {
            CarefulStep.Run(s);
            return;
        }

        Instruction* i = s->CodeSlots + ((uint)s->Ip >> 4 & 0xFF) * 3 + s->Slot;
        s->RunStart = i;
        // PSR.ic is the same for all instructions of a run: what changes it ends the run.
        ulong psr = s->PsrValue;
        int step;
        for (; ; i++)
        {
            delegate*<VcpuState*, Instruction*, int> handler = CodePage.HandlerOf(i);
            if ((s->Pr >> i->Qp & 1) != 0)
            {
                step = handler(s, i);
                if (step != Step.Next)
                    break;
            }
        }

        s->Retired += (nuint)((byte*)i - (byte*)s->RunStart) / (uint)sizeof(Instruction) + 1;
        if (step == Step.Resync)
        {
            if ((psr & Psr.Ic) != 0)
                s->LastIp = CodePosition.Bundle(s, i);
            CodePosition.Advance(s, i);
        }
    }

    /// <summary>Runs the rest of the current bundle, one instruction at a time, or until it redirects. For bare runs that stop at an address or count bundles.</summary>
    public static void StepBundle(VcpuState* s)
    {
        if (s->Retired >= Volatile.Read(ref s->Deadline) && !Vcpu.Of(s).Attend())
            return;
        CodeEpochs.Enter(s);
        ulong bundle = s->Ip & ~0xFUL;
        int slot;
        do
        {
            slot = s->Slot;
            if (s->Translated.Stale != 0)
                CodeEpochs.CatchUp(s);
            if ((s->Ip & ~0xFFFUL) != s->FetchVa && !CodeFetch.Fetch(s))
                break;
            CarefulStep.Run(s);
        }
        while (s->Ip == bundle && s->Slot > slot);
        CodeEpochs.Leave(s);
    }
}
