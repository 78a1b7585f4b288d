using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace FastXen.Xen.Toolstack;

/// <summary>The argument of domctl (domctl.h, <c>xen_domctl</c>): which operation of which version, about which domain, and its structure.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct DomctlArgument
{
    private const int UnionSize = 128;

    /// <summary>XEN_DOMCTL_*.</summary>
    public uint Command;

    /// <summary>The version that the caller was built for.</summary>
    public DomctlVersion Version;

    /// <summary>The domain.</summary>
    public ushort Domain;

    // The structure begins at a multiple of 8.
    private ulong _union;
    private fixed byte _rest[UnionSize - sizeof(ulong)];

    /// <summary>The operation's structure.</summary>
    [UnscopedRef]
    public ref T As<T>() where T : unmanaged => ref Unsafe.As<ulong, T>(ref _union);
}

/// <summary>The argument of sysctl (sysctl.h, <c>xen_sysctl</c>).</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct SysctlArgument
{
    private const int UnionSize = 128;

    /// <summary>XEN_SYSCTL_*.</summary>
    public uint Command;

    /// <summary>The version that the caller was built for.</summary>
    public uint Version;

    private ulong _union;
    private fixed byte _rest[UnionSize - sizeof(ulong)];

    /// <summary>The operation's structure.</summary>
    [UnscopedRef]
    public ref T As<T>() where T : unmanaged => ref Unsafe.As<ulong, T>(ref _union);
}
