using System.Diagnostics;
using FastXen.Core.Emit;
using FastXen.Core.Interpret;
using FastXen.Core.State;
using FastXen.Events;

namespace FastXen.Core.Translate;

/// <summary>
/// The translated code of a domain: makes regions when their entries have become hot, finds them, links them, and forgets them. Whoever
/// makes a region holds <c>making</c>, which nobody waits for; tables change under the domain's gate.
/// </summary>
internal sealed unsafe class Translator : IDisposable
{
    private const int Counters = 1 << 14;

    // Most entries that are known, those without code among them.
    private const int MostKeys = 1 << 17;

    /// <summary>Numbers of FPSR's controls: bits 6:5 of a context. The last one stands for all values that have none of their own.</summary>
    public const int MostControls = 4;

    /// <summary>The number for values that have none: such code takes nothing for granted of FPSR (<see cref="NoControls"/>).</summary>
    public const uint OtherControls = MostControls - 1;

    /// <summary>A value of FPSR's controls for which everything that depends on them is its handler's: no exception is masked.</summary>
    public const ulong NoControls = 0;

    // So often values without a number come before all numbers are given anew.
    private const int Patience = 1 << 16;

    /// <summary>A context for which no doubles are kept in host registers: for entries at which that failed.</summary>
    public const uint PlainFloats = 1 << 8;

    /// <summary>Entries with a register that was no double, before a region without doubles in host registers is made.</summary>
    public const int FloatMissesTolerated = 8;

    private readonly DomainCode code;
    private readonly TranslatorOptions options;
    private readonly Lock making = new();
    private readonly RegionTable regions;
    private readonly Dictionary<ulong, HashSet<RegionKey>> pages = [];
    private readonly byte[] counters = new byte[Counters];
    private readonly List<ExitCounts> exits = [];

    // Of the one that makes regions.
    private readonly CodeArena arena;
    private readonly Assembler asm = new();
    private readonly RegionPlan plan = new();
    private readonly RegisterAssignment registers = new();
    private readonly Generator generator;
    private readonly ProfileCollector? profile;

    // Loops that are regions of their own, by page: first slots.
    private static readonly HashSet<int> NoLoops = [];
    private readonly Dictionary<ulong, HashSet<int>> ownLoops = [];
    private readonly ulong[] controls = new ulong[OtherControls];
    private int controlCount, otherControls;
    private long generation, translated, refused, guestSlots, hostBytes, flushes, drops, forgottenPages;

    public Translator(DomainCode code)
    {
        this.code = code;
        options = code.TranslatorOptions;
        arena = new CodeArena(options, code.Breaks);
        regions = new RegionTable(old => code.Epochs.Retire(RegionTable.Free, old));
        profile = options.Profile ? new ProfileCollector() : null;
        generator = new Generator(asm, arena, plan, registers) { Profile = options.Profile };
        if (options.Observer is { } observer)
            arena.Describe(observer);
    }

    /// <summary>Memory and common code.</summary>
    public CodeArena Arena => arena;

    /// <summary>True when exits are counted by site.</summary>
    public bool Profiles => options.Profile;

    /// <summary>Counts generations of code. Regions of different ones have nothing to do with one another.</summary>
    public long Generation => Volatile.Read(ref generation);

    /// <summary>Counters for one more vCPU.</summary>
    public ExitCounts NewExitCounts()
    {
        var made = new ExitCounts();
        lock (code.Gate)
            exits.Add(made);
        return made;
    }

    /// <summary>
    /// The number of FPSR's controls: few values of them are in use, and code is made for each; the others share code that works for any. Good if
    /// <see cref="CodeState.Stale"/>, looked at afterwards, is 0.
    /// </summary>
    public uint FpsrNumber(ulong fpsr)
    {
        int known = controls.AsSpan(0, Volatile.Read(ref controlCount)).IndexOf(fpsr);
        if (known >= 0)
            return (uint)known;
        lock (code.Gate)
        {
            known = controls.AsSpan(0, controlCount).IndexOf(fpsr);
            if (known >= 0)
                return (uint)known;
            if (controlCount == OtherControls)
            {
                if (++otherControls < Patience)
                    return OtherControls;
                // Others than the first ones are in use now. All vCPUs know that the numbers do not hold before there are others.
                otherControls = 0;
                Drop();
                code.Epochs.Begin();
                Volatile.Write(ref controlCount, 0);
            }

            controls[controlCount] = fpsr;
            Volatile.Write(ref controlCount, controlCount + 1);
            return (uint)controlCount - 1;
        }
    }

