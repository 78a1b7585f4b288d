using FastXen.Xen.EventChannels;
using FastXen.Xen.Memory;

namespace FastXen.Xen.Tests.EventChannels;

public sealed class EventChannelCallTests : IDisposable
{
    private const ulong Argument = 0x10000;

    private readonly Machine machine = new();
    private readonly Guest zero;
    private readonly Guest one;

    public EventChannelCallTests()
    {
        zero = machine.Add(0, isPrivileged: true);
        one = machine.Add(1, vcpus: 2);
    }

    public void Dispose() => machine.Dispose();

    private static long Call(Guest guest, uint command, params uint[] words)
    {
        for (int i = 0; i < words.Length; i++)
            guest.Memory.TryWrite(Argument + 4 * (ulong)i, words[i]);
        return EventChannelCall.Do(guest.Domain, command, XencommHandle.Inline(Argument));
    }

    private static uint Result(Guest guest, int offset) =>
        guest.Memory.TryRead(Argument + (ulong)offset, out uint value) ? value : throw new InvalidOperationException();

    [Fact]
    public void StructuresAreThoseOfThePublicHeader()
    {
        // alloc_unbound {dom, remote} -> port at 4; by dom0 for another domain.
        Assert.Equal(0, Call(zero, 6, 1 | 0u << 16));
        uint unbound = Result(zero, 4);
        // bind_interdomain {remote_dom, remote_port} -> local_port at 8.
        Assert.Equal(0, Call(zero, 0, 1, unbound));
        uint port = Result(zero, 8);
        Assert.Equal(0, Call(zero, 4, port));
        Assert.Equal([(int)unbound], one.TakeEvents());
        // status {dom, port, status@8, vcpu@12, u@16}.
        Assert.Equal(0, Call(zero, 5, DomainIds.Self, port));
        Assert.Equal((2u, 0u, 1u, unbound), (Result(zero, 8), Result(zero, 12), Result(zero, 16) & 0xffff, Result(zero, 20)));
        Assert.Equal(0, Call(zero, 5, 1, unbound));
        Assert.Equal((2u, 0u, port), (Result(zero, 8), Result(zero, 16) & 0xffff, Result(zero, 20)));
        // bind_vcpu {port, vcpu}; unmask; close.
        Assert.Equal(0, Call(one, 8, unbound, 1));
        Assert.Equal(0, Call(one, 9, unbound));
        Assert.Equal(0, Call(one, 3, unbound));
        Assert.Equal(0, Call(zero, 5, DomainIds.Self, port));
        Assert.Equal((1u, 1u), (Result(zero, 8), Result(zero, 16) & 0xffff));
        // bind_virq {virq, vcpu} -> port at 8; bind_ipi {vcpu} -> port at 4.
        Assert.Equal(0, Call(one, 1, Virq.Itc, 1));
        uint virq = Result(one, 8);
        Assert.Equal(0, Call(one, 5, DomainIds.Self, virq));
        Assert.Equal((4u, 1u, (uint)Virq.Itc), (Result(one, 8), Result(one, 12), Result(one, 16)));
        Assert.Equal(0, Call(one, 7, 1));
        uint ipi = Result(one, 4);
        Assert.Equal(0, Call(one, 4, ipi));
        Assert.Equal([(int)ipi], one.TakeEvents(1));
        Assert.Equal(0, Call(one, 5, DomainIds.Self, ipi));
        Assert.Equal(5u, Result(one, 8));
        Assert.Equal(-Errno.EPERM, Call(one, 2, 5, 1));
        // reset {dom}.
        Assert.Equal(0, Call(zero, 10, 1));
        Assert.Equal(0, Call(one, 5, DomainIds.Self, ipi));
        Assert.Equal(0u, Result(one, 8));
    }

    [Fact]
    public void OthersAreThePrivilegedDomainsBusiness()
    {
        Assert.Equal(-Errno.EPERM, Call(one, 6, 0));
        Assert.Equal(-Errno.EPERM, Call(one, 5, 0, 0));
        Assert.Equal(-Errno.EPERM, Call(one, 10, 0));
        Assert.Equal(-Errno.ESRCH, Call(one, 6, 77));
        Assert.Equal(-Errno.ESRCH, Call(zero, 5, 77, 0));
        // By identifier a domain without privilege is another one even to itself.
        Assert.Equal(-Errno.EPERM, Call(one, 6, 1));
        // An unbound port for "self" waits for the caller.
        Assert.Equal(0, Call(one, 6, DomainIds.Self | (uint)DomainIds.Self << 16));
        Assert.Equal(0, Call(one, 0, DomainIds.Self, Result(one, 4)));
    }

    [Fact]
    public void BadArgumentsFault()
    {
        for (uint command = 0; command <= 10; command++)
        {
            Assert.Equal(-Errno.EFAULT, EventChannelCall.Do(one.Domain, command, new XencommHandle(0)));
            Assert.Equal(-Errno.EFAULT, EventChannelCall.Do(one.Domain, command, XencommHandle.Inline(1UL << 45)));
        }
        Assert.Equal(-Errno.ENOSYS, Call(one, 11));
        Assert.Equal(-Errno.ENOSYS, Call(one, uint.MaxValue));
    }

    [Fact]
    public void SendingAllocatesNothing()
    {
        Assert.Equal(0, Call(one, 7, 1));
        uint port = Result(one, 4);
        Call(one, 4, port);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
            EventChannelCall.Do(one.Domain, 4, XencommHandle.Inline(Argument));
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }
}
