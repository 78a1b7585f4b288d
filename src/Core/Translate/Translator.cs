using System.Diagnostics;
using System.Runtime.InteropServices;
using FastXen.Core.Emit;
using FastXen.Core.Interpret;
using FastXen.Core.State;
using FastXen.Events;

namespace FastXen.Core.Translate;

/// <summary>The translated code of a vCPU: makes regions when their entries have become hot, finds them, and forgets them.</summary>
internal sealed unsafe partial class Translator : IDisposable
{
    /// <summary>What a region is made for. Frame: sof, sol, sor of CFM; bit 31 where rotation bases are not 0.</summary>
    private readonly record struct RegionKey(ulong Ip, ulong PhysicalPage, uint Context, uint Frame);

    private const int Counters = 1 << 14;

    // Most entries that are known, those without code among them.
    private const int MostKeys = 1 << 17;
    private const int MostControls = 4;
    private readonly VcpuState* s;
    private readonly Vcpu vcpu;
    private readonly CodeArena arena;
    private readonly Assembler asm = new();
    private readonly RegionPlan plan = new();
    private readonly RegisterAssignment registers = new();
    private readonly Generator generator;
    private readonly Dictionary<RegionKey, nint> regions = [];
    private readonly Dictionary<ulong, List<RegionKey>> pages = [];
    private readonly byte[] counters = new byte[Counters];
    // A context for which no doubles are kept in host registers: by address, where that failed.
    private const uint PlainFloats = 1 << 8;
    private const int FloatMissesTolerated = 8;
    private readonly HashSet<ulong> plainFloats = [];

    // Loops that are regions of their own, by page: first slots.
    private static readonly HashSet<int> NoLoops = [];
    private readonly Dictionary<ulong, HashSet<int>> ownLoops = [];
    private readonly TranslatorOptions options;
    private readonly ProfileCollector? profile;
    private readonly List<ulong> controls = [];
    private long refused, guestSlots, hostBytes, flushes, drops, forgottenPages;
    private ulong contextFpsr;
    private uint mappingVersion;
    private readonly JumpEntry* jumps = (JumpEntry*)NativeMemory.AlignedAlloc((nuint)(JumpEntry.Tables * JumpEntry.TableBytes), 2 * JumpEntry.TableBytes);
    private readonly bool[] jumpsUsed = new bool[JumpEntry.Tables];

    /// <summary>Regions translated since the start.</summary>
    public long Translated { get; private set; }

    /// <summary>Instructions that translated code left to their handlers, by opcode.</summary>
    public long[] HandlerCalls { get; } = new long[Enum.GetValues<Decode.Opcode>().Length];

    /// <summary>Returns from translated code by <see cref="ExitKind"/>.</summary>
    public long[] Exits { get; } = new long[Enum.GetValues<ExitKind>().Length];

    /// <summary>Counts each time that code became invalid.</summary>
    public uint Version { get; private set; }

    /// <summary>The context of the state's PSR, as of the last <see cref="FollowContext"/>.</summary>
    public uint Context => (uint)s->Translated.Context;

    /// <summary>Memory and common code.</summary>
    public CodeArena Arena => arena;

    public Translator(Vcpu vcpu)
    {
        this.vcpu = vcpu;
        options = vcpu.TranslatorOptions;
        s = vcpu.State;
        arena = new CodeArena(options);
        profile = options.Profile ? new ProfileCollector() : null;
        generator = new Generator(asm, arena, plan, registers) { Profile = options.Profile };
        s->Translated.ContextPsr = ulong.MaxValue;
        jumpsUsed.AsSpan().Fill(true);
        s->Translated.HighestFrame = s->StackBuffer + (VcpuAllocation.StackRegisters - 256 - 32 - Rse.PhysicalRegisters);
        s->Translated.One = 1;
        s->Translated.DivisionSites = arena.DivisionSites;
        s->Translated.MinusZero = -0.0;
        s->Translated.HostControl = 0x1F80;
        s->Translated.LowestFrame = s->StackBuffer + (256 - 32);
        vcpu.Code.Forgotten += Forget;
        vcpu.Code.Dropped += Clear;
        ForgetPlaces();
        if (options.Observer is { } observer)
            arena.Describe(observer);
    }

