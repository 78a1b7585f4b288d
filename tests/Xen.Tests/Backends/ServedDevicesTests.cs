using FastXen.Platform.Net;
using FastXen.Xen.Backends.Served;
using FastXen.Xen.Tests.Xenstore;
using FastXen.Xen.Xenstore;

namespace FastXen.Xen.Tests.Backends;

/// <summary>What the store says of devices that domains serve one another.</summary>
public sealed class ServedDevicesTests
{
    private const string Back = "/local/domain/2/backend/vbd/5/51712", Front = "/local/domain/5/device/vbd/51712";

    private static readonly ServedDevice[] Devices =
    [
        ServedDevice.Disk("driver", "xvda", "ram:64", isReadOnly: true),
        ServedDevice.Card("driver", 0, MacAddress.Read([0x52, 0x54, 0, 1, 2, 3]), "xenbr0"),
    ];

    private readonly XenstoreServer store = new();
    private readonly ServedDevices served;

    public ServedDevicesTests() => served = new ServedDevices(store);

    private void Home(ushort domain)
    {
        DomainHome.Remove(store, domain);
        store.Set(DomainHome.PathOf(domain), "", new(0, Access.None), new Permission(domain, Access.Read));
    }

    private void Enter(ushort domain, string name, params ServedDevice[] devices)
    {
        Home(domain);
        served.Enter(domain, name, devices);
    }

    private void Leave(ushort domain)
    {
        served.Leave(domain);
        DomainHome.Remove(store, domain);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Both_ends_are_written_when_both_domains_are_there(bool isDriverFirst)
    {
        if (isDriverFirst)
            Enter(2, "driver");
        Enter(5, "guest", Devices);
        if (!isDriverFirst)
        {
            Assert.Null(store.Get(Front));
            Enter(2, "driver");
        }

        Assert.Equal((Front, "5", "ram:64", "r", "1"),
            (store.Get($"{Back}/frontend"), store.Get($"{Back}/frontend-id"), store.Get($"{Back}/params"), store.Get($"{Back}/mode"), store.Get($"{Back}/state")));
        Assert.Equal((Back, "2", "51712", "1"),
            (store.Get($"{Front}/backend"), store.Get($"{Front}/backend-id"), store.Get($"{Front}/virtual-device"), store.Get($"{Front}/state")));
        Assert.Equal("52:54:00:01:02:03", store.Get("/local/domain/5/device/vif/0/mac"));
        Assert.Equal("/local/domain/2/backend/vif/5/0", store.Get("/local/domain/5/device/vif/0/backend"));
    }

    [Fact]
    public void Each_end_writes_its_own_and_reads_the_others_and_nobody_else_does()
    {
        Enter(2, "driver");
        Enter(5, "guest", Devices);
        Enter(7, "other");
        StoreTester driver = new(store, 2), guest = new(store, 5), other = new(store, 7);
        Assert.Equal("OK", driver.Write($"{Back}/state", "2"));
        Assert.Equal("2", guest.Read($"{Back}/state"));
        Assert.Equal("!EACCES", guest.Write($"{Back}/state", "4"));
        Assert.Equal("OK", guest.Write($"{Front}/ring-ref", "8"));
        Assert.Equal("8", driver.Read($"{Front}/ring-ref"));
        Assert.Equal("!EACCES", driver.Write($"{Front}/ring-ref", "9"));
        Assert.Equal("!EACCES", other.Read($"{Front}/ring-ref"));
        Assert.Equal("!EACCES", other.Read($"{Back}/state"));
    }

    [Fact]
    public void A_driver_domain_that_comes_again_is_another_backend()
    {
        Enter(2, "driver");
        Enter(5, "guest", Devices);
        StoreTester guest = new(store, 5);
        guest.Write($"{Front}/ring-ref", "8");
        guest.Write($"{Front}/state", "4");
        Leave(2);
        Assert.Equal("4", store.Get($"{Front}/state"));
        Enter(9, "driver");
        Assert.Equal(("/local/domain/9/backend/vbd/5/51712", "9", "1"), (store.Get($"{Front}/backend"), store.Get($"{Front}/backend-id"), store.Get($"{Front}/state")));
        // What was for the first one is not there for the second one, which can read what is.
        Assert.Null(store.Get($"{Front}/ring-ref"));
        Assert.Equal("1", new StoreTester(store, 9).Read($"{Front}/state"));
        Assert.Equal("!EACCES", new StoreTester(store, 2).Read($"{Front}/state"));
        Assert.Equal("OK", guest.Write($"{Front}/state", "3"));
    }

    [Fact]
    public void A_domain_that_goes_is_taken_from_its_driver_domain()
    {
        Enter(2, "driver");
        Enter(5, "guest", Devices);
        Leave(5);
        Assert.Empty(store.List("/local/domain/2/backend/vbd"));
        Assert.Empty(store.List("/local/domain/2/backend/vif"));
        Enter(2, "driver");
        Assert.Null(store.Get(Front));
    }
}
