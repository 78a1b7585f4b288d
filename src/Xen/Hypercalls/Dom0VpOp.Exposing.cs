using System.Buffers.Binary;
using FastXen.Xen.Firmware;
using FastXen.Xen.Memory;
using FastXen.Xen.Toolstack;

namespace FastXen.Xen.Hypercalls;

// The P2M in the sight of guests: their own, and for privileged ones that of others; and their memory maps.
internal static unsafe partial class Dom0VpOp
{
    // A page of zeros for parts of a table that do not exist; guests may read it only.
    private static readonly byte* NoTable = HostPages.Align(HostPages.Allocate(1));

    // As much of a memory map as the hypervisor looks at.
    private const int MaximumMap = 4 * Frame.Size;

    // expose_p2m(first number described, first number to map at, size of what is described, granule in frames).
    private static long Expose(HypercallFrame* call)
    {
        XenDomain caller = call->Domain;
        ulong described = call->Arguments[1], at = call->Arguments[2], size = call->Arguments[3], granule = call->Arguments[4];
        const ulong PerTable = DomainMemory.FramesPerTable;
        ulong frames = size >> Frame.Shift;
        if (size % Frame.Size != 0 || granule == 0 || granule % PerTable != 0 || frames % PerTable != 0 || described % granule != 0 || at % granule != 0
            || frames % granule != 0)
            return -Errno.EINVAL;
        if (granule != PerTable)
            return -Errno.ENOSYS;
        ulong tables = frames / PerTable, end = Math.Min(tables, call->Progress + TableSlice);
        if (!MapTables(caller, at + call->Progress, caller.Memory, described + call->Progress * PerTable, end - call->Progress))
            return -Errno.EAGAIN;
        return end < tables ? call->ContinueFrom(end) : 0;
    }

    private static bool MapTables(XenDomain domain, ulong at, DomainMemory source, ulong described, ulong count)
    {
        for (ulong k = 0; k < count; k++)
        {
            byte* table = source.ExposedTable(described + k * DomainMemory.FramesPerTable);
            if (!domain.Foreign.MapTable(at + k, table != null ? table : NoTable, table != null ? source : null))
                return false;
        }

        return true;
    }

    // expose_foreign_p2m(first number to map at, domain, memory map, flags): those parts of the domain's table that the map names.
    private static long ExposeForeign(HypercallFrame* call)
    {
        XenDomain caller = call->Domain;
        if (!caller.IsPrivileged)
            return -Errno.EPERM;
        var buffer = new XencommHandle(call->Arguments[3]);
        Span<byte> header = stackalloc byte[MemmapInfo.HeaderSize];
        if (!buffer.Read(caller.Memory, 0, header))
            return -Errno.EFAULT;
        ulong size = BinaryPrimitives.ReadUInt64LittleEndian(header), each = BinaryPrimitives.ReadUInt64LittleEndian(header[8..]);
        if (each < (ulong)DomainFirmware.MemoryDescriptorSize || size < each || size % each != 0 || size > MaximumMap)
            return -Errno.EINVAL;
        byte[] map = new byte[size];
        if (!buffer.Read(caller.Memory, MemmapInfo.HeaderSize, map))
            return -Errno.EFAULT;
        if (caller.Directory.Find((ushort)call->Arguments[2]) is not { } source || source == caller || !source.Memory.TryEnter())
            return -Errno.EINVAL;
        long result = ExposeForeign(caller, call->Arguments[1], source, map, (int)each);
        source.Memory.Leave();
        return result;
    }

    private static long ExposeForeign(XenDomain caller, ulong at, XenDomain source, ReadOnlySpan<byte> map, int each)
    {
        const ulong PerTable = DomainMemory.FramesPerTable;
        ulong limit = (source.ConventionalEnd >> Frame.Shift) + PerTable - 1;
        var tables = new SortedSet<ulong>();
        for (; map.Length > 0; map = map[each..])
        {
            ulong start = BinaryPrimitives.ReadUInt64LittleEndian(map[8..]), pages = BinaryPrimitives.ReadUInt64LittleEndian(map[24..]);
            ulong first = start >> Frame.Shift, end = first + (pages + 3 >> 2);
            if (start % 0x1000 != 0 || pages == 0 || pages > Frame.Limit || first >= Frame.Limit || end > limit)
                return -Errno.EINVAL;
            for (ulong table = first / PerTable; table * PerTable < end; table++)
                tables.Add(table);
        }

        if (!caller.ForeignTables.TryAdd(at, new ForeignTable(source.Id, [.. tables.Select(table => at + table)])))
            return -Errno.EBUSY;
        foreach (ulong table in tables)
        {
            if (MapTables(caller, at + table, source.Memory, table * PerTable, 1))
                continue;
            Unexpose(caller, at);
            return -Errno.EAGAIN;
        }

        return 0;
    }

    // unexpose_foreign_p2m(first number mapped at, domain).
    private static long UnexposeForeign(HypercallFrame* call)
    {
        XenDomain caller = call->Domain;
        return !caller.ForeignTables.TryGetValue(call->Arguments[1], out ForeignTable? table) ? -Errno.ENOENT
            : table.Domain != (ushort)call->Arguments[2] ? -Errno.EINVAL
            : Unexpose(caller, call->Arguments[1]) ? 0 : -Errno.EBUSY;
    }

    private static bool Unexpose(XenDomain caller, ulong at)
    {
        if (!caller.ForeignTables.TryRemove(at, out ForeignTable? table))
            return false;
        foreach (ulong gpfn in table.Frames)
            caller.Foreign.Unmap(gpfn);
        return true;
    }

    // get_memmap(domain, buffer): what the domain's builder wrote into its memory map pages (shared_info, arch.memmap_info_*).
    private static long CopyMemmap(HypercallFrame* call)
    {
        const ulong PagesAt = 0x101c, FrameAt = 0x1020;
        XenDomain caller = call->Domain;
        using var target = new TargetDomain(caller, (ushort)call->Arguments[1]);
        if (target.Error != 0)
            return target.Error;
        DomainMemory memory = target.Domain.Memory;
        const ulong Shared = Frame.WindowStart << Frame.Shift;
        if (!memory.TryRead(Shared + PagesAt, out uint pages) || !memory.TryRead(Shared + FrameAt, out ulong frame) || pages == 0 || frame >= Frame.Limit)
            return -Errno.EINVAL;
        if (!memory.TryRead(frame << Frame.Shift, out ulong size) || size > Math.Min((ulong)pages << Frame.Shift, MaximumMap) - MemmapInfo.HeaderSize)
            return -Errno.EFAULT;
        byte[] bytes = new byte[MemmapInfo.HeaderSize + (int)size];
        // The header may have changed meanwhile: what is copied is as long as was checked.
        return memory.Read(frame << Frame.Shift, bytes) == bytes.Length && new XencommHandle(call->Arguments[2]).Write(caller.Memory, 0, bytes) ? 0 : -Errno.EFAULT;
    }
}
