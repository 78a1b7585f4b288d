using System.Buffers.Binary;
using System.Runtime.InteropServices;
using FastXen.Xen.Memory;
using FastXen.Xen.Toolstack;

namespace FastXen.Xen.Hypercalls;

/// <summary>sysctl (35): sysctl.h. What a toolstack in a privileged domain is told of the host.</summary>
internal static unsafe class SysctlOp
{
    private const uint ReadConsole = 1, TbufOp = 2, PhysInfo = 3, SchedId = 4, GetDomainInfoList = 6, DebugKeys = 7, GetCpuInfo = 8, AvailHeap = 9, TopologyInfo = 16,
        NumaInfo = 17;

    // Xen 3.1; CentOS 5, whose physinfo is longer; the last Xen with ia64.
    private const uint Version31 = 3, VersionCentos = 4, Version42 = 9;

    // Domains between look-points.
    private const int Slice = 64;
    private const int MostThreads = 64;

    [StructLayout(LayoutKind.Sequential)]
    private struct ConsoleArgument
    {
        public byte Clear, IsIncremental;
        public ushort Rest;
        public uint Index;
        public XencommHandle Buffer;
        public uint Count;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct TraceArgument
    {
        public uint Command;
        public XencommHandle Processors;
        public ulong Bits;
        public uint Events;
        public ulong BufferFrame;
        public uint Size;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct ListArgument
    {
        public ushort First;
        public uint Most;
        public XencommHandle Buffer;
        public uint Count;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct KeysArgument
    {
        public XencommHandle Keys;
        public uint Count;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct ProcessorsArgument
    {
        public uint Most;
        public XencommHandle Buffer;
        public uint Count;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct HeapArgument
    {
        public uint LeastBits, MostBits;
        public int Node;
        public ulong Bytes;
    }

    // topologyinfo and numainfo: the highest index, and three arrays.
    [StructLayout(LayoutKind.Sequential)]
    private struct ArraysArgument
    {
        public uint Last;
        public XencommHandle First, Second, Third;
    }

    /// <summary>sysctl(argument).</summary>
    public static long Do(HypercallFrame* call)
    {
        XenDomain caller = call->Domain;
        var argument = new XencommHandle(call->Arguments[0]);
        if (!caller.IsPrivileged)
            return -Errno.EPERM;
        if (!argument.Read(caller.Memory, out SysctlArgument op))
            return -Errno.EFAULT;
        if (op.Version is not (Version31 or VersionCentos or Version42))
            return -Errno.EACCES;
        if (call->Caller.Machine.Hypervisor.Control is not { } control)
            return -Errno.ENOSYS;
        long result = Carry(call, control, ref op);
        return call->Again || result == -Errno.ENOSYS || argument.Write(caller.Memory, op) ? result : -Errno.EFAULT;
    }

    private static long Carry(HypercallFrame* call, IDomainControl control, ref SysctlArgument op)
    {
        DomainMemory memory = call->Domain.Memory;
        switch (op.Command)
        {
            case ReadConsole:
                return Read(call, op.Version, ref op.As<ConsoleArgument>());
            case TbufOp:
                return Trace(ref op.As<TraceArgument>());
            case PhysInfo:
                Describe(control, op.Version, MemoryMarshal.CreateSpan(ref op.As<byte>(), 96));
                return 0;
            case SchedId:
                op.As<SchedulerKind>() = control.Scheduler;
                return 0;
            case GetDomainInfoList:
                return List(call, control, op.Version, ref op.As<ListArgument>());
            case DebugKeys:
                return Press(memory, op.As<KeysArgument>());
            case GetCpuInfo:
                return Idle(memory, control, ref op.As<ProcessorsArgument>());
            case AvailHeap:
                op.As<HeapArgument>().Bytes = control.Resources.FreeFrames << Frame.Shift;
                return 0;
            case TopologyInfo:
                return Topology(memory, control, ref op.As<ArraysArgument>());
            case NumaInfo:
                return Numa(memory, control, ref op.As<ArraysArgument>());
            default:
                return -Errno.ENOSYS;
        }
    }

    private static long Read(HypercallFrame* call, uint version, ref ConsoleArgument a)
    {
        ConsoleLog console = call->Caller.Machine.Hypervisor.Console;
        byte[] bytes = new byte[Math.Min(a.Count, ConsoleLog.Capacity)];
        // The older form knows nothing but a word that says whether to clear.
        bool isNew = version == Version42;
        int length = console.Read(isNew && a.IsIncremental != 0 ? a.Index : null, bytes, out uint next);
        if (!a.Buffer.Write(call->Domain.Memory, 0, bytes.AsSpan(0, length)))
            return -Errno.EFAULT;
        if (isNew)
            a.Index = next;
        a.Count = (uint)length;
        if (a.Clear != 0)
            console.Clear();
        return 0;
    }

    // There are no trace buffers: their size is 0, and they cannot be had.
    private static int Trace(ref TraceArgument a)
    {
        const uint GetInfo = 0, SetCpuMask = 1, SetEventMask = 2, Disable = 5;
        if (a.Command == GetInfo)
        {
            a.Events = a.Size = 0;
            a.BufferFrame = 0;
        }

        return a.Command is GetInfo or SetCpuMask or SetEventMask or Disable ? 0 : -Errno.EINVAL;
    }

    private static void Describe(IDomainControl control, uint version, Span<byte> info)
    {
        HostResources host = control.Resources;
        ulong centosMap = MemoryMarshal.Read<ulong>(info[88..]);
        info.Clear();
        // Threads of a core, cores of a socket.
        U32(info, 0, 1);
        U32(info, 4, version == Version42 ? (uint)host.HostThreads : 1);
        int next;
        if (version == Version42)
        {
            U32(info, 8, (uint)host.HostThreads);
            U32(info, 12, (uint)host.HostThreads - 1);
            U32(info, 16, 1);
            U32(info, 24, host.Frequency);
            next = 32;
        }
        else
        {
            // Sockets of a node, nodes.
            U32(info, 8, (uint)host.HostThreads);
            U32(info, 12, 1);
            U32(info, 16, host.Frequency);
            next = 24;
        }

        BinaryPrimitives.WriteUInt64LittleEndian(info[next..], host.TotalFrames);
        BinaryPrimitives.WriteUInt64LittleEndian(info[(next + 8)..], host.FreeFrames);
        if (version != VersionCentos)
            return;
        U32(info, 80, (uint)host.HostThreads - 1);
        BinaryPrimitives.WriteUInt64LittleEndian(info[88..], centosMap);
    }

    private static long List(HypercallFrame* call, IDomainControl control, uint version, ref ListArgument a)
    {
        DomctlVersion form = version == Version42 ? DomctlVersion.Xen42 : DomctlVersion.Xen31;
        int size = DomainInfo.SizeOf(form);
        Span<byte> info = stackalloc byte[size];
        // How many are done, and the number to go on with.
        uint count = (uint)(call->Progress >> 16), first = Math.Max(a.First, (uint)(call->Progress & 0xFFFF));
        int left = Slice;
        foreach (XenDomain domain in call->Domain.Directory.All)
        {
            if (domain.Id < first)
                continue;
            if (count == a.Most)
                break;
            if (left-- == 0)
                return call->ContinueFrom((ulong)count << 16 | domain.Id);
            if (!DomainInfo.Write(call->Caller.Machine.Hypervisor, control, domain, form, info))
                continue;
            if (!a.Buffer.Write(call->Domain.Memory, (ulong)size * count, info))
                return -Errno.EFAULT;
            count++;
        }

        a.Count = count;
        return 0;
    }

    // Keys have no effect here; they are read as Xen reads them.
    private static int Press(DomainMemory memory, KeysArgument a)
    {
        const uint Most = 1024;
        return a.Count > Most ? -Errno.EINVAL : a.Keys.Read(memory, 0, new byte[a.Count]) ? 0 : -Errno.EFAULT;
    }

    private static int Idle(DomainMemory memory, IDomainControl control, ref ProcessorsArgument a)
    {
        uint count = 0;
        for (; count < a.Most && control.IdleTime((int)count) is { } time; count++)
        {
            if (!a.Buffer.Write(memory, time, count))
                return -Errno.EFAULT;
        }

        a.Count = count;
        return 0;
    }

    private static int Topology(DomainMemory memory, IDomainControl control, ref ArraysArgument a)
    {
        uint threads = (uint)Math.Clamp(control.Resources.HostThreads, 1, MostThreads), last = Math.Min(a.Last, threads - 1);
        a.Last = threads - 1;
        for (uint n = 0; n <= last; n++)
        {
            // Each is a core of its own, of one socket and one node.
            if (!Put(memory, a.First, n, n) || !Put(memory, a.Second, 0u, n) || !Put(memory, a.Third, 0u, n))
                return -Errno.EFAULT;
        }

        return 0;
    }

    private static int Numa(DomainMemory memory, IDomainControl control, ref ArraysArgument a)
    {
        const uint Local = 10;
        a.Last = 0;
        HostResources host = control.Resources;
        return Put(memory, a.First, host.TotalFrames << Frame.Shift, 0) && Put(memory, a.Second, host.FreeFrames << Frame.Shift, 0) && Put(memory, a.Third, Local, 0)
            ? 0 : -Errno.EFAULT;
    }

    private static bool Put<T>(DomainMemory memory, XencommHandle array, T value, uint index) where T : unmanaged => array.IsNull || array.Write(memory, value, index);

    private static void U32(Span<byte> info, int offset, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(info[offset..], value);
}
