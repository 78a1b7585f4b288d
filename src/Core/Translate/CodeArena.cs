using FastXen.Core.Emit;
using FastXen.Core.Float;
using FastXen.Core.State;
using static FastXen.Core.Emit.HostRegister;

namespace FastXen.Core.Translate;

/// <summary>
/// The memory of translated code and of what it points at, in two parts. A generation of code lives in one of them until that is used up; then
/// the next one begins in the other (<see cref="Turn"/>), and the old one's memory is given back when nobody can be in it any more. One thread at a time
/// makes code.
/// </summary>
internal sealed unsafe partial class CodeArena : IDisposable
{
    /// <summary>Bytes of a generation's code, where nobody says otherwise. Memory is used only when it has been written.</summary>
    public const int DefaultCodeBytes = 32 << 20;

    /// <summary>Fewest bytes of code: one region and the common code.</summary>
    public const int SmallestCodeBytes = LargestRegion + ExtendedStubs.Capacity + CommonBytes;

    // Room for the common code that is not floating point.
    private const int CommonBytes = 8192;

    private const int MostSites = 1 << 19, MostCallSites = 1 << 17, MostRegions = 1 << 17;

    /// <summary>Most sites of divisions in a generation.</summary>
    public const int MostDivisionSites = 1 << 12;

    // Takes what exceeds the limits of a region, which is not used then: as the waste of the assembler.
    private const int WasteSite = 1;

    // A jump to a slot for which there was no code.
    private const int AnywhereSite = WasteSite + 1;

    // Sites, and call sites, that belong to no region.
    private const int CommonSites = AnywhereSite + 1, CommonCallSites = 1;

    private const int Parts = 2;

    private readonly CodeMemory memory;
    private readonly int mostSitesOfRegion;
    private readonly LazyMemory siteMemory = new((long)(CommonSites + Parts * MostSites) * sizeof(ExitSite));
    private readonly LazyMemory callSiteMemory = new((long)(CommonCallSites + Parts * MostCallSites) * sizeof(CallSite));
    private readonly LazyMemory regionMemory = new((long)Parts * MostRegions * sizeof(RegionState));
    private readonly ExitSite* sites;
    private readonly CallSite* callSites;
    private readonly RegionState* regions;
    private readonly int stubBytes, partBytes;
    private readonly bool[] isFree = [true, true];
    private int part = 1;
    private int siteCount, callSiteCount, regionCount, used;
    private int siteStart, callSiteStart, regionStart;
    private int[] divisionSites = [];

    /// <summary>Makes the memory and the code that every region uses; <paramref name="breaks"/>: that of a hypervisor.</summary>
    public CodeArena(TranslatorOptions options, BreakCode? breaks = null)
    {
        Breaks = breaks;
        int codeBytes = Math.Max(options.CodeBytes, SmallestCodeBytes);
        mostSitesOfRegion = options.RegionSites;
        memory = new CodeMemory(Parts * (long)codeBytes);
        sites = (ExitSite*)siteMemory.Start;
        callSites = (CallSite*)callSiteMemory.Start;
        regions = (RegionState*)regionMemory.Start;
        var asm = new Assembler();
        Floats = new ExtendedStubs(asm, memory.Writable, memory.Executable, ExtendedStubs.Capacity);
        asm.Begin(memory.Writable + ExtendedStubs.Capacity, memory.Executable + ExtendedStubs.Capacity, CommonBytes);
        EmitCollectFlags(asm);
        EmitChangesOfForm(asm);
        EmitEnter(asm);
        EmitExit(asm);
        EmitJump(asm);
        EmitToggleCollection(asm);
        EmitUnpredicted(asm);
        EmitJumpAnywhere(asm);
        EmitFindContext(asm);
        EmitEnterContext(asm);
        EmitAlatCheck(asm);
        ToSignedInteger = DivisionStubs.Write(asm, signed: true);
        ToUnsignedInteger = DivisionStubs.Write(asm, signed: false);
        EmitWindows(asm);
        breaks?.Emit(asm, this);
        stubBytes = ExtendedStubs.Capacity + ((asm.Size + 63) & ~63);
        partBytes = codeBytes - stubBytes;
        // Site 0: a jump for which there was no code.
        *Site(0) = new ExitSite { Kind = ExitKind.LookThere };
        *Site(AnywhereSite) = new ExitSite { Kind = ExitKind.LookAnywhere };
        _ = Turn();
    }