    /// <summary>Follows changes of the PSR and of code mappings: afterwards <see cref="CodeState.Spaces"/> and <see cref="Context"/> are those of now.</summary>
    public void FollowContext()
    {
        ulong psr = s->PsrValue & TranslationContext.PsrBits, fpsr = s->Ar[Ar.Fpsr] & TranslationContext.FpsrControls;
        bool nats = s->NatPresent != 0;
        if (psr == s->Translated.ContextPsr && fpsr == contextFpsr && s->Mmu->CodeVersion == mappingVersion && nats == ((Context & TranslationContext.Nat) != 0))
            return;
        s->Translated.ContextPsr = psr;
        contextFpsr = fpsr;
        mappingVersion = s->Mmu->CodeVersion;
        uint context = TranslationContext.Of(psr, nats) | FpsrNumber(fpsr) << TranslationContext.FpsrShift;
        s->Translated.Context = context;
        uint table = JumpEntry.TableOf(context);
        // Code that changes PSR.ic by itself goes to the neighbour.
        jumpsUsed[table] = jumpsUsed[table ^ 1] = true;
        s->Translated.Jumps = jumps + table * JumpEntry.Count;
        for (int region = 0; region < 8; region++)
            s->Translated.Spaces[region] = Mmu.CodeTlb.SpaceOf(s->Mmu, region) | (ulong)context << 32 | Mmu.CodeTlb.PurgesOf(s->Mmu, region) << 40;
    }

    // Few values of the controls are in use; code is made for each of them.
    private uint FpsrNumber(ulong fpsr)
    {
        int known = controls.IndexOf(fpsr);
        if (known >= 0)
            return (uint)known;
        if (controls.Count == MostControls)
        {
            controls.Clear();
            Clear();
        }

        controls.Add(fpsr);
        return (uint)controls.Count - 1;
    }

    /// <summary>True while the state's PSR, FPSR and presence of NaTs are those of <see cref="Context"/>.</summary>
    public bool IsContext => (s->NatPresent != 0) == ((Context & TranslationContext.Nat) != 0) && (s->PsrValue & TranslationContext.PsrBits) == s->Translated.ContextPsr && (s->Ar[Ar.Fpsr] & TranslationContext.FpsrControls) == contextFpsr;

    /// <summary>
    /// Translated code for the state's ip and slot, or null: then it is to be interpreted, or the fetch has raised an interruption
    /// (<paramref name="faulted"/>). <paramref name="otherFrame"/>: the region that was left because of its frame, or null.
    /// </summary>
    public byte* Find(RegionState* otherFrame, out bool faulted)
    {
        faulted = false;
        ulong ip = s->Ip | (uint)s->Slot;
        JumpEntry* jump = s->Translated.Jumps + (s->Ip >> 4 & (JumpEntry.Count - 1));
        ulong space = s->Translated.Spaces[ip >> 61];
        if (jump->Ip == ip && jump->Space == space && otherFrame == null)
            return jump->Code;
        if ((s->Ip & ~0xFFFUL) != s->FetchVa && !CodeFetch.Fetch(s))
        {
            faulted = true;
            return null;
        }

        uint frame = (uint)s->Cfm & 0x3_FFFF | (s->Cfm >> 18 != 0 ? 1u << 31 : 0);
        uint plain = plainFloats.Count != 0 && plainFloats.Contains(ip) ? PlainFloats : 0;
        var key = new RegionKey(ip, s->CodePa, Context | plain, frame);
        if (!regions.TryGetValue(key, out nint known))
        {
            ref byte counter = ref counters[(ip >> 4 ^ ip >> 18 ^ ip << 12) & (Counters - 1)];
            if (++counter < options.Threshold)
                return null;
            counter = 0;
            known = (nint)Make(key);
        }

        // An entry for which no code can be made: the interpreter's, until its page changes.
        if (known == 0)
            return null;
        var region = (RegionState*)known;
        if (otherFrame < region && otherFrame != null && plain != 0 && otherFrame->OtherFloats != null && otherFrame->FloatMisses > FloatMissesTolerated)
        {
            arena.SetLink(otherFrame->OtherFloats, region->Entry);
            otherFrame->OtherFloats = null;
        }

        // Two forms of one address: the older one leads to the newer from now on (never back: that could become a circle). Regions of
        // a generation have ascending addresses; after a flush the new region's is the lowest, and the other one is gone.
        if (otherFrame < region && otherFrame != null && otherFrame->OtherFrame != null)
        {
            arena.SetLink(otherFrame->OtherFrame, region->Entry);
            otherFrame->OtherFrame = null;
        }

        *jump = new JumpEntry { Ip = ip, Space = space, Code = region->Entry };
        return region->Entry;
    }

