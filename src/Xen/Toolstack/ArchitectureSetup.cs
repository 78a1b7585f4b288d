using System.Buffers.Binary;
using System.Runtime.InteropServices;
using FastXen.Platform.Firmware.Efi;
using FastXen.Xen.Boot;
using FastXen.Xen.Firmware;
using FastXen.Xen.Memory;
using FastXen.Xen.Processor;

namespace FastXen.Xen.Toolstack;

/// <summary>
/// domctl's arch_setup: the end of a domU's building. The toolstack has put the kernel into memory and a boot parameter behind start_info; the firmware's pages and tables
/// are the hypervisor's, whichever generation the toolstack is of.
/// </summary>
internal static unsafe class ArchitectureSetup
{
    private const ulong VirtualizedProcessor = 1, Query = 2, SelfIoEmulation = 4;

    // Frames at the end of memory that are not to be used: memory map, start_info, xenstore's ring, console's ring.
    private const ulong MagicFrames = 4;
    private const int MostRanges = 32;

    // In the boot parameter: bytes of the memory map, and (between the generations' builder and hypervisor only) pages and frame number of the toolstack's own.
    private const int MapSizeAt = 0x18, MapPagesAt = 0x50, MapFrameAt = 0x58;

    /// <summary>arch_setup's structure on ia64.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct Argument
    {
        /// <summary>XEN_DOMAINSETUP_*.</summary>
        public ulong Flags;

        /// <summary>Guest address of the boot parameter; 0: the domain is restored, and has all.</summary>
        public ulong BootParameter;

        /// <summary>End of memory.</summary>
        public ulong Memory;

        /// <summary>Address of the window with the shared registers.</summary>
        public ulong Window;

        /// <summary>Break immediate of hypercalls.</summary>
        public uint HypercallImmediate;

        /// <summary>Log2 of the hashed page table's size; there is none.</summary>
        public sbyte VhptSize;
    }

    /// <summary>0 or a negative error.</summary>
    public static int Do(XenHost host, XenDomain domain, ref Argument a, out bool isAnswered)
    {
        isAnswered = false;
        if (host.MachineOf(domain) is not { } machine)
            return -Errno.EINVAL;
        lock (machine.Registers)
            return machine.IsDisposed ? -Errno.EINVAL : Do(machine, ref a, out isAnswered);
    }

    private static int Do(ParavirtualMachine machine, ref Argument a, out bool isAnswered)
    {
        isAnswered = false;
        XenDomain domain = machine.Domain;
        if ((a.Flags & Query) != 0)
        {
            const uint DefaultImmediate = 0x1000;
            a.BootParameter = 0;
            a.Memory = domain.ConventionalEnd;
            a.Window = machine.WindowVa != 0 ? machine.WindowVa : ParavirtualVcpu.DefaultWindow;
            a.HypercallImmediate = machine.Vcpus is [var first, ..] ? first.State->HypercallImmediate : DefaultImmediate;
            isAnswered = true;
            return 0;
        }

        // A domain that runs has its firmware.
        if ((a.Flags & (VirtualizedProcessor | SelfIoEmulation)) != 0 || domain.Vcpus == 0 || machine.Vcpus[0].IsInitialized)
            return -Errno.EINVAL;
        const ulong WindowAlignment = 0x1_0000;
        if (a.Window != 0 && (a.Window >> 61 != 7 || a.Window % WindowAlignment != 0))
            return -Errno.EINVAL;
        if (a.HypercallImmediate != 0)
        {
            foreach (ParavirtualVcpu vcpu in machine.Vcpus)
                vcpu.State->HypercallImmediate = a.HypercallImmediate;
        }

        if (a.Window != 0)
            machine.WindowVa = a.Window;
        if (a.BootParameter != 0)
            return Build(machine, a.BootParameter, a.Memory);
        domain.Memory.Populate(0);
        domain.ConventionalEnd = a.Memory;
        return 0;
    }

