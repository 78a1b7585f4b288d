using System.Text;
using FastXen.Xen.Memory;

namespace FastXen.Xen.Hypercalls;

/// <summary>xen_version (17): version.h.</summary>
internal static unsafe class XenVersion
{
    private const ulong Version = 0, ExtraVersion = 1, CompileInfo = 2, Capabilities = 3, Changeset = 4, PlatformParameters = 5, GetFeatures = 6, PageSize = 7,
        GuestHandle = 8, CommandLine = 9;

    // What guests of both generations of the interface accept.
    private const long Major = 4, Minor = 2;
    private const ulong HypervisorStart = 0xf000_0000_0000_0000;

    /// <summary>xen_version(command, argument).</summary>
    public static long Do(HypercallFrame* call)
    {
        var argument = new XencommHandle(call->Arguments[1]);
        DomainMemory memory = call->Domain.Memory;
        switch (call->Arguments[0])
        {
            case Version:
                return Major << 16 | Minor;
            case ExtraVersion:
                return Text(memory, argument, ".0-fastxen", 16);
            case CompileInfo:
                // Compiler 64, by 16, domain 32, date 32.
                Span<byte> info = stackalloc byte[144];
                info.Clear();
                Encoding.ASCII.GetBytes("FastXen").CopyTo(info);
                Encoding.ASCII.GetBytes("fastxen").CopyTo(info[64..]);
                return argument.Write(memory, 0, info) ? 0 : -Errno.EFAULT;
            case Capabilities:
                return Text(memory, argument, "xen-3.0-ia64", 1024);
            case Changeset:
                return Text(memory, argument, "unavailable", 64);
            case PlatformParameters:
                return argument.Write(memory, HypervisorStart) ? 0 : -Errno.EFAULT;
            case GetFeatures:
                if (!argument.Read(memory, out ulong feature))
                    return -Errno.EFAULT;
                if ((uint)feature != 0)
                    return -Errno.EINVAL;
                return argument.Write(memory, (ulong)Features(call) << 32 | (uint)feature) ? 0 : -Errno.EFAULT;
            case PageSize:
                return Frame.Size;
            case GuestHandle:
                return argument.Write(memory, 0, stackalloc byte[16]) ? 0 : -Errno.EFAULT;
            case CommandLine:
                return Text(memory, argument, "", 1024);
            default:
                return -Errno.ENOSYS;
        }
    }

    // features.h; drivers choose frame numbers of their own by auto_translated_physmap.
    private static uint Features(HypercallFrame* call)
    {
        const uint WritablePageTables = 1 << 0, AutoTranslatedPhysmap = 1 << 2, Dom0 = 1 << 11;
        return WritablePageTables | AutoTranslatedPhysmap | (call->Domain.IsPrivileged ? Dom0 : 0);
    }

    private static long Text(DomainMemory memory, XencommHandle to, string text, int size)
    {
        Span<byte> bytes = stackalloc byte[size];
        bytes.Clear();
        Encoding.ASCII.GetBytes(text).CopyTo(bytes);
        return to.Write(memory, 0, bytes) ? 0 : -Errno.EFAULT;
    }
}