    /// <summary>A region was entered with a register that is no double: true once it is to be made without doubles in host registers.</summary>
    public bool GiveUpFloats(RegionState* region)
    {
        if (++region->FloatMisses <= FloatMissesTolerated)
            return false;
        plainFloats.Add(region->Ip);
        JumpEntry* jump = s->Translated.Jumps + (region->Ip >> 4 & (JumpEntry.Count - 1));
        jump->Ip = ulong.MaxValue;
        return true;
    }

    private RegionState* Make(in RegionKey key)
    {
        if (arena.IsFull || regions.Count >= MostKeys)
        {
            flushes++;
            Forget();
        }

        long begin = Tracing.Translation ? Stopwatch.GetTimestamp() : 0;
        RegionState* region = Emit(key);
        if (region == null)
            refused++;
        else if (begin != 0)
            Vcpu.TraceRegion(region->Slots, region->HostBytes, region->Ip, begin);
        regions.Add(key, (nint)region);
        if (!pages.TryGetValue(key.PhysicalPage, out List<RegionKey>? list))
            pages.Add(key.PhysicalPage, list = []);
        list.Add(key);
        return region;
    }

    private RegionState* Emit(in RegionKey key)
    {
        int entry = (int)(key.Ip >> 4 & 0xFF) * 3 + (int)(key.Ip & 3);
        var floats = new FloatContext(Context, contextFpsr);
        bool withFloats = (key.Context & PlainFloats) == 0;
        for (; ; )
        {
            if (!plan.Make(s->CodeSlots, s->MemoryBase + s->CodePa, entry, s->Cfm, floats, OwnLoops(s->CodePa)))
                return null;
            registers.Make(plan, withFloats);
            int loop = withFloats ? registers.LoopWithOwnFloats(plan) : -1;
            if (loop < 0)
                break;
            if (!ownLoops.TryGetValue(s->CodePa, out HashSet<int>? loops))
                ownLoops.Add(s->CodePa, loops = []);
            if (!loops.Add(loop))
                break;
        }

        RegionState* region = arena.BeginRegion();
        *region = new RegionState
        {
            CodeVa = s->CodeVa,
            CodePa = s->CodePa,
            CodePte = s->CodePte,
            CodeSlots = s->CodeSlots,
            Context = Context,
            Ip = key.Ip,
            Cfm = s->Cfm,
            Fpsr = contextFpsr,
            Slots = plan.SlotCount,
        };
        asm.Begin(arena.NextWritable, arena.NextExecutable, options.RegionBytes);
        generator.Emit(region, floats);
        if (asm.Overflow || arena.Overflow)
        {
            arena.AbandonRegion();
            return null;
        }

        region->HostBytes = asm.Size - (int)(region->Entry - arena.NextExecutable);
        arena.Take(asm.Size);
        Translated++;
        guestSlots += region->Slots;
        hostBytes += region->HostBytes;
        options.Observer?.OnRegion(new TranslatedRegion(region, plan, s->MemoryBase + s->CodePa));
        return region;
    }

