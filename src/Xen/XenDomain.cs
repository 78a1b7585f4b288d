using System.Collections.Concurrent;
using FastXen.Events;
using FastXen.Xen.EventChannels;
using FastXen.Xen.Grants;
using FastXen.Xen.Memory;
using FastXen.Xen.Physdev;

namespace FastXen.Xen;

/// <summary>A domain of the Xen personality: what other domains and the hypercalls see of it.</summary>
public sealed class XenDomain
{
    /// <summary>vCPUs of a domain at most: places in shared_info.</summary>
    public const int MaximumVcpus = 64;

    /// <summary>Parameters of hvm_op (params.h, <c>HVM_NR_PARAMS</c>).</summary>
    internal const int Parameters = 30;

    // Pages of its own P2M table: enough for 128 GiB. The privileged are bounded by the frame numbers that their table can have.
    private const int OrdinaryMappings = 4096;

    private readonly ulong[] _parameters = new ulong[Parameters];
    private EndMap? _endMap;

    /// <summary>
    /// Makes a domain and enters it in the directory. The shared_info page is in its memory from now on; nothing else is. With 0 vCPUs it gets them later.
    /// </summary>
    public XenDomain(DomainDirectory directory, ushort id, DomainMemory memory, int vcpus, IVcpuSignal signal, bool isPrivileged = false)
    {
        ArgumentNullException.ThrowIfNull(directory);
        ArgumentNullException.ThrowIfNull(memory);
        if (vcpus is < 0 or > MaximumVcpus)
            throw new ArgumentOutOfRangeException(nameof(vcpus), $"{vcpus} vCPUs; expected 0 to {MaximumVcpus}");
        Directory = directory;
        Id = id;
        Memory = memory;
        Vcpus = vcpus;
        IsPrivileged = isPrivileged;
        ConventionalEnd = memory.ArenaFrames << Frame.Shift;
        Foreign = new ForeignMappings(memory, isPrivileged ? int.MaxValue : OrdinaryMappings);
        IoPermissions = new IoPermissions(isPrivileged);
        EventChannels = new EventChannelTable(this, signal);
        Grants = new GrantTable(this, GrantLimits.Default);
        directory.Add(this);
    }

    /// <summary>Where its peers are found.</summary>
    public DomainDirectory Directory { get; }

    /// <summary>Its identifier.</summary>
    public ushort Id { get; }

    /// <summary>Its memory.</summary>
    public DomainMemory Memory { get; }

    /// <summary>How many vCPUs it has, up or down.</summary>
    public int Vcpus { get; internal set; }

    /// <summary>The UUID that its toolstack gave it.</summary>
    public Guid Handle { get; set; }

    /// <summary>Seconds from the host's clock to the one that its firmware shows.</summary>
    public int TimeOffset { get; set; }

    /// <summary>One past the last byte of the memory that it was built with (<c>convmem_end</c>).</summary>
    public ulong ConventionalEnd { get; set; }

    /// <summary>The domain's port that is sent to when it is ready to be saved; 0: VIRQ_DOM_EXC tells of it.</summary>
    public uint SuspendPort { get; set; }

    /// <summary>Where a debugger wants it to stop (debug_op.h).</summary>
    public ulong DebugFlags { get; set; }

    /// <summary>A debugger of the toolstack's wants to see its faults.</summary>
    public bool IsDebugged { get; set; }

    /// <summary>It may act on other domains (dom0).</summary>
    public bool IsPrivileged { get; }

    /// <summary>It is being destroyed: nothing new may be bound or granted.</summary>
    public bool IsDying { get; private set; }

    /// <summary>Its event channels.</summary>
    public EventChannelTable EventChannels { get; }

    /// <summary>Its grant table, and its mappings of others' grants.</summary>
    public GrantTable Grants { get; }

    /// <summary>A parameter of hvm_op, below <see cref="Parameters"/>.</summary>
    internal ref ulong Parameter(int index) => ref _parameters[index];

    /// <summary>Frames of other domains that it mapped as a privileged domain.</summary>
    public ForeignMappings Foreign { get; }

    /// <summary>P2M tables of other domains that it shows in its memory, by their first number.</summary>
    internal ConcurrentDictionary<ulong, ForeignTable> ForeignTables { get; } = new();

    /// <summary>What of the machine's devices it may reach.</summary>
    public IoPermissions IoPermissions { get; }

    /// <summary>Where it looks whether it has to end an interrupt; null: it asks. Set once.</summary>
    internal EndMap? EndMap => Volatile.Read(ref _endMap);

    /// <summary>Sets <see cref="EndMap"/>; false where there is one.</summary>
    internal bool TrySetEndMap(EndMap map) => Interlocked.CompareExchange(ref _endMap, map, null) == null;

    /// <summary>
    /// Ends the domain after its vCPUs have stopped for good: channels are closed, its mappings of others' frames undone, its own memory
    /// freed except for what others still map.
    /// </summary>
    public void Destroy()
    {
        if (IsDying)
            return;
        IsDying = true;
        EventChannels.CloseAll();
        EndMap?.Close();
        Grants.UnmapAll();
        Foreign.UnmapAll();
        Directory.Remove(this);
        Memory.Destroy();
    }
}
