using System.Text;

namespace FastXen.Xen.Tests.Toolstack;

/// <summary>sysctl as the toolstacks of both generations call it, hvm_op, platform_op and debug_op.</summary>
public sealed class SysctlTests
{
    private const uint ReadConsole = 1, Tbuf = 2, PhysInfo = 3, SchedId = 4, Perfc = 5, List = 6, DebugKeys = 7, CpuInfo = 8, AvailHeap = 9, Topology = 16, Numa = 17;

    private static readonly ulong Buffer = Hypercaller.At(ToolstackDomain.Buffer);

    public static TheoryData<uint> Versions => [5, 8];

    [Theory]
    [MemberData(nameof(Versions))]
    public void The_host_is_described(uint version)
    {
        using var t = new ToolstackDomain(version);
        Assert.Equal(0, t.Sysctl(PhysInfo));
        if (version == 5)
        {
            Assert.Equal((1u, 2u, 1u, 1_600_000u), (t.SysctlResult<uint>(0), t.SysctlResult<uint>(8), t.SysctlResult<uint>(12), t.SysctlResult<uint>(16)));
            Assert.Equal((1UL << 16, 1UL << 15), (t.SysctlResult<ulong>(24), t.SysctlResult<ulong>(32)));
        }
        else
        {
            Assert.Equal((2u, 2u, 1u, 1u), (t.SysctlResult<uint>(4), t.SysctlResult<uint>(8), t.SysctlResult<uint>(12), t.SysctlResult<uint>(16)));
            Assert.Equal((1_600_000u, 1UL << 16, 1UL << 15), (t.SysctlResult<uint>(24), t.SysctlResult<ulong>(32), t.SysctlResult<ulong>(40)));
        }

        Assert.Equal(0, t.Sysctl(SchedId));
        Assert.Equal(5u, t.SysctlResult<uint>(0));
        Assert.Equal(0, t.Sysctl(AvailHeap, 0, ulong.MaxValue));
        Assert.Equal(1UL << 29, t.SysctlResult<ulong>(16));
        Assert.Equal(0, t.Sysctl(CpuInfo, 10, Buffer));
        Assert.Equal((2u, 1001UL), (t.SysctlResult<uint>(16), t.Dom0.Get<ulong>(ToolstackDomain.Buffer + 8)));
        Assert.Equal(-Errno.EFAULT, t.Sysctl(CpuInfo, 1, 0));
        Assert.Equal(0, t.Sysctl(Topology, 63, Buffer, 0, 0));
        Assert.Equal((1u, 1u), (t.SysctlResult<uint>(0), t.Dom0.Get<uint>(ToolstackDomain.Buffer + 4)));
        Assert.Equal(0, t.Sysctl(Numa, 63, Buffer, 0, 0));
        Assert.Equal(1UL << 30, t.Dom0.Get<ulong>(ToolstackDomain.Buffer));
    }

