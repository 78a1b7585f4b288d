using System.Runtime.InteropServices;
using FastXen.Xen.Memory;

namespace FastXen.Xen.Grants;

/// <summary>The hypercall grant_table_op (20): structures of the public header grant_table.h.</summary>
public static class GrantTableCall
{
    private const uint MapGrantRef = 0, UnmapGrantRef = 1, SetupTable = 2, Transfer = 4, Copy = 5, QuerySize = 6;

    // Unmaps whose TLB entries are flushed together.
    private const int UnmapBatch = 32;

    // Elements between two looks at other work.
    private const uint Slice = 256;

    [StructLayout(LayoutKind.Sequential)]
    private struct MapArgument
    {
        public ulong HostAddress;
        public uint Flags, Reference;
        public ushort Domain;
        public GrantStatus Status;
        public uint Handle;
        public ulong BusAddress;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct UnmapArgument
    {
        public ulong HostAddress, BusAddress;
        public uint Handle;
        public GrantStatus Status;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct SetupArgument
    {
        public ushort Domain;
        public uint Frames;
        public GrantStatus Status;
        public XencommHandle FrameList;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct TransferArgument
    {
        public ulong Frame;
        public ushort Domain;
        public uint Reference;
        public GrantStatus Status;
    }

    [StructLayout(LayoutKind.Sequential, Size = 16)]
    private struct CopyEndArgument
    {
        public ulong FrameOrReference;
        public ushort Domain, Offset;

        public readonly GrantTable.CopyEnd ToEnd() => new(FrameOrReference, Domain, Offset);
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct CopyArgument
    {
        public CopyEndArgument Source, Destination;
        public ushort Length, Flags;
        public GrantStatus Status;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct QueryArgument
    {
        public ushort Domain;
        public uint Frames, MaximumFrames;
        public GrantStatus Status;
    }

    /// <summary>
    /// Carries out a command of a domain's vCPU on <paramref name="count"/> elements from <paramref name="progress"/> (0 at first) on.
    /// A long list is done in slices: while <paramref name="isDone"/> is false, call again after other work.
    /// </summary>
    public static long Do(XenDomain caller, uint command, XencommHandle argument, uint count, ref uint progress, out bool isDone)
    {
        isDone = true;
        if ((int)count < 0)
            return -Errno.EINVAL;
        switch (command)
        {
            case SetupTable:
                return count == 1 ? DoSetup(caller, argument) : -Errno.EINVAL;
            case QuerySize:
                return count == 1 ? DoQuery(caller, argument) : -Errno.EINVAL;
            case MapGrantRef or UnmapGrantRef or Transfer or Copy:
                break;
            default:
                return -Errno.ENOSYS;
        }
        uint end = Math.Min(count, progress + Slice);
        while (progress < end)
        {
            uint step = command == UnmapGrantRef ? Math.Min(UnmapBatch, end - progress) : 1;
            bool moved = command switch
            {
                MapGrantRef => DoMap(caller, argument, progress),
                UnmapGrantRef => DoUnmap(caller, argument, progress, step),
                Transfer => DoTransfer(caller, argument, progress),
                _ => DoCopy(caller, argument, progress),
            };
            if (!moved)
                return -Errno.EFAULT;
            progress += step;
        }
        isDone = progress >= count;
        return 0;
    }

    private static bool DoMap(XenDomain caller, XencommHandle argument, uint index)
    {
        if (!argument.Read(caller.Memory, out MapArgument a, index))
            return false;
        a.Status = caller.Grants.Map(a.HostAddress, a.Flags, a.Reference, a.Domain, out uint handle, out ulong bus);
        if (a.Status == GrantStatus.Okay)
        {
            a.Handle = handle;
            a.BusAddress = bus;
        }
        return argument.Write(caller.Memory, a, index);
    }

    private static bool DoUnmap(XenDomain caller, XencommHandle argument, uint first, uint count)
    {
        Span<P2mChange> changes = stackalloc P2mChange[UnmapBatch];
        Span<uint> handles = stackalloc uint[UnmapBatch];
        int unmapped = 0;
        bool moved = true;
        for (uint i = first; moved && i < first + count; i++)
        {
            moved = argument.Read(caller.Memory, out UnmapArgument a, i);
            if (!moved)
                break;
            a.Status = caller.Grants.BeginUnmap(a.HostAddress, a.BusAddress, a.Handle, out P2mChange? change);
            if (change is { } gone)
            {
                changes[unmapped] = gone;
                handles[unmapped++] = a.Handle;
            }
            moved = argument.Write(caller.Memory, a, i);
        }
        caller.Memory.Tell(changes[..unmapped]);
        foreach (uint handle in handles[..unmapped])
            caller.Grants.EndUnmap(handle);
        return moved;
    }

    private static bool DoTransfer(XenDomain caller, XencommHandle argument, uint index)
    {
        if (!argument.Read(caller.Memory, out TransferArgument a, index))
            return false;
        a.Status = caller.Grants.Transfer(a.Frame, a.Domain, a.Reference);
        return argument.Write(caller.Memory, a, index);
    }

    private static bool DoCopy(XenDomain caller, XencommHandle argument, uint index)
    {
        if (!argument.Read(caller.Memory, out CopyArgument a, index))
            return false;
        a.Status = caller.Grants.Copy(a.Source.ToEnd(), a.Destination.ToEnd(), a.Length, a.Flags);
        return argument.Write(caller.Memory, a, index);
    }

    private static long DoSetup(XenDomain caller, XencommHandle argument)
    {
        if (!argument.Read(caller.Memory, out SetupArgument a))
            return -Errno.EFAULT;
        // A count past the limit is refused before the domain is looked at.
        a.Status = GrantStatus.GeneralError;
        if (a.Frames <= (uint)caller.Grants.MaximumFrames)
        {
            a.Status = FindTarget(caller, a.Domain, out XenDomain target);
            if (a.Status == GrantStatus.Okay)
                a.Status = SetUp(caller, target, a);
        }
        return argument.Write(caller.Memory, a) ? 0 : -Errno.EFAULT;
    }

    private static GrantStatus SetUp(XenDomain caller, XenDomain target, in SetupArgument a)
    {
        if (!target.Memory.TryEnter())
            return GrantStatus.BadDomain;
        GrantStatus status = target.Grants.SetUp(a.Frames);
        target.Memory.Leave();
        // Guests take the first number only; a list that cannot be written is their loss.
        for (uint i = 0; status == GrantStatus.Okay && i < a.Frames; i++)
            a.FrameList.Write(caller.Memory, GrantTable.FirstFrame + i, i);
        return status;
    }

    private static long DoQuery(XenDomain caller, XencommHandle argument)
    {
        if (!argument.Read(caller.Memory, out QueryArgument a))
            return -Errno.EFAULT;
        a.Status = FindTarget(caller, a.Domain, out XenDomain target);
        if (a.Status == GrantStatus.Okay)
        {
            a.Frames = (uint)target.Grants.Frames;
            a.MaximumFrames = (uint)target.Grants.MaximumFrames;
        }
        return argument.Write(caller.Memory, a) ? 0 : -Errno.EFAULT;
    }

    private static GrantStatus FindTarget(XenDomain caller, ushort id, out XenDomain target) =>
        caller.Directory.FindTarget(caller, id, out target) switch
        {
            0 => GrantStatus.Okay,
            -Errno.ESRCH => GrantStatus.BadDomain,
            _ => GrantStatus.PermissionDenied,
        };
}