    private static int Build(ParavirtualMachine machine, ulong bootParameter, ulong end)
    {
        DomainMemory memory = machine.Domain.Memory;
        Span<byte> boot = stackalloc byte[BootParameter.Size];
        if (memory.Read(bootParameter, boot) != boot.Length)
            return -Errno.EFAULT;
        ulong pages = BinaryPrimitives.ReadUInt64LittleEndian(boot[MapPagesAt..]), frame = BinaryPrimitives.ReadUInt64LittleEndian(boot[MapFrameAt..]);
        List<(ulong Start, ulong End)>? ranges;
        bool isToolstacks = BinaryPrimitives.ReadUInt64LittleEndian(boot[MapSizeAt..]) != 0 && pages != 0 && frame != 0;
        if (isToolstacks)
        {
            if (pages != 1)
                return -Errno.ENOSYS;
            ranges = ReadMap(memory, frame);
        }
        else
        {
            frame = (end >> Frame.Shift) - 1;
            ranges = [(0, end)];
        }

        if (ranges == null || frame >= Frame.Limit || end > memory.ArenaFrames << Frame.Shift)
            return -Errno.EINVAL;
        List<EfiMemoryRange> map = DomainMemoryMap.Of(Without(ranges, frame << Frame.Shift, frame + MagicFrames << Frame.Shift), frame << Frame.Shift, MagicFrames);
        var firmware = new DomainFirmware(machine.Vcpus.Count, map);
        BootParameter.SetFirmware(boot, firmware);
        const ulong SharedInfo = Frame.WindowStart << Frame.Shift;
        bool written = memory.Write(0, firmware.Image) == firmware.Image.Length && memory.Write(bootParameter, boot) == boot.Length
            && memory.TryWrite(SharedInfo + 0x101c, 1u) && memory.TryWrite(SharedInfo + 0x1020, frame);
        byte[] own = MemmapInfo.Of(map);
        if (!written || !isToolstacks && memory.Write(frame << Frame.Shift, own) != own.Length)
            return -Errno.EFAULT;
        machine.Firmware.Tables = firmware.Addresses;
        machine.Domain.ConventionalEnd = Math.Max(end, ranges.Max(static range => range.End));
        return 0;
    }

    // The conventional memory that a toolstack's map names, in order; null where the map is not one.
    private static List<(ulong Start, ulong End)>? ReadMap(DomainMemory memory, ulong frame)
    {
        Span<byte> page = new byte[Frame.Size];
        if (frame >= Frame.Limit || memory.Read(frame << Frame.Shift, page) != page.Length)
            return null;
        int size = DomainFirmware.MemoryDescriptorSize;
        ulong bytes = BinaryPrimitives.ReadUInt64LittleEndian(page);
        if (bytes > (ulong)(page.Length - MemmapInfo.HeaderSize) || bytes % (ulong)size != 0 || BinaryPrimitives.ReadUInt64LittleEndian(page[8..]) != (ulong)size)
            return null;
        var ranges = new List<(ulong Start, ulong End)>();
        for (Span<byte> rest = page.Slice(MemmapInfo.HeaderSize, (int)bytes); rest.Length > 0; rest = rest[size..])
        {
            ulong start = BinaryPrimitives.ReadUInt64LittleEndian(rest[8..]), count = BinaryPrimitives.ReadUInt64LittleEndian(rest[24..]);
            ulong limit = memory.ArenaFrames << Frame.Shift;
            if (BinaryPrimitives.ReadUInt32LittleEndian(rest) != (uint)EfiMemoryType.Conventional || count == 0)
                continue;
            if (start > limit || count > (limit - start) / EfiMemoryMap.PageSize || ranges.Count == MostRanges)
                return null;
            ranges.Add((start, start + count * EfiMemoryMap.PageSize));
        }

        ranges.Sort();
        return ranges.Count != 0 ? ranges : null;
    }

    // What is neither the firmware's nor between the two addresses.
    private static IEnumerable<(ulong Start, ulong End)> Without(List<(ulong Start, ulong End)> ranges, ulong from, ulong to)
    {
        foreach ((ulong start, ulong end) in ranges)
        {
            ulong first = Math.Max(start, FirmwareLayout.Size);
            if (first < Math.Min(end, from))
                yield return (first, Math.Min(end, from));
            if (Math.Max(first, to) < end)
                yield return (Math.Max(first, to), end);
        }
    }
}