    /// <summary>A region, <see cref="RegionTable.NoCode"/>, or null. No lock.</summary>
    public RegionState* Find(in RegionKey key) => regions.Find(key);

    /// <summary>Counts an execution; true when the code at an address is to be translated. Counts of several vCPUs may get lost.</summary>
    public bool IsHot(ulong ip)
    {
        ref byte counter = ref Counter(ip);
        if (counter + 1 < options.Threshold)
        {
            counter++;
            return false;
        }

        return true;
    }

    private ref byte Counter(ulong ip) => ref counters[(ip >> 4 ^ ip >> 18 ^ ip << 12) & (Counters - 1)];

    /// <summary>
    /// Makes the region for a vCPU's state. Null where another vCPU makes one now, or what it was to be made from has been forgotten meanwhile: the guest
    /// does not wait, it is interpreted. Where a new generation of code begins, <see cref="CodeState.Stale"/> is set.
    /// </summary>
    public RegionState* TryMake(VcpuState* s, in RegionKey key, uint context, ulong fpsr)
    {
        if (!making.TryEnter())
            return null;
        try
        {
            long begun;
            lock (code.Gate)
            {
                // Nothing that the vCPU knows may be old: its page, its context, and that there is no such region.
                if (Volatile.Read(ref s->Translated.Stale) != 0)
                    return null;
                if (regions.Find(key) is var other && other != null)
                    return other;
                if ((arena.IsFull || regions.Count >= MostKeys) && !BeginGeneration())
                    return null;
                begun = drops;
            }

            long start = Tracing.Translation ? Stopwatch.GetTimestamp() : 0;
            CodeSource next = NextPage(s);
            RegionState* region = Emit(s, key, next, context, fpsr);
            lock (code.Gate)
            {
                if (begun != drops || !code.Holds(key.PhysicalPage, s->CodeSlots) || (next.Slots != null && !code.Holds(next.Physical, next.Slots)))
                {
                    if (region != RegionTable.NoCode)
                        arena.AbandonRegion();
                    return null;
                }

                Counter(key.Ip) = 0;
                Publish(key, region);
            }

            if (region != RegionTable.NoCode)
            {
                options.Observer?.OnRegion(new TranslatedRegion(region, plan));
                if (start != 0)
                    Vcpu.TraceRegion(region->Slots, region->HostBytes, region->Ip, start);
            }

            return region;
        }
        finally
        {
            making.Exit();
        }
    }

    private void Publish(in RegionKey key, RegionState* region)
    {
        if (region == RegionTable.NoCode)
        {
            refused++;
        }
        else
        {
            arena.Take(asm.Size);
            translated++;
            guestSlots += region->Slots;
            hostBytes += region->HostBytes;
        }

        regions.Add(key, region);
        if (!pages.TryGetValue(key.PhysicalPage, out HashSet<RegionKey>? list))
            pages.Add(key.PhysicalPage, list = []);
        list.Add(key);
        if (region == RegionTable.NoCode || region->SecondPa == RegionState.NoPage)
            return;
        if (!pages.TryGetValue(region->SecondPa, out list))
            pages.Add(region->SecondPa, list = []);
        list.Add(key);
    }

    // The page behind the vCPU's, where it knows its translation, and has executed it: regions may go on there.
    private CodeSource NextPage(VcpuState* s)
    {
        ulong va = s->CodeVa + CodePage.Size;
        if (va >> 61 != s->CodeVa >> 61)
            return default;
        Mmu.CodeEntry* entry = Mmu.CodeTlb.Find(s->Mmu, va);
        return entry == null || entry->PhysicalPage == s->CodePa ? default
            : Source(entry->PhysicalPage, code.Known(entry->PhysicalPage)) with { Pte = entry->Pte.Value };
    }

    private CodeSource Source(ulong physical, Decode.Instruction* slots) => new(physical, slots, code.MemoryBase + physical, OwnLoops(physical));

