using FastXen.Events;
using FastXen.Xen.Xenstore;

namespace FastXen.Xen.Tests.Xenstore;

/// <summary>Watches of the host's own code.</summary>
public sealed class HostWatchTests
{
    private readonly XenstoreServer server = new();

    private sealed class Counter : IEventSink
    {
        public int Count { get; private set; }

        public void Signal() => Count++;

        public int Take()
        {
            int count = Count;
            Count = 0;
            return count;
        }
    }

    [Fact]
    public void ChangesOfANodeAndBelowItAreSignalled()
    {
        var state = new Counter();
        var above = new Counter();
        var root = new Counter();
        using IDisposable one = server.Watch("/local/domain/1/device/state", state), two = server.Watch("/local/domain/1", above),
            three = server.Watch("/", root);
        Assert.Equal((1, 1, 1), (state.Take(), above.Take(), root.Take()));
        server.Set("/local/domain/1/device/state", "1", new Permission(1, Access.None));
        // The value and the permissions.
        Assert.Equal((2, 2, 2), (state.Take(), above.Take(), root.Take()));
        server.Set("/local/domain/1/device/stat", "1");
        server.Set("/local/domain/1/device/state2", "1");
        server.Set("/local/domain/12", "1");
        Assert.Equal((0, 2, 3), (state.Take(), above.Take(), root.Take()));
        server.Set("/local/domain/1/device/state/x", "1");
        Assert.Equal((1, 1, 1), (state.Take(), above.Take(), root.Take()));
        server.Remove("/local/domain/1/device");
        Assert.Equal((1, 1, 1), (state.Take(), above.Take(), root.Take()));
        one.Dispose();
        one.Dispose();
        server.Set("/local/domain/1/device/state", "1");
        Assert.Equal((0, 1), (state.Take(), above.Take()));
    }

    [Fact]
    public void GuestsChangesAreSignalledWhenTheyAreCommitted()
    {
        server.Set("/local/domain/1", "", new Permission(1, Access.None));
        var guest = new StoreTester(server, 1);
        var state = new Counter();
        using IDisposable watch = server.Watch("/local/domain/1/state", state);
        state.Take();
        uint transaction = guest.Start();
        guest.Write("state", "3", transaction);
        Assert.Equal(0, state.Take());
        Assert.Equal("OK", guest.End(transaction));
        Assert.Equal(1, state.Take());
        guest.Remove("/local/domain/1");
        Assert.Equal(1, state.Take());
        Assert.Throws<ArgumentException>(() => server.Watch("state", state));
    }

    [Fact]
    public void RemovingWhatIsNotThereIsNoError() => server.Remove("/local/domain/9/device/vbd/1");
}
