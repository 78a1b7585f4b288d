using FastXen.Xen.Backends;
using FastXen.Xen.Grants;
using FastXen.Xen.Memory;
using FastXen.Xen.Tests.Xenstore;
using FastXen.Xen.Xenstore;

namespace FastXen.Xen.Tests.Backends;

/// <summary>A guest's driver, played by a test: its nodes through the store as its domain may, its rings and grants in its memory.</summary>
internal abstract unsafe class Frontend
{
    protected const int RequestProducer = 0, RequestEvent = 4, ResponseProducer = 8, ResponseEvent = 12, Slots = 64;
    private const uint Permit = 1, ReadOnlyFlag = 4;

    private uint lastReference = 8;

    protected Frontend(Guest guest, XenstoreServer server, string device)
    {
        Guest = guest;
        Store = new StoreTester(server, guest.Domain.Id);
        Path = $"device/{device}";
        guest.Domain.Grants.SetUp(4);
        Back = Store.Read($"{Path}/backend");
        Assert.Equal("32751", Store.Read($"{Path}/backend-id"));
    }

    public Guest Guest { get; }

    public StoreTester Store { get; }

    /// <summary>Its directory, as the guest calls it.</summary>
    public string Path { get; }

    /// <summary>The backend's directory.</summary>
    public string Back { get; private set; }

    public int Port { get; protected set; }

    public XenbusState BackState => (XenbusState)int.Parse(Store.Read($"{Back}/state"));

    public static void Await(Func<bool> condition)
    {
        for (int i = 0; i < 20_000; i++)
        {
            if (condition())
                return;
            Thread.Sleep(1);
        }
        Assert.Fail("nothing happened");
    }

    public void Await(XenbusState state) => Await(() => BackState == state);

    public string BackNode(string name) => Store.Read($"{Back}/{name}");

    public void Write(string name, object value) => Assert.Equal("OK", Store.Write($"{Path}/{name}", value.ToString()!));

    public void SetState(XenbusState state) => Write("state", (int)state);

    public uint* Entry(uint reference) => (uint*)Guest.Host(GrantTable.FirstFrame) + 2 * reference;

    public int Flags(uint reference) => (ushort)Volatile.Read(ref Entry(reference)[0]);

    /// <summary>A new grant of a frame to the driver domain.</summary>
    public uint Grant(ulong gpfn, bool isReadOnly = false, uint flags = Permit, uint domain = DomainIds.Host)
    {
        uint reference = lastReference++;
        Entry(reference)[1] = (uint)gpfn;
        Volatile.Write(ref Entry(reference)[0], flags | (isReadOnly ? ReadOnlyFlag : 0) | domain << 16);
        return reference;
    }

    /// <summary>Forgets the grants that were made since <paramref name="first"/>; none may be in use.</summary>
    public void EndGrants(uint first)
    {
        while (lastReference > first)
        {
            lastReference--;
            Assert.Equal(0, Flags(lastReference) & 0x18);
            Entry(lastReference)[0] = 0;
        }
    }

    public uint NextReference => lastReference;

    public void Kick() => Assert.Equal(0, Guest.Domain.EventChannels.Send((uint)Port));

    /// <summary>An empty ring in a frame.</summary>
    protected static void InitializeRing(byte* page)
    {
        new Span<byte>(page, Frame.Size).Clear();
        Index(page, RequestEvent) = Index(page, ResponseEvent) = 1;
    }

    protected static ref uint Index(byte* page, int offset) => ref *(uint*)(page + offset);
}
