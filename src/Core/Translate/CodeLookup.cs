using System.Runtime.Intrinsics;
using FastXen.Core.Emit;
using FastXen.Core.Interpret;
using FastXen.Core.State;

namespace FastXen.Core.Translate;

/// <summary>
/// What one vCPU knows of its domain's translated code: the context of now, the jump cache, the ring of calls, the values of its
/// divisions' steps. All of it takes memory only where it is used.
/// </summary>
internal sealed unsafe class CodeLookup : IDisposable
{
    // No entry of a jump cache that nobody has filled matches. (A bit of the mode, which has no more than six.)
    private const ulong Valid = 1UL << 7;

    // What changes the address spaces is counted in 24 bits of Spaces.
    private const uint MostChanges = 1 << 22;

    private readonly VcpuState* s;
    private readonly Vcpu vcpu;
    private readonly Translator translator;
    private readonly LazyMemory jumps = new(JumpEntry.Tables * JumpEntry.TableBytes, 2 * JumpEntry.TableBytes);
    private readonly LazyMemory divisions = new(CodeArena.MostDivisionSites * sizeof(DivisionSite));
    private readonly LazyMemory known = new(KnownContext.Count * sizeof(KnownContext));
    private ulong contextFpsr;
    private bool fpsrIsNumbered;
    private uint mappingVersion, clearedAt;
    private long generation = -1;

    public CodeLookup(Vcpu vcpu, Translator translator)
    {
        this.vcpu = vcpu;
        this.translator = translator;
        s = vcpu.State;
        CodeState* c = &s->Translated;
        c->HighestFrame = s->StackBuffer + (VcpuAllocation.StackRegisters - 256 - 32 - Rse.PhysicalRegisters);
        c->LowestFrame = s->StackBuffer + (256 - 32);
        c->One = 1;
        c->MinusZero = -0.0;
        c->HostControl = 0x1F80;
        c->DivisionSites = (DivisionSite*)divisions.Start;
        c->Known = (KnownContext*)known.Start;
        Drop();
    }

    /// <summary>The context of the state's PSR, as of the last <see cref="FollowContext"/>.</summary>
    public uint Context => (uint)s->Translated.Context;

    // The controls of AR.FPSR that code for Context takes for granted.
    private ulong CodeFpsr => Number == Translator.OtherControls ? Translator.NoControls : contextFpsr;

    private uint Number => Context >> TranslationContext.FpsrShift & (Translator.MostControls - 1);

    /// <summary>True while the state's PSR, FPSR and presence of NaTs are those of <see cref="Context"/>.</summary>
    public bool IsContext =>
        (s->NatPresent != 0) == IsWithNats && (s->PsrValue & TranslationContext.PsrBits) == s->Translated.ContextPsr
        && (s->Ar[Ar.Fpsr] & TranslationContext.FpsrControls) == contextFpsr;

    private bool IsWithNats => (Context & TranslationContext.Nat) != 0;

    // Changes of Spaces since the start, some of which may not have been seen: a bound.
    private uint Changes => s->Mmu->CodeVersion + (uint)s->Translated.SeenEpoch;

    /// <summary>Code was given up, and the vCPU has seen the epoch: what is known of it does not hold any more.</summary>
    public void Drop()
    {
        // The epoch is part of what names an address space: nothing that was remembered is found again.
        s->Translated.ContextPsr = ulong.MaxValue;
        fpsrIsNumbered = false;
        if (generation == translator.Generation)
            return;
        // Registers may be steps of divisions whose sites go, or which other code gets. What memory has been used for other code may be known to the host's
        // processor by its old contents: cpuid makes it look anew (Intel SDM vol 3, 9.1.3, cross-modifying code).
        generation = translator.Generation;
        TaggedFloats.UntagAll(s);
        Clear();
        _ = System.Runtime.Intrinsics.X86.X86Base.CpuId(0, 0);
    }

    private void Clear()
    {
        jumps.Clear();
        new Span<ShadowEntry>(s->Translated.Shadow, CodeState.ShadowEntries).Clear();
        clearedAt = Changes;
    }

