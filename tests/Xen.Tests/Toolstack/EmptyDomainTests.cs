using FastXen.Xen.EventChannels;
using FastXen.Xen.Memory;
using FastXen.Xen.Toolstack;

namespace FastXen.Xen.Tests.Toolstack;

/// <summary>Domains that a toolstack builds begin with nothing.</summary>
public sealed class EmptyDomainTests
{
    [Fact]
    public void A_domain_begins_empty_and_gets_memory_and_vcpus()
    {
        var host = new XenHost();
        var control = new FakeControl(host);
        host.Control = control;
        Assert.Equal(0, control.Create(new DomainRequest(0, Guid.Empty), out ushort id));
        XenDomain domain = host.Directory.Find(id)!;
        ParavirtualMachine machine = host.MachineOf(domain)!;
        Assert.Equal((0L, 0L, 0), (domain.Memory.Populated, domain.Memory.Maximum, domain.Vcpus));
        Assert.False(domain.Memory.Populate(0));
        domain.Memory.Maximum = 2;
        Assert.True(domain.Memory.Populate(0));
        Assert.True(domain.Memory.Populate(1000));
        Assert.False(domain.Memory.Populate(1));
        Assert.Equal(-Errno.ENOENT, domain.EventChannels.BindIpi(0));
        Assert.Equal(0, control.SetVcpus(domain, 3));
        Assert.Equal((3, 3), (domain.Vcpus, machine.Vcpus.Count));
        Assert.All(machine.Vcpus, static vcpu => Assert.False(vcpu.IsUp));
        Assert.True(domain.EventChannels.BindIpi(2) > 0);
        Assert.Throws<InvalidOperationException>(() => machine.SetVcpus(4));
        Assert.Equal(0, control.Destroy(domain));
        Assert.Null(host.Directory.Find(id));
    }

    [Fact]
    public void Memory_beyond_the_first_is_room_for_the_balloon()
    {
        using var machine = new ParavirtualMachine(new XenHost(), 1, new ParavirtualConfiguration { Memory = 1 << 20, MaximumMemory = 2 << 20 });
        XenDomain domain = machine.Domain;
        Assert.Equal((64L, 128L, 128UL), (domain.Memory.Populated, domain.Memory.Maximum, domain.Memory.ArenaFrames));
        Assert.True(domain.Memory.Populate(127));
        Assert.False(domain.Memory.Populate(128));
        Assert.Throws<ArgumentException>(() => new ParavirtualMachine(new XenHost(), 1, new ParavirtualConfiguration { Memory = 2 << 20, MaximumMemory = 1 << 20 }));
    }

    [Fact]
    public void The_end_of_a_domain_is_told_to_the_privileged_one()
    {
        var host = new XenHost();
        using var privileged = new ParavirtualMachine(host, 0, new ParavirtualConfiguration { Memory = 1 << 20, IsPrivileged = true });
        int port = privileged.Domain.EventChannels.BindVirq(Virq.DomainException, 0);
        using (var other = new ParavirtualMachine(host, 1, new ParavirtualConfiguration { Memory = 1 << 20 }))
        {
            Assert.False(IsPending(privileged, port));
            other.Shutdown(ShutdownReason.PowerOff);
            Assert.True(IsPending(privileged, port));
            privileged.Domain.Memory.TryWrite(Frame.WindowStart * Frame.Size + 0xc00, 0UL);
        }

        Assert.True(IsPending(privileged, port));
    }

    private static bool IsPending(ParavirtualMachine machine, int port) =>
        machine.Domain.Memory.TryRead(Frame.WindowStart * Frame.Size + 0xc00, out ulong word) && (word >> port & 1) != 0;
}
