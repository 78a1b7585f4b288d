using FastXen.Core.Decode;
using FastXen.Core.Interpret;
using FastXen.Core.Sharing;
using FastXen.Core.State;
using FastXen.Core.Translate;
using FastXen.Mmu;

namespace FastXen.Core;

/// <summary>
/// The decoded and the translated code of a domain, which all its vCPUs share. Any thread may call it. To be disposed after the vCPUs.
/// See docs/translator.md, "Code is the domain's".
/// </summary>
public sealed unsafe class DomainCode : IDisposable
{
    private readonly PhysicalMemory memory;
    private readonly CodeCache pages;
    private Translator? translator;

    /// <summary>Makes an empty one, which forgets code that devices write.</summary>
    public DomainCode(PhysicalMemory memory)
    {
        ArgumentNullException.ThrowIfNull(memory);
        this.memory = memory;
        pages = new CodeCache(Epochs);
        memory.Written += OnWritten;
    }

    /// <summary>How the translator works; to be set before a vCPU runs.</summary>
    public TranslatorOptions TranslatorOptions { get; set; } = new();

    /// <summary>What a hypervisor does in host code; null where there is none. To be set before a vCPU runs.</summary>
    internal BreakCode? Breaks { get; set; }

    /// <summary>What the translator did for all vCPUs; null where it never ran.</summary>
    public TranslatorStatistics? Statistics => translator?.Statistics;

    /// <summary>Held for the time of a few table accesses, never while anything is translated or anybody waited for.</summary>
    internal Lock Gate { get; } = new();

    internal CodeEpochs Epochs { get; } = new();

    /// <summary>The translator, made when it is first asked for.</summary>
    internal Translator Translator
    {
        get
        {
            if (Volatile.Read(ref translator) is { } made)
                return made;
            lock (Gate)
            {
                translator ??= new Translator(this);
                return translator;
            }
        }
    }

    internal Translator? TranslatorOrNull => Volatile.Read(ref translator);

    internal byte* MemoryBase => memory.Base;

    internal void Add(VcpuState* s)
    {
        lock (Gate)
            Epochs.Add(s);
    }

    internal void Remove(VcpuState* s)
    {
        lock (Gate)
            Epochs.Remove(s);
    }

    /// <summary>Slots of the page at <paramref name="physical"/> (4 KiB aligned), made undecoded where there are none.</summary>
    /// <remarks>Good until the vCPU's next look-point; where none runs, until code is forgotten.</remarks>
    public Instruction* Page(ulong physical)
    {
        Instruction* known = pages.FindRecent(physical);
        if (known != null)
            return known;
        lock (Gate)
        {
            if (!pages.IsFull)
                return pages.Page(physical);
            ForgetAll();
            return pages.Page(physical);
        }
    }

    /// <summary>As <see cref="Page"/>, null where there are none.</summary>
    internal Instruction* Known(ulong physical)
    {
        lock (Gate)
            return pages.Find(physical);
    }

    /// <summary>True while these are the slots of the page: it has not been forgotten since they were looked up.</summary>
    internal bool Holds(ulong physical, Instruction* slots)
    {
        lock (Gate)
            return pages.Find(physical) == slots;
    }

    /// <summary>
    /// Forgets decoded and translated code in [address, address + length): what vCPUs execute behind their next look-point or srlz.i is
    /// looked at anew. Code is forgotten where fc.i, fc or a device wrote (SDM vol 1, 4.4.6.2: other writes need not be noticed). False when there was none.
    /// </summary>
    public bool Forget(ulong address, ulong length)
    {
        if (length == 0)
            return false;
        ulong last = address + length - 1;
        lock (Gate)
        {
            bool any = false;
            for (ulong page = address & ~0xFFFUL; page <= last; page += CodePage.Size)
            {
                if (!pages.TakeOut(page))
                    continue;
                translator?.Forget(page);
                any = true;
            }

            if (any)
                Epochs.Begin();
            return any;
        }
    }

    // Devices write on their own threads; a vCPU looks at what was forgotten before it runs the handler of the interrupt that tells of the write.
    private void OnWritten(ulong address, ulong length) => _ = Forget(address, length);

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        lock (Gate)
        {
            if (pages.Count != 0)
                ForgetAll();
        }
    }

    // Regions lie in decoded pages only.
    private void ForgetAll()
    {
        pages.TakeOutAll();
        translator?.Drop();
        Epochs.Begin();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        memory.Written -= OnWritten;
        translator?.Dispose();
        pages.Dispose();
    }
}
