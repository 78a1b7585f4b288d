using FastXen.Core;
using FastXen.Core.Tests.SystemLevel;
using FastXen.Xen.Memory;
using FastXen.Xen.Tests.Processor;

namespace FastXen.Xen.Tests.Toolstack;

/// <summary>domctl as the toolstacks of both generations call it.</summary>
public sealed class DomctlTests
{
    private const uint Create = 1, Destroy = 2, Pause = 3, Unpause = 4, Info = 5, MemList = 6, SetAffinity = 9, Shadow = 10, MaxMem = 11, SetContext = 12, GetContext = 13,
        VcpuInfo = 14, MaxVcpus = 15, Scheduler = 16, SetHandle = 17, SetDebugging = 18, IrqPermission = 19, IomemPermission = 20, IoportPermission = 21, ArchSetup = 23,
        TimeOffset = 24, GetAffinity = 25, Resume = 27, SendTrigger = 28, Subscribe = 29, SetAddressSize = 35, GetAddressSize = 36, AssignDevice = 37, OptFeature = 44, TestAssignDevice = 45, DeassignDevice = 47;

    private static readonly uint[] All = [.. Enumerable.Range(1, 48).Select(static n => (uint)n)];

    public static TheoryData<uint> Versions => [5, 8];

    [Fact]
    public void Only_a_privileged_domain_of_a_known_version_is_heard()
    {
        using var t = new ToolstackDomain(8);
        using var guest = new Hypercaller(t.Host, 7);
        foreach (uint command in All)
        {
            guest.Put<ulong>(Hypercaller.Argument, 8UL << 32 | command, 7);
            Assert.Equal(-Errno.EPERM, guest.Call(36, Hypercaller.At(Hypercaller.Argument)));
            Assert.Equal(-Errno.EPERM, guest.Call(35, Hypercaller.At(Hypercaller.Argument)));
        }

        Assert.Equal(-Errno.EFAULT, t.Dom0.Call(36, 0));
        Assert.Equal(-Errno.EFAULT, t.Dom0.Call(35, 0));
        foreach (uint version in (uint[])[0, 4, 6, 7, 9])
        {
            using var other = new ToolstackDomain(version);
            Assert.Equal(-Errno.EACCES, other.Domctl(Info, 0));
        }

        t.Dom0.Put(Hypercaller.Argument, 5UL << 32 | 3);
        Assert.Equal(-Errno.EACCES, t.Dom0.Call(35, Hypercaller.At(Hypercaller.Argument)));
        t.Host.Control = null;
        Assert.Equal(-Errno.ENOSYS, t.Domctl(Info, 0));
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public void A_domain_is_made_described_and_ended(uint version)
    {
        using var t = new ToolstackDomain(version);
        Assert.Equal(0, t.Domctl(Create, 0, 0x0403_0201_0000_0000, 0x0c0b_0a09_0807_0605, 0x100f_0e0d));
        ushort id = t.LastDomain;
        XenDomain domain = t.Host.Directory.Find(id)!;
        Assert.Equal(new Guid("01020304-0506-0708-090a-0b0c0d0e0f10"), domain.Handle);
        Assert.Equal(0, t.Domctl(MaxMem, id, 2048));
        Assert.Equal(0, t.Domctl(MaxVcpus, id, 2));
        Assert.Equal(0, t.Domctl(Info, id));
        ulong rest = version == 5 ? 24UL : 40;
        Assert.Equal((id, 1u << 3 | 1 << 4), (t.Result<ushort>(0), t.Result<uint>(4)));
        Assert.Equal((0UL, 128UL, Frame.WindowStart), (t.Result<ulong>(8), t.Result<ulong>(16), t.Result<ulong>(rest)));
        Assert.Equal((3_000_000UL, 0u, 1u), (t.Result<ulong>(rest + 8), t.Result<uint>(rest + 16), t.Result<uint>(rest + 20)));
        Assert.Equal(0x0807_0605_0403_0201UL, t.Result<ulong>(rest + 28));

        Assert.Equal(0, t.Domctl(Unpause, id));
        Assert.Equal(0, t.Domctl(Info, id));
        Assert.Equal(0u, t.Result<uint>(4) & 8);
        Assert.Equal(0, t.Domctl(Pause, id));
        t.Host.MachineOf(domain)!.Shutdown(ShutdownReason.Crash);
        Assert.Equal(0, t.Domctl(Info, id));
        Assert.Equal(3u << 16 | 1 << 4 | 1 << 3 | 1 << 2, t.Result<uint>(4));
        // From a number on.
        Assert.Equal(0, t.Domctl(Info, 1));
        Assert.Equal(id, t.LastDomain);
        Assert.Equal(0, t.Domctl(SetHandle, id, 1, 2));
        Assert.Equal(new Guid("01000000-0000-0000-0200-000000000000"), domain.Handle);
        Assert.Equal(0, t.Domctl(Destroy, id));
        Assert.Equal(-Errno.ESRCH, t.Domctl(Info, 1));
        Assert.Equal(-Errno.ESRCH, t.Domctl(Destroy, id));
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public void What_cannot_be_made(uint version)
    {
        using var t = new ToolstackDomain(version);
        Assert.Equal(-Errno.EINVAL, t.Domctl(Create, 0, 0, 0, 1UL << 32));
        Assert.Equal(-Errno.EINVAL, t.Domctl(Create, 0, 0, 0, 1UL << 40));
        Assert.Equal(0, t.Domctl(Create, 9));
        Assert.Equal(9, t.LastDomain);
        Assert.Equal(-Errno.EINVAL, t.Domctl(Create, 9));
        Assert.Equal(0, t.Domctl(Create, 0xFFFF));
        Assert.Equal(1, t.LastDomain);
        Assert.Equal(-Errno.EINVAL, t.Domctl(MaxVcpus, 9, 65));
        Assert.Equal(0, t.Domctl(MaxVcpus, 9, 0));
        Assert.Equal(0, t.Domctl(MaxVcpus, 9, 2));
        Assert.Equal(0, t.Domctl(MaxVcpus, 9, 2));
        Assert.Equal(-Errno.EINVAL, t.Domctl(MaxVcpus, 9, 1));
        Assert.Equal(-Errno.EBUSY, t.Domctl(MaxVcpus, 9, 3));
        Assert.Equal(-Errno.EINVAL, t.Domctl(MaxVcpus, 0, 3));
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public void A_domain_does_not_pause_or_end_itself_and_others_must_exist(uint version)
    {
        using var t = new ToolstackDomain(version);
        foreach (uint command in (uint[])[Destroy, Pause, SetContext, Shadow])
            Assert.Equal(-Errno.EINVAL, t.Domctl(command, 0));
        Assert.Equal(-Errno.EINVAL, t.Domctl(SetDebugging, 0, 1));
        uint[] known = [Destroy, Pause, Unpause, MemList, SetAffinity, Shadow, MaxMem, SetContext, GetContext, VcpuInfo, MaxVcpus, Scheduler, SetHandle, SetDebugging,
            IrqPermission, IomemPermission, IoportPermission, ArchSetup, TimeOffset, GetAffinity, Resume, SendTrigger, 33, 34, SetAddressSize, GetAddressSize, OptFeature,
            AssignDevice, 38, 39, 40, DeassignDevice, 48];
        foreach (uint command in known)
        {
            int expected = command is MemList or ArchSetup or OptFeature or AssignDevice or DeassignDevice ? -Errno.EINVAL : -Errno.ESRCH;
            Assert.Equal(expected, t.Domctl(command, 77, 0, 1));
            Assert.Equal(expected, t.Domctl(command, DomainIds.Self, 0, 1));
        }

        XenDomain domain = t.Create();
        foreach (uint command in All.Except(known).Except([Create, Info, Subscribe, TestAssignDevice]))
            Assert.Equal(-Errno.ENOSYS, t.Domctl(command, domain.Id));
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public void Memory_is_listed_in_slices(uint version)
    {
        using var t = new ToolstackDomain(version);
        XenDomain domain = t.Create();
        Assert.Equal(64, domain.Memory.Populated);
        Assert.Equal(0, t.Domctl(MemList, domain.Id, 600, 62, Hypercaller.At(ToolstackDomain.Buffer)));
        Assert.Equal(2, t.Dom0.Executions);
        Assert.Equal(600UL, t.Result<ulong>(24));
        Assert.Equal((63UL, ulong.MaxValue), (t.Dom0.Get<ulong>(ToolstackDomain.Buffer + 8), t.Dom0.Get<ulong>(ToolstackDomain.Buffer + 16)));
        Assert.Equal(-Errno.EFAULT, t.Domctl(MemList, domain.Id, 1, 0, 0));
        // No more than the maximum that the toolstack sets.
        t.Dom0.Put<ulong>(ToolstackDomain.BigBuffer, 70);
        t.Dom0.Put<ulong>(ToolstackDomain.Buffer, Hypercaller.At(ToolstackDomain.BigBuffer), 1, 0, domain.Id);
        Assert.Equal(0, t.Dom0.Call(12, 6, Hypercaller.At(ToolstackDomain.Buffer)));
        Assert.Equal(0, t.Domctl(MaxMem, domain.Id, 1040));
        Assert.Equal(1, t.Dom0.Call(12, 6, Hypercaller.At(ToolstackDomain.Buffer)));
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public void Vcpus_shares_and_affinities(uint version)
    {
        using var t = new ToolstackDomain(version);
        XenDomain domain = t.Create(vcpus: 2);
        ushort id = domain.Id;
        Assert.Equal(0, t.Domctl(VcpuInfo, id, 1));
        Assert.Equal((0, 1, 0, 2_000_000UL, 1u), (t.Result<byte>(4), t.Result<byte>(5), t.Result<byte>(6), t.Result<ulong>(8), t.Result<uint>(16)));
        Assert.Equal(version == 5 ? -Errno.ESRCH : -Errno.EINVAL, t.Domctl(VcpuInfo, id, 2));
        Assert.Equal(-Errno.EINVAL, t.Domctl(VcpuInfo, id, 64));

        ulong bitmap = Hypercaller.At(ToolstackDomain.Buffer);
        t.Dom0.Put<ulong>(ToolstackDomain.Buffer, 0xFE);
        Assert.Equal(0, t.Domctl(SetAffinity, id, 1, bitmap, 8));
        Assert.Equal(0, t.Domctl(GetAffinity, id, 1, bitmap, 100));
        Assert.Equal((2UL, 0UL), (t.Dom0.Get<ulong>(ToolstackDomain.Buffer), t.Dom0.Get<ulong>(ToolstackDomain.Buffer + 5)));
        t.Dom0.Put<ulong>(ToolstackDomain.Buffer, 2);
        Assert.Equal(-Errno.EINVAL, t.Domctl(SetAffinity, id, 1, bitmap, 1));
        Assert.Equal(-Errno.EINVAL, t.Domctl(SetAffinity, id, 2, bitmap, 8));
        Assert.Equal(-Errno.EINVAL, t.Domctl(SetAffinity, id, 0, 0, 0));
        Assert.Equal(-Errno.EINVAL, t.Domctl(GetAffinity, id, 0, bitmap, uint.MaxValue));
        Assert.Equal(-Errno.EFAULT, t.Domctl(GetAffinity, id, 0, 0, 64));

        // Credit: weight and cap, each may stay.
        Assert.Equal(0, t.Domctl(Scheduler, id, 1UL << 32 | 5));
        Assert.Equal((256, 0), (t.Result<ushort>(8), t.Result<ushort>(10)));
        Assert.Equal(0, t.Domctl(Scheduler, id, 5, 0xFFFF_0000 | 512));
        Assert.Equal(0, t.Domctl(Scheduler, id, 5, 50 << 16));
        Assert.Equal(0, t.Domctl(Scheduler, id, 1UL << 32 | 5));
        Assert.Equal((512, 50), (t.Result<ushort>(8), t.Result<ushort>(10)));
        Assert.Equal(-Errno.EINVAL, t.Domctl(Scheduler, id, 4));
        Assert.Equal(-Errno.EINVAL, t.Domctl(Scheduler, id, 2UL << 32 | 5));

        Assert.Equal(-Errno.ENOSYS, t.Domctl(SendTrigger, id, 1UL << 32));
        Assert.Equal(-Errno.ESRCH, t.Domctl(SendTrigger, id, 2UL << 32));
        Assert.Equal(-Errno.EINVAL, t.Domctl(SendTrigger, id, 64UL << 32));
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public void Rights_and_the_rest(uint version)
    {
        using var t = new ToolstackDomain(version);
        XenDomain domain = t.Create();
        ushort id = domain.Id;
        Assert.False(domain.IoPermissions.HasInterrupt(40));
        Assert.Equal(0, t.Domctl(IrqPermission, id, 1 << 8 | 40));
        Assert.True(domain.IoPermissions.HasInterrupt(40));
        Assert.Equal(0, t.Domctl(IrqPermission, id, 40));
        Assert.False(domain.IoPermissions.HasInterrupt(40));
        Assert.Equal(0, t.Domctl(IomemPermission, id, 100, 10, 1));
        Assert.Equal((true, false), (domain.IoPermissions.HasFrames(100, 109), domain.IoPermissions.HasFrames(100, 110)));
        Assert.Equal(0, t.Domctl(IomemPermission, id, 105, 1, 0));
        Assert.Equal((true, false), (domain.IoPermissions.HasFrames(106, 109), domain.IoPermissions.HasFrames(100, 109)));
        Assert.Equal(-Errno.EINVAL, t.Domctl(IomemPermission, id, 100, ulong.MaxValue, 1));
        Assert.Equal(0, t.Domctl(IoportPermission, id, 8UL << 32 | 0x3f8, 1));
        Assert.True(domain.IoPermissions.HasPorts(0x3f8, 0x3ff));
        Assert.Equal(0, t.Domctl(IoportPermission, id, 0x3f8, 1));
        Assert.Equal(-Errno.EINVAL, t.Domctl(IoportPermission, id, 2UL << 32 | 0xFFFF, 1));

        Assert.Equal(0, t.Domctl(TimeOffset, id, unchecked((uint)-3600)));
        Assert.Equal(-3600, domain.TimeOffset);
        Assert.Equal(0, t.Domctl(SetDebugging, id, 1));
        Assert.Equal(0, t.Domctl(Info, id));
        Assert.NotEqual(0u, t.Result<uint>(4) & 1 << 6);
        Assert.Equal(0, t.Domctl(SetAddressSize, id, 64));
        Assert.Equal(-Errno.EINVAL, t.Domctl(SetAddressSize, id, 32));
        Assert.Equal(0, t.Domctl(GetAddressSize, id));
        Assert.Equal(64u, t.Result<uint>(0));
        Assert.Equal(0, t.Domctl(OptFeature, id, 1));
        Assert.Equal(-Errno.ENOSYS, t.Domctl(OptFeature, id, 9));
        Assert.Equal(0, t.Domctl(Resume, id));

        Assert.Equal(0, t.Domctl(Shadow, id, 0));
        Assert.Equal(-Errno.EINVAL, t.Domctl(Shadow, id, 1));
        Assert.Equal(-Errno.ENOSYS, t.Domctl(Shadow, id, 4));
        Assert.Equal(0, t.Domctl(Shadow, id, 30));
        Assert.Equal(-Errno.EINVAL, t.Domctl(Shadow, id, 31, 5));
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public void What_is_written_is_logged(uint version)
    {
        const ulong Off = 0, Enable = 2, Clean = 11, Peek = 12;
        using var t = new ToolstackDomain(version);
        XenDomain domain = t.Create();
        ushort id = domain.Id;
        Assert.Equal(-Errno.EINVAL, Log(Clean, 64));
        Assert.Equal(0, Log(Enable));
        Assert.Equal(-Errno.EINVAL, Log(Enable));
        Assert.Equal((0, 0UL, 0u), (Log(Peek, 64), Bits(), t.Result<uint>(36)));
        // By the hypervisor, at the ends of two frames; by the toolstack's mapping.
        domain.Memory.Write(4 * Frame.Size - 1, [1, 2]);
        t.Write(domain, 9UL << Frame.Shift, [1]);
        const ulong Written = 1 << 3 | 1 << 4 | 1 << 9;
        Assert.Equal((0, Written, 3u), (Log(Peek, 64), Bits(), t.Result<uint>(36)));
        // No more than are asked for, and the others stay; no place for the answer.
        Assert.Equal((0, 1UL << 3), (Log(Clean, 4), Bits()));
        Assert.Equal(-Errno.EFAULT, t.Domctl(Shadow, id, Clean, 0, Hypercaller.At(1UL << 39), 64));
        Assert.Equal(-Errno.EINVAL, t.Domctl(Shadow, id, Clean, 0, 0, 64));
        Assert.Equal((0, Written & ~(1UL << 3)), (Log(Clean, 64), Bits()));
        Assert.Equal((0, 0UL), (Log(Clean, 64), Bits()));
        // A frame that somebody may write at any time is always there, and one that came or went.
        Pin(domain, 20);
        Assert.True(domain.Memory.Release(21));
        Assert.Equal((0, 3UL << 20), (Log(Clean, 64), Bits()));
        Assert.Equal((0, 1UL << 20), (Log(Clean, ulong.MaxValue), Bits()));
        Assert.Equal(domain.Memory.ArenaFrames, t.Result<ulong>(24));
        domain.Memory.Unpin(20);
        Assert.Equal(0, Log(Off));
        Assert.Equal(-Errno.EINVAL, Log(Peek, 64));
        Assert.Equal(-Errno.EINVAL, t.Domctl(Shadow, 0, Enable));

        long Log(ulong operation, ulong frames = 0)
        {
            t.Dom0.Put(ToolstackDomain.Buffer, ulong.MaxValue);
            return t.Domctl(Shadow, id, operation, 0, Hypercaller.At(ToolstackDomain.Buffer), frames);
        }

        static unsafe void Pin(XenDomain of, ulong gpfn) => Assert.True(of.Memory.TryPin(gpfn, out _));

        // Of the frames that were asked for: the rest is as it was.
        ulong Bits() => t.Result<ulong>(24) is < 64 and var frames ? t.Dom0.Get<ulong>(ToolstackDomain.Buffer) & (1UL << (int)frames) - 1 : t.Dom0.Get<ulong>(ToolstackDomain.Buffer);
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public void A_domain_that_a_toolstack_built_runs(uint version)
    {
        using var t = new ToolstackDomain(version);
        XenDomain domain = t.Create();
        ushort id = domain.Id;
        ParavirtualMachine machine = t.Host.MachineOf(domain)!;
        // The program: where r28 points there is the firmware's system table; then the end.
        const ulong Entry = 0x8_0000, Result = 0x9_0000, StartInfo = 61UL << 14, Boot = StartInfo + 0x490;
        t.Write(domain, Entry, Assembly.Of($"""
            movl r20={Result} ;;
            {Kernel.Say("r28")}
            adds r14=8,r28 ;;
            ld8 r14=[r14] ;;
            ld8 r14=[r14] ;;
            {Kernel.Say("r14")}
            {Kernel.Stop}
            """));
        Assert.Equal(0, t.Domctl(ArchSetup, id, 2));
        Assert.Equal((0xf500_0000_0000_0000UL, 0x1000u), (t.Result<ulong>(24), t.Result<uint>(32)));
        Assert.Equal(0, t.Domctl(ArchSetup, id, 0, Boot, 61UL << 14));
        byte[] context = new byte[version == 5 ? 1056 : 22208];
        BitConverter.TryWriteBytes(context.AsSpan(version == 5 ? 0x58 : 0x1d0), Entry);
        BitConverter.TryWriteBytes(context.AsSpan(version == 5 ? 0x60 : 0x1e0), 1UL << 63);
        BitConverter.TryWriteBytes(context.AsSpan(version == 5 ? 0x148 : 0xf0), Boot);
        t.Dom0.Put<byte>(ToolstackDomain.BigBuffer, context);
        t.Control.Busy = 2;
        Assert.Equal(0, t.Domctl(SetContext, id, 0, Hypercaller.At(ToolstackDomain.BigBuffer)));
        Assert.Equal((3, 0), (t.Dom0.Executions, t.Control.Holds));
        Assert.True(machine.Vcpus[0].IsUp);
        // A running domain has its firmware.
        Assert.Equal(-Errno.EINVAL, t.Domctl(ArchSetup, id, 0, Boot, 61UL << 14));

        machine.Vcpus[0].Processor.RunLimit = 100_000;
        Assert.Equal(VcpuStop.PowerOff, machine.Vcpus[0].Processor.Run());
        Assert.True(domain.Memory.TryRead(Result, out ulong r28) && domain.Memory.TryRead(Result + 8, out ulong signature) && signature == 0x5453_5953_2049_4249);
        Assert.Equal(Boot, r28);

        Assert.Equal(0, t.Domctl(GetContext, id, 0, Hypercaller.At(ToolstackDomain.BigBuffer)));
        Assert.InRange(t.Dom0.Get<ulong>(ToolstackDomain.BigBuffer + (version == 5 ? 0x58UL : 0x1d0)), Entry, Entry + 0x200);
        Assert.Equal(Boot, t.Dom0.Get<ulong>(ToolstackDomain.BigBuffer + (version == 5 ? 0x148UL : 0xf0)));
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public void Contexts_that_are_none(uint version)
    {
        using var t = new ToolstackDomain(version);
        XenDomain domain = t.Create(vcpus: 2);
        ulong context = Hypercaller.At(ToolstackDomain.BigBuffer);
        Assert.Equal(-Errno.ENODATA, t.Domctl(GetContext, domain.Id, 0, context));
        Assert.Equal(version == 5 ? -Errno.ESRCH : -Errno.EINVAL, t.Domctl(SetContext, domain.Id, 2, context));
        Assert.Equal(0, t.Domctl(SetContext, domain.Id, 0, 0));
        Assert.Equal(-Errno.EFAULT, t.Domctl(SetContext, domain.Id, 0, Hypercaller.At(1UL << 45)));
        // A frame of which no register is there, and region identifiers that no guest has.
        t.Dom0.Put<byte>(ToolstackDomain.BigBuffer, new byte[22208]);
        t.Dom0.Put(ToolstackDomain.BigBuffer + (version == 5 ? 0x60UL : 0x1e0), 1UL << 63 | 5);
        Assert.Equal(-Errno.EINVAL, t.Domctl(SetContext, domain.Id, 0, context));
        t.Dom0.Put(ToolstackDomain.BigBuffer + (version == 5 ? 0x60UL : 0x1e0), 1UL << 63 | 100);
        Assert.Equal(-Errno.EINVAL, t.Domctl(SetContext, domain.Id, 0, context));
        if (version == 8)
        {
            t.Dom0.Put(ToolstackDomain.BigBuffer + 0x1e0, 1UL << 63);
            t.Dom0.Put(ToolstackDomain.BigBuffer + 0x1280, ulong.MaxValue);
            Assert.Equal(-Errno.EINVAL, t.Domctl(SetContext, domain.Id, 0, context));
            t.Dom0.Put(ToolstackDomain.BigBuffer + 0x1280, 0UL);
            t.Dom0.Put(ToolstackDomain.BigBuffer + 0x1f8 + 8 * 17, 0x8000UL);
            Assert.Equal(-Errno.EINVAL, t.Domctl(SetContext, domain.Id, 0, context));
        }

        Assert.Equal(0, t.Control.Holds);
        Assert.False(t.Host.MachineOf(domain)!.Vcpus[0].IsUp);
    }
}