    /// <summary>Follows changes of the PSR and of code mappings: afterwards <see cref="CodeState.Spaces"/> and <see cref="Context"/> are those of now.</summary>
    public void FollowContext()
    {
        VcpuState* s = this.s;
        ulong psr = s->PsrValue & TranslationContext.PsrBits, fpsr = s->Ar[Ar.Fpsr] & TranslationContext.FpsrControls;
        bool nats = s->NatPresent != 0;
        if (psr == s->Translated.ContextPsr && fpsr == contextFpsr && s->Mmu->CodeVersion == mappingVersion && nats == IsWithNats)
            return;
        // Interruptions and their ends go to and fro between few.
        KnownContext* entry = (KnownContext*)known.Start + KnownContext.Index(psr);
        if (entry->Psr == psr && entry->Fpsr == fpsr && entry->CodeVersion == s->Mmu->CodeVersion && entry->Epoch == s->Translated.SeenEpoch
            && entry->Jumps != null && (entry->Context & TranslationContext.Nat) == (nats ? TranslationContext.Nat : 0))
        {
            s->Translated.ContextPsr = psr;
            contextFpsr = fpsr;
            fpsrIsNumbered = true;
            mappingVersion = entry->CodeVersion;
            s->Translated.Context = entry->Context;
            s->Translated.Jumps = entry->Jumps;
            Copy(entry->Spaces, s->Translated.Spaces);
            return;
        }

        uint number = fpsr == contextFpsr && fpsrIsNumbered ? Number : translator.FpsrNumber(fpsr);
        s->Translated.ContextPsr = psr;
        contextFpsr = fpsr;
        fpsrIsNumbered = true;
        mappingVersion = s->Mmu->CodeVersion;
        // Before the counts can come round to values that entries have.
        if (Changes - clearedAt >= MostChanges)
            Clear();
        uint context = TranslationContext.Of(psr, nats) | number << TranslationContext.FpsrShift;
        s->Translated.Context = context;
        s->Translated.Jumps = JumpsOf(context);
        ulong mode = Valid | (ulong)context << 32;
        for (int region = 0; region < 8; region++)
            s->Translated.Spaces[region] = Mmu.CodeTlb.SpaceOf(s->Mmu, region) | mode | (Mmu.CodeTlb.PurgesOf(s->Mmu, region) + s->Translated.SeenEpoch) << 40;
        entry->Psr = psr;
        entry->Fpsr = fpsr;
        entry->Epoch = s->Translated.SeenEpoch;
        entry->CodeVersion = mappingVersion;
        entry->Context = context;
        entry->Jumps = s->Translated.Jumps;
        Copy(s->Translated.Spaces, entry->Spaces);
    }

    private JumpEntry* JumpsOf(uint context) => (JumpEntry*)jumps.Start + JumpEntry.TableOf(context) * JumpEntry.Count;

    private static void Copy(ulong* from, ulong* to)
    {
        Vector256.Store(Vector256.Load(from), to);
        Vector256.Store(Vector256.Load(from + 4), to + 4);
    }

    /// <summary>
    /// Translated code for the state's ip and slot, or null: then it is to be interpreted, or the fetch has raised an interruption
    /// (<paramref name="faulted"/>). <paramref name="otherFrame"/>: the region that was left because of its frame, or null. What is found may be entered
    /// while <see cref="CodeState.Stale"/>, looked at afterwards, is 0.
    /// </summary>
    public byte* Find(RegionState* otherFrame, out bool faulted)
    {
        VcpuState* s = this.s;
        faulted = false;
        ulong ip = s->Ip | (uint)s->Slot;
        JumpEntry* jump = Place(ip);
        ulong space = s->Translated.Spaces[ip >> 61];
        bool crosses = Crosses;
        Crosses = false;
        if (jump->Ip == ip && jump->Space == space && otherFrame == null && !crosses)
            return jump->Code;
        if ((s->Ip & ~0xFFFUL) != s->FetchVa && !CodeFetch.Fetch(s))
        {
            faulted = true;
            return null;
        }

        // The walker may have displaced a translation.
        FollowContext();
        space = s->Translated.Spaces[ip >> 61];
        if (crosses)
            ((CodeCrossing*)s->Translated.Crossings)[CodeCrossing.Index(s->CodeVa)] = new CodeCrossing { Va = s->CodeVa, Space = space, Physical = s->CodePa };

        uint frame = (uint)s->Cfm & 0x3_FFFF | (s->Cfm >> 18 != 0 ? 1u << 31 : 0);
        var key = new RegionKey(ip, s->CodePa, Context, frame);
        RegionState* region = translator.Find(key);
        bool plain = region > RegionTable.NoCode && region->FloatMisses > Translator.FloatMissesTolerated;
        if (plain)
            region = translator.Find(key = key with { Context = Context | Translator.PlainFloats });
        if (region == null)
        {
            if (!translator.IsHot(ip))
                return null;
            region = translator.TryMake(s, key, Context, CodeFpsr);
        }

        // An entry for which no code can be made: the interpreter's, until its page changes.
        if (region <= RegionTable.NoCode)
            return null;
        if (otherFrame != null)
            translator.LinkForms(s, otherFrame, region, plain);
        *jump = new JumpEntry { Ip = ip, Space = space, Code = region->Entry };
        return region->Entry;
    }

    /// <summary>A region goes on at the state's ip: its page is to be fetched, and remembered.</summary>
    public bool Crosses { get; set; }

    /// <summary>What was found for an address is to be looked up in the domain's table again.</summary>
    public void ForgetJump(ulong ip) => Place(ip)->Space = 0;

    // Emitted code asks for whole bundles only, by their number; the places behind them that handlers come back to, or faults, lie elsewhere.
    private JumpEntry* Place(ulong ip) => s->Translated.Jumps + ((ip >> 4) + (ip & 3) * (JumpEntry.Count / 4) & (JumpEntry.Count - 1));

    /// <inheritdoc/>
    public void Dispose()
    {
        jumps.Dispose();
        divisions.Dispose();
        known.Dispose();
        s->Translated.Jumps = null;
        s->Translated.DivisionSites = null;
        s->Translated.Known = null;
    }
}
