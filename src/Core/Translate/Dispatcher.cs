using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using FastXen.Core.Decode;
using FastXen.Core.Interpret;
using FastXen.Core.Sharing;
using FastXen.Core.State;
using FastXen.Events;

namespace FastXen.Core.Translate;

/// <summary>
/// The translator's run loop. Translated code never calls managed code: it returns here with the number of an <see cref="ExitSite"/>, and
/// is entered again behind it. Timers, interrupts and requests are looked at where the interpreter looks at them.
/// </summary>
internal sealed unsafe class Dispatcher : IDisposable
{
    // Other threads ask for attention by Deadline, which running code does not see: it comes back after as many slots at the latest.
    private const ulong LongestBudget = 20_000;

    // PSR bits under which only the interpreter runs.
    private const ulong InterpretedPsr = Psr.Tb;

    // Code that is given up again and again by others: so often it is looked for anew before the interpreter takes over.
    private const int MostLooks = 4;

    private readonly Vcpu vcpu;
    // Read once in each method: the compiler does not know that it is not null, and asks each time.
    private readonly VcpuState* s;
    private readonly Translator translator;
    private readonly CodeArena arena;
    private readonly CodeLookup lookup;
    private readonly ExitCounts counts;
    private readonly bool profiles;
    private ulong seenEpoch;

    // A jump that may lead to the code of the next bundle directly.
    private ExitSite* waiting;
    private RegionState* otherFrame;

    // What the pages of base registers were taken from.
    private ulong* pagesTables;
    private uint pagesVersion;

    public Dispatcher(Vcpu vcpu, Translator translator)
    {
        this.vcpu = vcpu;
        this.translator = translator;
        s = vcpu.State;
        arena = translator.Arena;
        lookup = new CodeLookup(vcpu, translator);
        counts = translator.NewExitCounts();
        profiles = translator.Profiles;
        seenEpoch = s->Translated.SeenEpoch;
    }

    /// <summary>How often the vCPU left translated code.</summary>
    public ExitCounts Counts => counts;

    /// <summary>Runs until the vCPU is stopped or has reached its limit.</summary>
    public void Run()
    {
        waiting = null;
        otherFrame = null;
        while (s->Retired < Volatile.Read(ref s->Deadline) || vcpu.Attend())
            Advance();
        TaggedFloats.UntagAll(s);
    }

    // What was given up since the vCPU last looked is used no more. No pointer to code is held here but those that are dropped.
    private void Look()
    {
        if (s->Translated.Stale != 0)
            CodeEpochs.CatchUp(s);
        if (seenEpoch == s->Translated.SeenEpoch)
            return;
        seenEpoch = s->Translated.SeenEpoch;
        waiting = null;
        otherFrame = null;
        lookup.Drop();
        translator.Reclaim();
    }

    // To the next look-point.
    private void Advance()
    {
        VcpuState* s = this.s;
        for (int looks = 0; ;)
        {
            Look();
            if (s->Careful != 0 || (s->PsrValue & InterpretedPsr) != 0 || looks == MostLooks)
            {
                Interpret();
                return;
            }

            lookup.FollowContext();
            byte* code = lookup.Find(otherFrame, out bool faulted);
            if (Volatile.Read(ref s->Translated.Stale) != 0 && !faulted)
            {
                looks++;
                continue;
            }

            otherFrame = null;
            if (code == null)
            {
                waiting = null;
                if (!faulted)
                    Interpret();
                return;
            }

            if (waiting != null)
                Link(code);
            if (Execute(code))
                return;
        }
    }

    private void Interpret()
    {
        if (s->Translated.FloatsTagged != 0)
            TaggedFloats.UntagAll(s);
        Interpreter.Stretch(s);
    }

    private void Link(byte* code)
    {
        ExitSite* site = waiting;
        waiting = null;
        if (site->Target == (s->Ip | (uint)s->Slot) && site->Context == lookup.Context)
            translator.Link(s, site, code);
    }

    private void WaitFor(ExitSite* site) => waiting = site->Link != null ? site : null;