    // Guest code of a physical page changed: all regions of the page go. Only they lead to one another directly.
    private void Forget(ulong physicalPage)
    {
        ownLoops.Remove(physicalPage);
        if (!pages.Remove(physicalPage, out List<RegionKey>? list))
            return;
        foreach (RegionKey key in list)
            regions.Remove(key);
        forgottenPages++;
        if (Tracing.Translation)
            FastXenEventSource.Log.RegionsForgotten(Tracing.Domain, Tracing.Vcpu, physicalPage);
        ForgetPlaces();
    }

    /// <summary>Forgets all translations.</summary>
    public void Clear()
    {
        drops++;
        Forget();
    }

    private void Forget()
    {
        profile?.Collect(arena);
        if (Tracing.Translation)
            FastXenEventSource.Log.RegionsForgotten(Tracing.Domain, Tracing.Vcpu, ulong.MaxValue);
        // Registers may be steps of divisions whose sites go.
        TaggedFloats.UntagAll(s);
        regions.Clear();
        plainFloats.Clear();
        ownLoops.Clear();
        pages.Clear();
        arena.Reset();
        ForgetPlaces();
    }

    /// <summary>What has been done so far.</summary>
    public TranslatorStatistics Statistics => new(
        Translated, refused, guestSlots, hostBytes, flushes, drops, forgottenPages, arena.Links,
        Named<Decode.Opcode>(HandlerCalls), Named<ExitKind>(Exits));

    /// <summary>The regions in which most slots ran; none where profiling is off.</summary>
    public IReadOnlyList<RegionProfile> Profile(int count)
    {
        profile?.Collect(arena);
        return profile?.Hottest(count, Describe) ?? [];
    }

    /// <summary>Shows the regions that hold a bundle.</summary>
    public void Visit(ulong address, Action<TranslatedRegion> visitor)
    {
        foreach (nint known in regions.Values.ToArray())
        {
            var region = (RegionState*)known;
            if (region == null || region->CodeVa != (address & ~0xFFFUL) || !Plan(*region))
                continue;
            var translated = new TranslatedRegion(region, plan, s->MemoryBase + region->CodePa);
            if (translated.Contains(address))
                visitor(translated);
        }
    }

    private IReadOnlyList<string> Describe(RegionState region) =>
        Plan(region) ? [.. new TranslatedRegion(&region, plan, s->MemoryBase + region.CodePa).DescribeGuest()] : [];

    private HashSet<int> OwnLoops(ulong physicalPage) => ownLoops.TryGetValue(physicalPage, out HashSet<int>? loops) ? loops : NoLoops;

    // The plan of a region is not kept: it is made again from the page as it is now.
    private bool Plan(in RegionState region) =>
        plan.Make(
            vcpu.Code.Page(region.CodePa), s->MemoryBase + region.CodePa, (int)(region.Ip >> 4 & 0xFF) * 3 + (int)(region.Ip & 3), region.Cfm,
            new FloatContext(region.Context, region.Fpsr), OwnLoops(region.CodePa));

    private static Dictionary<string, long> Named<T>(long[] counts) where T : struct, Enum =>
        Enum.GetValues<T>().Where(value => counts[Convert.ToInt32(value, null)] != 0).ToDictionary(value => value.ToString(), value => counts[Convert.ToInt32(value, null)]);

    private void ForgetPlaces()
    {
        Version++;
        for (int table = 0; table < JumpEntry.Tables; table++)
        {
            if (!jumpsUsed[table])
                continue;
            new Span<JumpEntry>(jumps + table * JumpEntry.Count, JumpEntry.Count).Fill(new JumpEntry { Ip = ulong.MaxValue });
            // What runs now may fill its own again.
            jumpsUsed[table] = JumpEntry.TableOf(Context) >> 1 == table >> 1;
        }

        var shadow = new Span<ShadowEntry>(s->Translated.Shadow, CodeState.ShadowEntries);
        shadow.Fill(new ShadowEntry { Ip = ulong.MaxValue });
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        vcpu.Code.Forgotten -= Forget;
        vcpu.Code.Dropped -= Clear;
        arena.Dispose();
        NativeMemory.AlignedFree(jumps);
        s->Translated.Jumps = null;
    }
}