    private RegionState* Emit(VcpuState* s, in RegionKey key, in CodeSource next, uint context, ulong fpsr)
    {
        int entry = (int)(key.Ip >> 4 & 0xFF) * 3 + (int)(key.Ip & 3);
        var floats = PlanContext(context, fpsr);
        bool withFloats = (key.Context & PlainFloats) == 0;
        for (; ; )
        {
            // Loops that were found become those of the pages.
            CodeSource second = next.Slots == null ? default : Source(next.Physical, next.Slots);
            if (!plan.Make(Source(s->CodePa, s->CodeSlots), second, entry, s->Cfm, floats))
                return RegionTable.NoCode;
            registers.Make(plan, withFloats);
            int loop = withFloats ? registers.LoopWithOwnFloats(plan) : -1;
            if (loop < 0)
                break;
            bool isSecond = loop >= RegionPlan.PageSlots;
            if (!NewOwnLoops(isSecond ? next.Physical : key.PhysicalPage).Add(isSecond ? loop - RegionPlan.PageSlots : loop))
                break;
        }

        RegionState* region = arena.BeginRegion();
        *region = new RegionState
        {
            CodeVa = s->CodeVa,
            CodePa = s->CodePa,
            CodePte = s->CodePte,
            CodeSlots = s->CodeSlots,
            Context = context,
            Ip = key.Ip,
            Cfm = s->Cfm,
            Fpsr = fpsr,
            Slots = plan.SlotCount,
            SecondPa = plan.UsesSecond ? next.Physical : RegionState.NoPage,
        };
        asm.Begin(arena.NextWritable, arena.NextExecutable, options.RegionBytes);
        generator.Emit(region, floats);
        if (asm.Overflow || arena.Overflow)
        {
            arena.AbandonRegion();
            return RegionTable.NoCode;
        }

        region->HostBytes = asm.Size - (int)(region->Entry - arena.NextExecutable);
        if (generator.SecondPage != null)
        {
            *generator.SecondPage = *region;
            generator.SecondPage->CodeVa += CodePage.Size;
            generator.SecondPage->CodePa = next.Physical;
            generator.SecondPage->CodePte = next.Pte;
            generator.SecondPage->CodeSlots = next.Slots;
        }

        return region;
    }

    /// <summary>Lets a site's jump lead to the code for its target, which the vCPU found after it had been there, unless something was forgotten since.</summary>
    public void Link(VcpuState* s, ExitSite* site, byte* target)
    {
        lock (code.Gate)
        {
            if (Volatile.Read(ref s->Translated.Stale) != 0 || site->Link == null)
                return;
            arena.SetLink(site->Link, target);
            site->Link = null;
        }
    }

    /// <summary>
    /// Two forms of one address: the older one leads to the newer from now on (never back: that could become a circle). Regions of a generation have
    /// ascending addresses.
    /// </summary>
    /// <param name="s">The vCPU that found both.</param>
    /// <param name="from">The one that was left because of the frame, or of a register that was no double.</param>
    /// <param name="to">The one to go to.</param>
    /// <param name="plain">The other one keeps no doubles in host registers.</param>
    public void LinkForms(VcpuState* s, RegionState* from, RegionState* to, bool plain)
    {
        bool floats = plain && from->OtherFloats != null && from->FloatMisses > FloatMissesTolerated;
        if (from >= to || (from->OtherFrame == null && !floats))
            return;
        lock (code.Gate)
        {
            if (Volatile.Read(ref s->Translated.Stale) != 0)
                return;
            if (floats)
                Lead(ref from->OtherFloats, to);
            Lead(ref from->OtherFrame, to);
        }
    }

    private void Lead(ref int* link, RegionState* to)
    {
        if (link != null)
            arena.SetLink(link, to->Entry);
        link = null;
    }

    /// <summary>Guest code of a physical page changed: all regions of the page go. Only they lead to one another directly. An epoch is to begin.</summary>
    public void Forget(ulong physicalPage)
    {
        ownLoops.Remove(physicalPage);
        if (!pages.Remove(physicalPage, out HashSet<RegionKey>? list))
            return;
        foreach (RegionKey key in list)
            regions.Remove(key);
        forgottenPages++;
        if (Tracing.Translation)
            FastXenEventSource.Log.RegionsForgotten(Tracing.Domain, Tracing.Vcpu, physicalPage);
    }

    /// <summary>Forgets all translations. An epoch is to begin.</summary>
    public void Drop()
    {
        drops++;
        ForgetAll();
    }