    // Runs translated code. True at a look-point, false where the run goes on at the state's ip and slot.
    private bool Execute(byte* code)
    {
        VcpuState* s = this.s;
        Unpack(s);
        for (; ; )
        {
            FastEntryTables();
            ulong end = Math.Min(Volatile.Read(ref s->Deadline), s->Retired + LongestBudget);
            s->Translated.BudgetEnd = end;
            s->Translated.Budget = (long)(end - s->Retired);
            s->FetchVa = CodePage.NoAddress;
            ExitSite* site = arena.Site((int)arena.Enter(s, code));
            s->Retired = s->Translated.BudgetEnd - (ulong)s->Translated.Budget;
            if (profiles)
                site->Count++;
            if (Tracing.EachExit)
                ExitCounts.TraceExit(site);
            if (site->Kind == ExitKind.Handler)
            {
                int step = Handle(site, out bool resumes);
                if (!resumes)
                    return step != Step.Next;
                code = site->Region->Reload;
                continue;
            }

            counts.Others[(int)site->Kind]++;
            switch (site->Kind)
            {
                case ExitKind.Look:
                    Pack(s);
                    Place(site);
                    WaitFor(site);
                    lookup.Crosses = site->Crosses;
                    return true;
                case ExitKind.LookThere:
                    Pack(s);
                    s->Slot = 0;
                    return true;
                case ExitKind.LookAnywhere:
                    Pack(s);
                    return true;
                case ExitKind.OtherFloats:
                    if (TaggedFloats.Tag(s, site->Region->Doubles))
                    {
                        code = site->Region->Entry;
                        continue;
                    }

                    Pack(s);
                    GoTo(site->Target);
                    if (++site->Region->FloatMisses > Translator.FloatMissesTolerated)
                    {
                        lookup.ForgetJump(site->Region->Ip);
                        otherFrame = site->Region;
                        return false;
                    }

                    Interpret();
                    return true;
                case ExitKind.Continue:
                    Pack(s);
                    Place(site);
                    WaitFor(site);
                    return false;
                default:
                    Pack(s);
                    GoTo(site->Target);
                    otherFrame = site->Region;
                    return false;
            }
        }
    }

    // To a bundle whose address has the slot in its low bits.
    private void GoTo(ulong target)
    {
        s->Ip = target & ~0xFUL;
        s->Slot = (int)target & 3;
    }

    private void Place(ExitSite* site)
    {
        GoTo(site->Target);
        if ((s->PsrValue & Psr.Ic) != 0 && site->LastIp != ExitSite.KeepLastIp)
            s->LastIp = site->LastIp;
    }

    // Lets the interpreter's handler do one instruction. resumes: the translated code goes on behind it.
    private int Handle(ExitSite* site, out bool resumes)
    {
        VcpuState* s = this.s;
        RegionState* region = site->Region;
        Instruction* i = site->Guest;
        s->CodeVa = s->FetchVa = region->CodeVa;
        s->CodePa = region->CodePa;
        s->CodePte = region->CodePte;
        s->CodeEd = (uint)(region->CodePte >> 52) & 1;
        s->CodeSlots = region->CodeSlots;
        s->RunStart = site->RunStart;
        if (site->LastIp != ExitSite.KeepLastIp && (region->Context & TranslationContext.Ic) != 0)
            s->LastIp = site->LastIp;
        if (site->UsesPredicates)
            Pack(s);
        if (s->Translated.FloatsTagged != 0)
            TaggedFloats.Untag(s, i);
        counts.Handlers[(int)i->Opcode]++;
        ulong cfm = s->Cfm;
        int step = i->Handler(s, i);
        // Registers that were renamed are no longer those that their divisions' next run will write.
        if (!SameFloatNames(cfm, s->Cfm) && s->Translated.RotatingStepsTagged != 0)
            TaggedFloats.UntagAll(s);
        if (step == Step.Next && Volatile.Read(ref s->Translated.Stale) == 0 && s->FetchVa == region->CodeVa && s->Careful == 0
            && lookup.IsContext && (s->PsrValue & InterpretedPsr) == 0
            && (((cfm ^ s->Cfm) & 0x3_FFFF) == 0 || i->Opcode == Opcode.Alloc))
        {
            // The region finds its doubles as it left them.
            if ((region->Mapped[0] | region->Mapped[1]) != 0 && !(SameFloatNames(cfm, s->Cfm) ? TaggedFloats.TagNamed(s, i, region->Mapped) : TaggedFloats.Tag(s, region->Mapped)))
                return Leave(site, step, out resumes);
            if (site->UsesPredicates)
                Unpack(s);
            s->Translated.Resume = site->Resume;
            resumes = true;
            return step;
        }

        return Leave(site, step, out resumes);
    }

