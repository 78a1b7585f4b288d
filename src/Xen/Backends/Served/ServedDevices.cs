using System.Globalization;
using FastXen.Xen.Xenstore;

namespace FastXen.Xen.Backends.Served;

/// <summary>
/// The devices that domains serve one another. Both ends' nodes are written as Xen's tool stack does it, whenever both domains are there: also for a driver domain
/// that comes again after its end, whatever number it has then. The frontend sees that by its own state, which is Initialising again. Any thread.
/// </summary>
public sealed class ServedDevices(XenstoreServer store)
{
    private readonly Lock changes = new();
    private readonly List<Member> members = [];

    private sealed record Member(ushort Number, string Name, IReadOnlyList<ServedDevice> Devices);

    /// <summary>
    /// A domain is there, and its home in the store: its devices are connected to those domains that serve them, and it serves what others
    /// expect of its name. Of two with one name the later one serves.
    /// </summary>
    public void Enter(ushort number, string name, IReadOnlyList<ServedDevice> devices)
    {
        Member entered = new(number, name, devices);
        lock (changes)
        {
            members.Add(entered);
            foreach (Member member in members)
            {
                foreach (ServedDevice device in member.Devices)
                {
                    if (FindBackend(device) is { } backend && (member == entered || backend == entered))
                        Connect(member, backend, device);
                }
            }
        }
    }

    /// <summary>A domain is going. What it was served is taken from the directories of who served it; what it served goes with its own home.</summary>
    public void Leave(ushort number)
    {
        lock (changes)
        {
            if (members.Find(one => one.Number == number) is not { } gone)
                return;
            members.Remove(gone);
            foreach (ServedDevice device in gone.Devices)
            {
                if (FindBackend(device) is { } backend)
                    store.Remove(StorePath.Parent(BackPath(gone, backend, device)));
            }
        }
    }

    private Member? FindBackend(ServedDevice device) => members.FindLast(member => member.Name == device.Backend);

    private void Connect(Member member, Member backend, ServedDevice device)
    {
        string front = $"{StorePath.OfDomain(member.Number)}/device/{device.Kind}/{device.Number}", back = BackPath(member, backend, device);
        // Each end writes its own nodes and reads the other's.
        Permission[] frontsOwn = [new(member.Number, Access.None), new(backend.Number, Access.Read)];
        Permission[] backsOwn = [new(backend.Number, Access.None), new(member.Number, Access.Read)];
        Permission[] seenByFront = [new(0, Access.None), new(member.Number, Access.Read)];
        string root = $"{StorePath.OfDomain(backend.Number)}/backend";
        foreach (string directory in (string[])[root, $"{root}/{device.Kind}", $"{root}/{device.Kind}/{member.Number}"])
            store.Set(directory, "", new Permission(backend.Number, Access.None));
        store.Remove(back);
        store.Set(back, "", backsOwn);
        foreach ((string name, string value) in device.Back)
            store.Set($"{back}/{name}", value);
        store.Set($"{back}/frontend", front);
        store.Set($"{back}/frontend-id", Text(member.Number));
        store.Set($"{back}/online", "1");
        store.Set($"{back}/state", Text((int)XenbusState.Initialising));

        store.Set($"{StorePath.OfDomain(member.Number)}/device", "", seenByFront);
        store.Set($"{StorePath.OfDomain(member.Number)}/device/{device.Kind}", "", seenByFront);
        store.Set(front, "", frontsOwn);
        (string Name, string Value)[] nodes = [.. device.Front, ("backend", back), ("backend-id", Text(backend.Number)), ("state", Text((int)XenbusState.Initialising))];
        // What it told the last backend is not for this one, and may be read by another domain.
        foreach (string name in store.List(front))
        {
            if (!Array.Exists(nodes, node => node.Name == name))
                store.Remove($"{front}/{name}");
        }
        // The state is the last one: it is what the guest looks at.
        foreach ((string name, string value) in nodes)
            store.Set($"{front}/{name}", value, frontsOwn);
    }

    private static string BackPath(Member member, Member backend, ServedDevice device) =>
        $"{StorePath.OfDomain(backend.Number)}/backend/{device.Kind}/{member.Number}/{device.Number}";

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);
}