    /// <summary>Saves the host's registers, loads those of translated code and goes to an address in it.</summary>
    public delegate* unmanaged[Cdecl, SuppressGCTransition]<VcpuState*, byte*, uint> Enter { get; private set; }

    /// <summary>Returns from translated code with the number of the site in eax.</summary>
    public byte* Exit { get; private set; }

    /// <summary>Goes to the translated code of the bundle in rdx by the jump cache.</summary>
    public byte* Jump { get; private set; }

    /// <summary>Leaves for the bundle in rdx.</summary>
    public byte* Miss { get; private set; }

    /// <summary>Arithmetic of 82-bit registers.</summary>
    public ExtendedStubs Floats { get; }

    /// <summary>Makes the floating-point register at rax a tagged double; carry where it is none. Uses rax and xmm0.</summary>
    public byte* Tag { get; private set; }

    /// <summary>Makes the double or integer at rax, by its tag, an 82-bit register; carry where that is left to others. Uses rax and xmm0.</summary>
    public byte* Untag { get; private set; }

    /// <summary>The operand of a division of signed integers (<see cref="DivisionStubs"/>).</summary>
    public byte* ToSignedInteger { get; private set; }

    /// <summary>The operand of a division of unsigned integers.</summary>
    public byte* ToUnsignedInteger { get; private set; }

    /// <summary>Takes a site of a division of a form (<see cref="DivisionSite.FormOf"/>); -1 where there is none left.</summary>
    public int NewDivisionSite(int form) =>
        divisionSites[form] < MostDivisionSites / DivisionSite.Forms ? DivisionSite.Forms * divisionSites[form]++ + form : -1;

    /// <summary>Puts the host's flags where they belong and starts to collect them for the status field eax - 1 (0: stops). Uses rax and rcx.</summary>
    public byte* CollectFlags { get; private set; }

    /// <summary>The memory of both parts' code.</summary>
    public CodeMemory Memory => memory;

    /// <summary>Bytes of code that have been written.</summary>
    public int Used => used;

    /// <summary>True when there may not be room for one more region.</summary>
    public bool IsFull => used + LargestRegion > CodeStart(part) + partBytes || siteCount + MostSitesOfRegion > FirstSite + MostSites
        || callSiteCount + MostCallSitesOfRegion > CommonCallSites + (part + 1) * MostCallSites || regionCount >= FirstRegion + MostRegions - 1;

    /// <summary>Most bytes of a region.</summary>
    public const int LargestRegion = 256 << 10;

    // The plan's limit of slots keeps regions far below; those that get there all the same are not used.
    private const int MostCallSitesOfRegion = 512;

    /// <summary>Most sites of a region.</summary>
    public const int MostSitesOfRegion = 8192;

    /// <summary>True when the region that was begun last has more sites than it may.</summary>
    public bool Overflow { get; private set; }

    /// <summary>Jumps that have been linked to translated code.</summary>
    public long Links { get; private set; }

    /// <summary>Where the next region's code is written.</summary>
    public byte* NextWritable => memory.Writable + used;

    /// <summary>Where the next region's code will run.</summary>
    public byte* NextExecutable => memory.Executable + used;

    /// <summary>The next region's code has been written.</summary>
    public void Take(int bytes)
    {
        int before = used;
        used += (bytes + 15) & ~15;
        // Written code is seldom written again (only links): its pages need no second place in the process's tables, where they would count twice.
        if (before / WrittenChunk != used / WrittenChunk)
            memory.Unload(CodeStart(part), before - CodeStart(part));
    }

    private const int WrittenChunk = 1 << 20;

    /// <summary>Takes a region, to which the next sites belong.</summary>
    public RegionState* BeginRegion()
    {
        Overflow = false;
        (siteStart, callSiteStart, regionStart) = (siteCount, callSiteCount, regionCount);
        return regions + regionCount++;
    }

    /// <summary>Gives back the region that was begun last, and its sites.</summary>
    public void AbandonRegion()
    {
        (siteCount, callSiteCount, regionCount) = (siteStart, callSiteStart, regionStart);
    }

    /// <summary>Takes what the exits from the second page of the region that was begun last have in common.</summary>
    public RegionState* NewPart() => regions + regionCount++;