    // False when rrb.fr differs: every name means another register.
    private static bool SameFloatNames(ulong before, ulong after) => ((before ^ after) >> 25 & 0x7F) == 0;

    // The run goes on outside of translated code, or at a look-point.
    private int Leave(ExitSite* site, int step, out bool resumes)
    {
        VcpuState* s = this.s;
        RegionState* region = site->Region;
        Instruction* i = site->Guest;
        resumes = false;
        if (!site->UsesPredicates)
            Pack(s);
        s->Retired += (nuint)((byte*)i - (byte*)s->RunStart) / (uint)sizeof(Instruction) + 1;
        if (step is Step.Next or Step.Resync)
        {
            if ((region->Context & TranslationContext.Ic) != 0)
                s->LastIp = CodePosition.Bundle(s, i);
            CodePosition.Advance(s, i);
        }
        else if (i->Opcode == Opcode.BrRet)
        {
            FollowReturn();
        }

        return step;
    }

    // A return that was not predicted: what it passed over in the ring will not return.
    private void FollowReturn()
    {
        var ring = (ShadowEntry*)s->Translated.Shadow;
        uint top = s->Translated.ShadowTop / (uint)sizeof(ShadowEntry);
        for (uint k = 0; k < CodeState.ShadowEntries; k++)
        {
            uint entry = (top - k) % CodeState.ShadowEntries;
            if (ring[entry].Ip != s->Ip)
                continue;
            s->Translated.ShadowTop = (entry - 1) % CodeState.ShadowEntries * (uint)sizeof(ShadowEntry);
            return;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void FastEntryTables()
    {
        VcpuState* s = this.s;
        var from = (ulong*)s->Mmu->Data;
        if (from != pagesTables || s->Mmu->DataVersion != pagesVersion)
        {
            pagesTables = from;
            pagesVersion = s->Mmu->DataVersion;
            new Span<ulong>(s->Translated.Pages, CodeState.PageEntries * 4).Fill(Mmu.FastEntry.Invalid);
        }

        Vector256.Store(Vector256.Load(from), s->Translated.Tables);
        Vector256.Store(Vector256.Load(from + 4), s->Translated.Tables + 4);
    }

    // The predicate file as bytes.
    private static void Unpack(VcpuState* s)
    {
        Vector256<byte> bits = Vector256.Create(0x8040_2010_0804_0201UL).AsByte();
        for (int half = 0; half < 2; half++)
        {
            Vector256<byte> spread = Vector256.Shuffle(
                Vector256.Create((uint)(s->Pr >> (32 * half))).AsByte(),
                Vector256.Create((byte)0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3));
            Vector256.Store(Vector256.Equals(spread & bits, bits) & Vector256<byte>.One, s->Translated.Predicates + 32 * half);
        }
    }

    // Bytes as the predicate file.
    private static void Pack(VcpuState* s)
    {
        uint low = Vector256.Equals(Vector256.Load(s->Translated.Predicates), Vector256<byte>.One).ExtractMostSignificantBits();
        uint high = Vector256.Equals(Vector256.Load(s->Translated.Predicates + 32), Vector256<byte>.One).ExtractMostSignificantBits();
        s->Pr = (ulong)high << 32 | low | 1;
    }

    /// <inheritdoc/>
    public void Dispose() => lookup.Dispose();
}