    [Fact]
    public void Centos_has_a_longer_form()
    {
        using var t = new ToolstackDomain(5);
        t.Dom0.Put<ulong>(Hypercaller.Argument, 4UL << 32 | PhysInfo);
        t.Dom0.Put(Hypercaller.Argument + 8 + 88, 0x1234UL);
        Assert.Equal(0, t.Dom0.Call(35, Hypercaller.At(Hypercaller.Argument)));
        Assert.Equal((2u, 1u, 0x1234UL), (t.SysctlResult<uint>(8), t.SysctlResult<uint>(80), t.SysctlResult<ulong>(88)));
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public void Domains_are_listed(uint version)
    {
        using var t = new ToolstackDomain(version);
        const int Count = 70;
        for (int k = 0; k < Count; k++)
            Assert.Equal(0, t.Domctl(1, 0));
        ulong size = version == 5 ? 72UL : 88;
        ulong handle = Hypercaller.At(ToolstackDomain.BigBuffer);
        Assert.Equal(0, t.Sysctl(List, 1000UL << 32, handle));
        Assert.Equal((2, Count + 1u), (t.Dom0.Executions, t.SysctlResult<uint>(16)));
        for (ulong k = 0; k <= Count; k++)
            Assert.Equal((ushort)k, t.Dom0.Get<ushort>(ToolstackDomain.BigBuffer + k * size));
        Assert.Equal(0, t.Sysctl(List, 2UL << 32 | 5, handle));
        Assert.Equal((2u, (ushort)6), (t.SysctlResult<uint>(16), t.Dom0.Get<ushort>(ToolstackDomain.BigBuffer + size)));
        Assert.Equal(-Errno.EFAULT, t.Sysctl(List, 2UL << 32, 0));
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public void The_console_is_read(uint version)
    {
        using var t = new ToolstackDomain(version);
        t.Host.Console.Write("hello"u8);
        Assert.Equal(0, t.Sysctl(ReadConsole, 0, Buffer, 3));
        Assert.Equal((3u, (byte)'l'), (t.SysctlResult<uint>(16), t.Dom0.Get<byte>(ToolstackDomain.Buffer + 2)));
        Assert.Equal(0, t.Sysctl(ReadConsole, 1, Buffer, uint.MaxValue));
        Assert.Equal(5u, t.SysctlResult<uint>(16));
        Assert.Equal(0, t.Sysctl(ReadConsole, 0, Buffer, 100));
        Assert.Equal(0u, t.SysctlResult<uint>(16));
        t.Host.Console.Write(Encoding.ASCII.GetBytes(new string('x', 20_000) + "end"));
        Assert.Equal(0, t.Sysctl(ReadConsole, 0, Hypercaller.At(ToolstackDomain.BigBuffer), 1 << 20));
        Assert.Equal((16384u, (byte)'d'), (t.SysctlResult<uint>(16), t.Dom0.Get<byte>(ToolstackDomain.BigBuffer + 16383)));
        if (version == 8)
        {
            uint index = t.SysctlResult<uint>(4);
            t.Host.Console.Write("!"u8);
            Assert.Equal(0, t.Sysctl(ReadConsole, (ulong)index << 32 | 1 << 8, Buffer, 100));
            Assert.Equal((1u, (byte)'!', index + 1), (t.SysctlResult<uint>(16), t.Dom0.Get<byte>(ToolstackDomain.Buffer), t.SysctlResult<uint>(4)));
        }

        Assert.Equal(-Errno.EFAULT, t.Sysctl(ReadConsole, 0, 0, 100));
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public void What_is_not_there(uint version)
    {
        using var t = new ToolstackDomain(version);
        foreach (uint command in (uint[])[0, Perfc, 10, 11, 12, 13, 14, 15, 18, 19, 1000])
            Assert.Equal(-Errno.ENOSYS, t.Sysctl(command));
        Assert.Equal(0, t.Sysctl(Tbuf, 0, 0, 0, ulong.MaxValue, ulong.MaxValue, ulong.MaxValue));
        Assert.Equal((0u, 0UL, 0u), (t.SysctlResult<uint>(24), t.SysctlResult<ulong>(32), t.SysctlResult<uint>(40)));
        Assert.Equal(0, t.Sysctl(Tbuf, 5));
        foreach (ulong command in (ulong[])[3, 4, 6])
            Assert.Equal(-Errno.EINVAL, t.Sysctl(Tbuf, command));
        Assert.Equal(0, t.Sysctl(DebugKeys, Buffer, 3));
        Assert.Equal(-Errno.EFAULT, t.Sysctl(DebugKeys, 0, 3));
        Assert.Equal(-Errno.EINVAL, t.Sysctl(DebugKeys, Buffer, 1 << 20));
    }

    [Fact]
    public void Parameters_of_hvm_op_are_kept()
    {
        using var t = new ToolstackDomain(8);
        XenDomain domain = t.Create();
        using var guest = new Hypercaller(t.Host, 50);
        ulong handle = Hypercaller.At(Hypercaller.Argument);
        t.Dom0.Put<ulong>(Hypercaller.Argument, 1UL << 32 | domain.Id, 0x1234);
        Assert.Equal(0, t.Dom0.Call(34, 0, handle));
        t.Dom0.Put<ulong>(Hypercaller.Argument, 1UL << 32 | domain.Id, 0);
        Assert.Equal(0, t.Dom0.Call(34, 1, handle));
        Assert.Equal(0x1234UL, t.Dom0.Get<ulong>(Hypercaller.Argument + 8));
        guest.Put<ulong>(Hypercaller.Argument, 1UL << 32 | domain.Id, 0);
        Assert.Equal(-Errno.EPERM, guest.Call(34, 0, handle));
        Assert.Equal(-Errno.EPERM, guest.Call(34, 1, handle));
        Assert.Equal(-Errno.EPERM, guest.Call(34, 2, handle));
        guest.Put<ulong>(Hypercaller.Argument, 30UL << 32 | DomainIds.Self, 0);
        Assert.Equal(-Errno.EINVAL, guest.Call(34, 0, handle));
        Assert.Equal(-Errno.EINVAL, guest.Call(34, 2, handle));
        guest.Put<ulong>(Hypercaller.Argument, 5UL << 32 | DomainIds.Self, 7);
        Assert.Equal(-Errno.EINVAL, guest.Call(34, 0, handle));
        guest.Put<ulong>(Hypercaller.Argument, 13UL << 32 | DomainIds.Self, DomainIds.Self);
        Assert.Equal(-Errno.EINVAL, guest.Call(34, 0, handle));
        Assert.Equal(0, guest.Call(34, 4, handle));
        Assert.Equal(-Errno.EFAULT, guest.Call(34, 0, 0));
        Assert.Equal(-Errno.EFAULT, guest.Call(34, 3, 0));
        foreach (ulong command in (ulong[])[5, 6, 8, 1000])
            Assert.Equal(-Errno.ENOSYS, guest.Call(34, command, handle));
    }

    [Fact]
    public void Platform_op_and_debug_op()
    {
        using var t = new ToolstackDomain(8);
        XenDomain domain = t.Create();
        using var guest = new Hypercaller(t.Host, 50);
        ulong handle = Hypercaller.At(Hypercaller.Argument);
        Assert.Equal(-Errno.EPERM, guest.Call(7, handle));
        Assert.Equal(-Errno.EFAULT, t.Dom0.Call(7, 0));
        t.Dom0.Put<ulong>(Hypercaller.Argument, 54);
        Assert.Equal(-Errno.EACCES, t.Dom0.Call(7, handle));
        t.Dom0.Put<ulong>(Hypercaller.Argument, 0x0300_0001UL << 32 | 54);
        Assert.Equal(-Errno.ENOSYS, t.Dom0.Call(7, handle));

        t.Dom0.Put<ulong>(Hypercaller.Argument, 0x1_0001);
        Assert.Equal(0, t.Dom0.Call(50, 1, domain.Id, handle));
        t.Dom0.Put<ulong>(Hypercaller.Argument, 0);
        Assert.Equal(0, t.Dom0.Call(50, 2, domain.Id, handle));
        Assert.Equal(0x1_0001UL, t.Dom0.Get<ulong>(Hypercaller.Argument));
        Assert.Equal(-Errno.ENOSYS, t.Dom0.Call(50, 3, domain.Id, handle));
        Assert.Equal(-Errno.ESRCH, t.Dom0.Call(50, 1, 99, handle));
        Assert.Equal(-Errno.EPERM, guest.Call(50, 1, domain.Id, handle));
        Assert.Equal(-Errno.EFAULT, t.Dom0.Call(50, 1, domain.Id, 0));
    }
}