    /// <summary>Takes a site.</summary>
    public int NewSite()
    {
        if (siteCount - siteStart < mostSitesOfRegion)
            return siteCount++;
        Overflow = true;
        return WasteSite;
    }

    /// <summary>The site with a number.</summary>
    public ExitSite* Site(int number) => sites + number;

    /// <summary>Takes a call site.</summary>
    public CallSite* NewCallSite()
    {
        if (callSiteCount - callSiteStart < MostCallSitesOfRegion)
            return callSites + callSiteCount++;
        Overflow = true;
        return callSites;
    }

    /// <summary>Numbers of this generation's sites: the first, and the one behind the last.</summary>
    public int FirstSite => CommonSites + part * MostSites;

    /// <inheritdoc cref="FirstSite"/>
    public int EndSite => siteCount;

    /// <summary>Numbers of this generation's regions: the first, and the one behind the last.</summary>
    public int FirstRegion => part * MostRegions;

    /// <inheritdoc cref="FirstRegion"/>
    public int EndRegion => regionCount;

    /// <summary>The region with a number.</summary>
    public RegionState* Region(int number) => regions + number;

    /// <summary>Lets the jump whose displacement is at <paramref name="link"/> (writable alias) go to an address.</summary>
    /// <remarks>
    /// Other processors may be executing the jump. Its displacement is aligned (<see cref="Assembler.JumpPatchable"/>) and replaced by one store, so that a fetch gets
    /// the old one or the new one (AMD64 APM vol 2, 7.6.1, asynchronous modification: any aligned store of up to 8 bytes; Intel's processors do
    /// the same, and all compilers for managed languages rely on it). Both places are right for as long as it takes.
    /// </remarks>
    public void SetLink(int* link, byte* target)
    {
        Links++;
        byte* executable = (byte*)link - memory.Writable + memory.Executable;
        Volatile.Write(ref *link, (int)(target - (executable + 4)));
    }

    /// <summary>True when the other part of the memory has been given back.</summary>
    public bool CanTurn => isFree[part ^ 1];

    /// <summary>The next generation begins, in the other part. The old one's part, for <see cref="GiveBack"/>.</summary>
    public nint Turn()
    {
        int old = part;
        part ^= 1;
        isFree[part] = false;
        used = CodeStart(part);
        siteCount = FirstSite;
        callSiteCount = CommonCallSites + part * MostCallSites;
        regionCount = FirstRegion;
        divisionSites = new int[DivisionSite.Forms];
        return old;
    }

    /// <summary>Nobody can be in a part any more: its memory is free.</summary>
    public void GiveBack(nint oldPart)
    {
        int old = (int)oldPart;
        isFree[old] = true;
        memory.Discard(CodeStart(old), partBytes);
        Clear(siteMemory, CommonSites + old * MostSites, MostSites, sizeof(ExitSite));
        Clear(callSiteMemory, CommonCallSites + old * MostCallSites, MostCallSites, sizeof(CallSite));
        Clear(regionMemory, old * MostRegions, MostRegions, sizeof(RegionState));
    }

    private static void Clear(LazyMemory memory, int first, int count, int size) => memory.Clear((nuint)first * (nuint)size, (nuint)count * (nuint)size);

    private int CodeStart(int which) => stubBytes + which * partBytes;

    /// <summary>Tells of the common code.</summary>
    public void Describe(ITranslationObserver observer)
    {
        (string Name, nint Address)[] stubs =
        [
            .. Floats.Addresses(), ("collect_flags", (nint)CollectFlags), ("tag", (nint)Tag), ("untag", (nint)Untag),
            ("enter", (nint)Enter), ("exit", (nint)Exit), ("jump", (nint)Jump), ("miss", (nint)Miss), ("leave_window", (nint)LeaveWindow),
            ("", (nint)(memory.Executable + stubBytes)),
        ];
        Array.Sort(stubs, (a, b) => a.Address.CompareTo(b.Address));
        for (int k = 0; k + 1 < stubs.Length; k++)
            observer.OnStub(stubs[k].Name, stubs[k].Address, (int)(stubs[k + 1].Address - stubs[k].Address));
    }

