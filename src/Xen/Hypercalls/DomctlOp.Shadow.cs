using System.Runtime.InteropServices;
using FastXen.Xen.Memory;

namespace FastXen.Xen.Hypercalls;

// shadow_op: the log of frames that are written (domctl.h, XEN_DOMCTL_SHADOW_OP_*). ia64 has no other shadow memory.
internal static unsafe partial class DomctlOp
{
    [StructLayout(LayoutKind.Sequential)]
    private struct ShadowArgument
    {
        public uint Operation, Mode, Megabytes;
        public XencommHandle Bitmap;
        public ulong Frames;
        public uint Faults, Dirty;
    }

    private static int Shadow(XenDomain caller, XenDomain domain, ref ShadowArgument a)
    {
        const uint Off = 0, Test = 1, EnableLog = 2, Translate = 3, Clean = 11, Peek = 12, GetAllocation = 30, SetAllocation = 31;
        if (domain == caller)
            return -Errno.EINVAL;
        switch (a.Operation)
        {
            case Off:
                domain.Memory.EndLog();
                return 0;
            case EnableLog:
                return domain.Memory.BeginLog() ? 0 : -Errno.EINVAL;
            case Clean or Peek:
                return ReadLog(caller.Memory, domain.Memory, a.Operation == Clean, ref a);
            case Test or Translate:
                return -Errno.EINVAL;
            case GetAllocation:
                a.Megabytes = 0;
                return 0;
            case SetAllocation:
                return a.Megabytes == 0 ? 0 : -Errno.EINVAL;
            default:
                return -Errno.ENOSYS;
        }
    }

    private static int ReadLog(DomainMemory to, DomainMemory memory, bool clears, ref ShadowArgument a)
    {
        if (memory.LoggedFrames is not { } logged || a.Bitmap.IsNull)
            return -Errno.EINVAL;
        a.Faults = a.Dirty = (uint)memory.WrittenFrames;
        a.Frames = Math.Min(a.Frames, logged);
        var bits = new ulong[(a.Frames + 63) / 64];
        Span<byte> bytes = MemoryMarshal.AsBytes(bits.AsSpan())[..(int)((a.Frames + 7) / 8)];
        // What is taken and cannot be told would be lost: the place for it comes first.
        if (!a.Bitmap.Read(to, 0, bytes))
            return -Errno.EFAULT;
        return !memory.ReadLog(bits, a.Frames, clears) ? -Errno.EINVAL : a.Bitmap.Write(to, 0, bytes) ? 0 : -Errno.EFAULT;
    }
}