    private void ForgetAll()
    {
        if (Tracing.Translation)
            FastXenEventSource.Log.RegionsForgotten(Tracing.Domain, Tracing.Vcpu, ulong.MaxValue);
        regions.Clear();
        ownLoops.Clear();
        pages.Clear();
    }

    // The other part of the code memory takes its turn; false where some vCPU may still run code in it. The caller makes regions.
    private bool BeginGeneration()
    {
        code.Epochs.Reclaim();
        if (!arena.CanTurn)
            return false;
        flushes++;
        profile?.Collect(arena);
        ForgetAll();
        code.Epochs.Retire(arena.GiveBack, arena.Turn());
        // Who sees the new number finds no region of the old generation any more.
        Volatile.Write(ref generation, generation + 1);
        code.Epochs.Begin();
        return true;
    }

    /// <summary>A vCPU has seen an epoch, perhaps the last one to do so: memory that waited for that is given back at once, not with the next epoch.</summary>
    public void Reclaim()
    {
        lock (code.Gate)
            code.Epochs.Reclaim();
    }

    /// <summary>What has been done so far, for all vCPUs.</summary>
    public TranslatorStatistics Statistics
    {
        get
        {
            lock (code.Gate)
            {
                long[] handlers = new long[ExitCounts.Opcodes], kinds = new long[ExitCounts.Kinds];
                foreach (ExitCounts counts in exits)
                    counts.AddTo(handlers, kinds);
                return new TranslatorStatistics(
                    translated, refused, guestSlots, hostBytes, flushes, drops, forgottenPages, arena.Links, Named<Decode.Opcode>(handlers), Named<ExitKind>(kinds));
            }
        }
    }

    /// <summary>The regions in which most slots ran; none where profiling is off. Not while a vCPU runs.</summary>
    public IReadOnlyList<RegionProfile> Profile(int count)
    {
        lock (making)
        {
            profile?.Collect(arena);
            return profile?.Hottest(count, Describe) ?? [];
        }
    }

    /// <summary>Shows the regions that hold a bundle. Not while a vCPU runs.</summary>
    public void Visit(ulong address, Action<TranslatedRegion> visitor)
    {
        lock (making)
        {
            foreach (nint known in regions.Regions().ToArray())
            {
                var region = (RegionState*)known;
                if (address - region->CodeVa >= 2 * CodePage.Size || !Plan(*region))
                    continue;
                var shown = new TranslatedRegion(region, plan);
                if (shown.Contains(address))
                    visitor(shown);
            }
        }
    }

    private FloatContext PlanContext(uint context, ulong fpsr) => new(arena.Breaks == null ? context : context | TranslationContext.Hypervised, fpsr);

    private IReadOnlyList<string> Describe(RegionState region) =>
        Plan(region) ? [.. new TranslatedRegion(&region, plan).DescribeGuest()] : [];

    private HashSet<int> OwnLoops(ulong physicalPage)
    {
        lock (code.Gate)
            return ownLoops.TryGetValue(physicalPage, out HashSet<int>? loops) ? loops : NoLoops;
    }

    private HashSet<int> NewOwnLoops(ulong physicalPage)
    {
        lock (code.Gate)
        {
            if (!ownLoops.TryGetValue(physicalPage, out HashSet<int>? loops))
                ownLoops.Add(physicalPage, loops = []);
            return loops;
        }
    }

    // The plan of a region is not kept: it is made again from the page as it is now.
    private bool Plan(in RegionState region) =>
        plan.Make(
            Source(region.CodePa, code.Page(region.CodePa)), region.SecondPa == RegionState.NoPage ? default : Source(region.SecondPa, code.Page(region.SecondPa)),
            (int)(region.Ip >> 4 & 0xFF) * 3 + (int)(region.Ip & 3), region.Cfm, PlanContext(region.Context, region.Fpsr));

    private static Dictionary<string, long> Named<T>(long[] counts) where T : struct, Enum =>
        Enum.GetValues<T>().Where(value => counts[Convert.ToInt32(value, null)] != 0).ToDictionary(value => value.ToString(), value => counts[Convert.ToInt32(value, null)]);

    /// <summary>Frees all code; no vCPU runs any more.</summary>
    public void Dispose()
    {
        arena.Dispose();
        regions.Dispose();
    }
}