    // The exceptions have the same order in MXCSR as in FPSR (v, d, z, o, u, i).
    private void EmitCollectFlags(Assembler asm)
    {
        asm.Align(16);
        CollectFlags = asm.Here;
        Label fresh = asm.NewLabel();
        var field = new HostAddress(Rbp, StateOffsets.FlagsField);
        var flags = new HostAddress(Rbp, StateOffsets.HostFlags);
        asm.Arithmetic(Alu.Cmp, field, 0, 1);
        asm.Jump(Condition.E, fresh);
        asm.Push(Rdx);
        asm.StoreControl(flags);
        asm.Load(Rdx, flags, 4);
        asm.Arithmetic(Alu.And, Rdx, 0x3F, 4);
        // sf0's flags begin at bit 13, and each field has 13 bits: 13 times the field's number plus one.
        asm.Load(Rcx, field, 1);
        asm.MultiplyImmediate(Rcx, Rcx, 13);
        asm.Shlx(Rdx, Rdx, Rcx);
        asm.Arithmetic(Alu.Or, new HostAddress(Rbp, StateOffsets.ArOf(Ar.Fpsr)), Rdx, 8);
        asm.Pop(Rdx);
        asm.Bind(fresh);
        asm.LoadControl(new HostAddress(Rbp, StateOffsets.HostControl));
        asm.Store(field, Rax, 1);
        asm.Return();
    }

    private void EmitChangesOfForm(Assembler asm)
    {
        asm.Align(16);
        Tag = asm.Here;
        Label failed = asm.NewLabel(), done = asm.NewLabel(), step = asm.NewLabel(), tagged = asm.NewLabel(), other = asm.NewLabel(), integer = asm.NewLabel();
        var tag = new HostAddress(Rax, 12);
        Label untag = asm.NewLabel();
        Save(asm, ForTag);
        asm.Mov(R12, Rax);
        asm.Arithmetic(Alu.Cmp, tag, (int)TaggedFloats.Signed, 4);
        asm.Jump(Condition.Ne, other);
        // An integer of 53 bits is a double.
        asm.Load(Rcx, new HostAddress(Rax), 8);
        asm.Mov(Rdx, Rcx);
        asm.ShiftBy(Shift.Sar, Rdx, 53);
        asm.Arithmetic(Alu.Add, Rdx, 1);
        asm.Arithmetic(Alu.Cmp, Rdx, 1);
        asm.Jump(Condition.A, integer);
        asm.VectorZero(HostVector.Xmm0);
        asm.ConvertIntegerToFloat(HostVector.Xmm0, Rcx, 8);
        asm.MoveFromVector(Rax, HostVector.Xmm0);
        asm.Jump(tagged);
        asm.Bind(other);
        asm.Arithmetic(Alu.Cmp, tag, (int)TaggedFloats.Unsigned, 4);
        Label plain = asm.NewLabel();
        asm.Jump(Condition.Ne, plain);
        asm.Bind(integer);
        asm.Call(untag);
        asm.Bind(plain);
        asm.Mov(Rsi, R12);
        asm.Call(Floats.ToDouble);
        asm.Jump(Condition.B, failed);
        asm.Bind(tagged);
        asm.Store(new HostAddress(R12), Rax, 8);
        asm.StoreImmediate(new HostAddress(R12, 12), (int)TaggedFloats.Double, 4);
        asm.StoreImmediate(new HostAddress(Rbp, StateOffsets.FloatsTagged), 1, 1);
        asm.Test(Rax, Rax);
        asm.Bind(failed);
        Restore(asm, ForTag);

        asm.Align(16);
        Untag = asm.Here;
        asm.Bind(untag);
        Save(asm, ForUntag);
        asm.Mov(R8, Rax);
        asm.Arithmetic(Alu.Cmp, tag, (int)TaggedFloats.Double, 4);
        asm.Jump(Condition.Ne, step);
        asm.VectorLoad(HostVector.Xmm0, new HostAddress(Rax), 8);
        asm.Call(Floats.FromDouble);
        asm.Bind(done);
        Restore(asm, ForUntag);
        Label unsigned = asm.NewLabel(), fail = asm.NewLabel();
        asm.Bind(step);
        asm.Load(Rcx, tag, 4);
        asm.Load(Rax, new HostAddress(Rax), 8);
        asm.Arithmetic(Alu.Cmp, Rcx, (int)TaggedFloats.Unsigned, 4);
        asm.Jump(Condition.E, unsigned);
        asm.Jump(Condition.A, fail);
        asm.Call(Floats.FromIntegerInRax);
        asm.Jump(done);
        asm.Bind(unsigned);
        asm.LeadingZeros(Rdx, Rax);
        asm.Shlx(Rax, Rax, Rdx);
        asm.MovImmediate(Rcx, FloatRegister.IntegerExponent);
        asm.Arithmetic(Alu.Sub, Rcx, Rdx, 4);
        asm.Store(new HostAddress(R8), Rax, 8);
        asm.Store(new HostAddress(R8, 8), Rcx, 8);
        asm.Test(Rax, Rax);
        asm.Jump(done);
        asm.Bind(fail);
        asm.SetCarry();
        asm.Jump(done);
    }

    // What these and the conversions that they call use, but for rax.
    private static readonly HostRegister[] ForTag = [Rcx, Rdx, Rsi, R12], ForUntag = [Rcx, Rdx, Rsi, R8];

    private static void Save(Assembler asm, HostRegister[] saved)
    {
        foreach (HostRegister register in saved)
            asm.Push(register);
    }

    // The carry stays.
    private static void Restore(Assembler asm, HostRegister[] saved)
    {
        foreach (HostRegister register in saved.AsEnumerable().Reverse())
            asm.Pop(register);
        asm.Return();
    }

    private void EmitEnter(Assembler asm)
    {
        Enter = (delegate* unmanaged[Cdecl, SuppressGCTransition]<VcpuState*, byte*, uint>)asm.Here;
        foreach (HostRegister saved in (ReadOnlySpan<HostRegister>)[Rbx, Rbp, R12, R13, R14, R15])
            asm.Push(saved);
        asm.Arithmetic(Alu.Sub, Rsp, 8);
        asm.Mov(Rbp, Rdi);
        asm.Load(Rbx, new HostAddress(Rbp, StateOffsets.FrameBase), 8);
        asm.Load(R15, new HostAddress(Rbp, StateOffsets.Budget), 8);
        asm.Jump(Rsi);
    }

    private void EmitExit(Assembler asm)
    {
        asm.Align(16);
        Exit = asm.Here;
        Label quiet = asm.NewLabel();
        asm.Arithmetic(Alu.Cmp, new HostAddress(Rbp, StateOffsets.FlagsField), 0, 1);
        asm.Jump(Condition.E, quiet);
        asm.Mov(Rdx, Rax);
        asm.MovImmediate(Rax, 0);
        asm.Call(CollectFlags);
        asm.Mov(Rax, Rdx);
        asm.Bind(quiet);
        asm.VectorZeroUpper();
        asm.Store(new HostAddress(Rbp, StateOffsets.Budget), R15, 8);
        asm.Arithmetic(Alu.Add, Rsp, 8);
        foreach (HostRegister saved in (ReadOnlySpan<HostRegister>)[R15, R14, R13, R12, Rbp, Rbx])
            asm.Pop(saved);
        asm.Return();
    }

    private void EmitJump(Assembler asm)
    {
        asm.Align(16);
        Jump = asm.Here;
        Label miss = asm.NewLabel();
        asm.Load(Rax, new HostAddress(Rbp, StateOffsets.Jumps), 8);
        asm.Lea(Rcx, new HostAddress(Rdx, Rdx, 1), 4);
        asm.Arithmetic(Alu.And, Rcx, (JumpEntry.Count - 1) * sizeof(JumpEntry), 4);
        asm.Arithmetic(Alu.Add, Rax, Rcx);
        asm.Arithmetic(Alu.Cmp, Rdx, new HostAddress(Rax));
        asm.Jump(Condition.Ne, miss);
        asm.Mov(Rcx, Rdx);
        asm.ShiftBy(Shift.Shr, Rcx, 61);
        asm.Load(Rcx, new HostAddress(Rbp, Rcx, 8, StateOffsets.Spaces), 8);
        asm.Arithmetic(Alu.Cmp, Rcx, new HostAddress(Rax, JumpEntry.SpaceOffset));
        asm.Jump(Condition.Ne, miss);
        asm.Jump(new HostAddress(Rax, JumpEntry.CodeOffset));
        asm.Align(16);
        asm.Bind(miss);
        Miss = asm.Here;
        asm.Store(new HostAddress(Rbp, StateOffsets.Ip), Rdx, 8);
        asm.MovImmediate(Rax, 0);
        asm.Jump(Exit);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        memory.Dispose();
        siteMemory.Dispose();
        callSiteMemory.Dispose();
        regionMemory.Dispose();
    }
}
