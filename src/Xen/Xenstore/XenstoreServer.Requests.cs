using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace FastXen.Xen.Xenstore;

// The requests of the wire protocol. Text is Latin-1, so that any byte survives.
public sealed partial class XenstoreServer
{
    /// <summary>Carries out one request; the reply, and events that it causes, go to the clients.</summary>
    public void Process(XenstoreConnection connection, in MessageHeader header, ReadOnlySpan<byte> payload)
    {
        ArgumentNullException.ThrowIfNull(connection);
        // Opening and closing rings takes locks of theirs: not under ours.
        int? introduced = header.Type is RequestType.Introduce or RequestType.Release ? DoIntroduction(connection, header.Type, payload) : null;
        lock (gate)
        {
            if (!connection.IsOpen)
                return;
            byte[] reply = _ok;
            int error = introduced ?? Do(connection, header, payload, out reply);
            if (error == 0 && reply.Length > MessageHeader.MaximumPayload)
                error = Errno.E2BIG;
            if (error == 0)
                connection.Reply(header, reply);
            else
                connection.Reply(header with { Type = RequestType.Error }, Bytes(StoreErrors.Name(error) + "\0"));
            // Behind the reply: the first event of a watch, and those of what was changed.
            events?.Invoke();
            events = null;
        }
    }

    private static readonly byte[] _ok = "OK\0"u8.ToArray();
    private Action? events;

    private int Do(XenstoreConnection connection, in MessageHeader header, ReadOnlySpan<byte> payload, out byte[] reply)
    {
        reply = _ok;
        Transaction? transaction = null;
        // Watches ignore the transaction.
        if (header.Transaction != 0 && !connection.Transactions.TryGetValue(header.Transaction, out transaction))
            return Errno.ENOENT;
        StoreView view = transaction ?? live;
        switch (header.Type)
        {
            case RequestType.Directory:
                return DoDirectory(connection, view, payload, out reply);
            case RequestType.DirectoryPart:
                return DoDirectoryPart(connection, view, payload, out reply);
            case RequestType.Read:
                return PathOnly(connection, payload, out string path) ?? view.Read(connection.Identity, path, out reply);
            case RequestType.GetPermissions:
                return DoGetPermissions(connection, view, payload, out reply);
            case RequestType.Write:
                return DoWrite(connection, view, payload);
            case RequestType.MakeDirectory:
                return PathOnly(connection, payload, out string directory)
                    ?? Change(connection, view, directory, false, v => v.Write(connection.Identity, directory, null));
            case RequestType.Remove:
                return PathOnly(connection, payload, out string removed)
                    ?? Change(connection, view, removed, true, v => v.Remove(connection.Identity, removed));
            case RequestType.SetPermissions:
                return DoSetPermissions(connection, view, payload);
            case RequestType.Watch:
                return DoWatch(connection, payload);
            case RequestType.Unwatch:
                return DoUnwatch(connection, payload);
            case RequestType.ResetWatches:
                connection.Watches.Clear();
                connection.Transactions.Clear();
                return 0;
            case RequestType.TransactionStart:
                return DoTransactionStart(connection, header, out reply);
            case RequestType.TransactionEnd:
                return DoTransactionEnd(connection, header, payload);
            case RequestType.GetDomainPath:
                return Number(payload, out ushort ofDomain) ? Answer(StorePath.OfDomain(ofDomain), out reply) : Errno.EINVAL;
            case RequestType.IsDomainIntroduced:
                return Number(payload, out ushort asked) ? Answer(IsIntroduced(asked) ? "T" : "F", out reply) : Errno.EINVAL;
            case RequestType.Debug:
                return DoDebug(connection, payload);
            case RequestType.Resume or RequestType.SetTarget or RequestType.Restrict:
                return DoPrivileged(connection, header.Type, payload);
            default:
                return Errno.ENOSYS;
        }
    }

    private int DoDirectory(XenstoreConnection connection, StoreView view, ReadOnlySpan<byte> payload, out byte[] reply)
    {
        reply = [];
        int error = PathOnly(connection, payload, out string path) ?? view.List(connection.Identity, path, out Node? node) switch
        {
            0 => Names(node!, out reply),
            int failure => failure,
        };
        return error;
    }

    // <path>|<offset>| -> <generation>|<name>|*, and an empty name at the end of the last part.
    private int DoDirectoryPart(XenstoreConnection connection, StoreView view, ReadOnlySpan<byte> payload, out byte[] reply)
    {
        reply = [];
        if (!Strings(payload, 2, out string[] strings) || !int.TryParse(strings[1], NumberStyles.None, CultureInfo.InvariantCulture, out int offset))
            return Errno.EINVAL;
        int error = view.List(connection.Identity, Absolute(connection, strings[0]), out Node? node);
        if (error != 0)
            return error;
        Names(node!, out byte[] names);
        byte[] head = Bytes($"{node!.Listing}\0");
        ReadOnlySpan<byte> rest = offset < names.Length ? names.AsSpan(offset) : [];
        int room = MessageHeader.MaximumPayload - head.Length;
        // Whole names only; a name is shorter than a message.
        reply = rest.Length < room ? [.. head, .. rest, 0] : [.. head, .. rest[..(rest[..room].LastIndexOf((byte)0) + 1)]];
        return 0;
    }

    private int DoGetPermissions(XenstoreConnection connection, StoreView view, ReadOnlySpan<byte> payload, out byte[] reply)
    {
        reply = [];
        if (PathOnly(connection, payload, out string path) is { } bad)
            return bad;
        int error = view.GetPermissions(connection.Identity, path, out ImmutableArray<Permission> permissions);
        reply = Bytes(string.Concat(permissions.Select(permission => $"{permission}\0")));
        return error;
    }

    private int DoWrite(XenstoreConnection connection, StoreView view, ReadOnlySpan<byte> payload)
    {
        int end = payload.IndexOf((byte)0);
        if (end < 0)
            return Errno.EINVAL;
        string path = Absolute(connection, Text(payload[..end]));
        byte[] value = payload[(end + 1)..].ToArray();
        return Change(connection, view, path, false, v => v.Write(connection.Identity, path, value));
    }

    private int DoSetPermissions(XenstoreConnection connection, StoreView view, ReadOnlySpan<byte> payload)
    {
        if (!AtLeast(payload, 2, out string[] strings))
            return Errno.EINVAL;
        ImmutableArray<Permission>.Builder permissions = ImmutableArray.CreateBuilder<Permission>(strings.Length - 1);
        foreach (string text in strings[1..])
        {
            if (!Permission.TryParse(text, out Permission permission))
                return Errno.EINVAL;
            permissions.Add(permission);
        }
        string path = Absolute(connection, strings[0]);
        ImmutableArray<Permission> all = permissions.ToImmutable();
        return Change(connection, view, path, false, v => v.SetPermissions(connection.Identity, path, all));
    }

    // Changes the store; outside of transactions watches are told at once.
    private int Change(XenstoreConnection connection, StoreView view, string path, bool isRemoval, Func<StoreView, int> change)
    {
        StoreTree before = view.Tree;
        int error = change(view);
        if (error == 0 && view == live && !ReferenceEquals(before, view.Tree))
            events += () => Fire(path, before, isRemoval);
        return error;
    }

    private int DoWatch(XenstoreConnection connection, ReadOnlySpan<byte> payload)
    {
        // The oldest clients send a third, empty string.
        if (!AtLeast(payload, 2, out string[] strings) || strings.Length > 3)
            return Errno.EINVAL;
        string path = strings[0];
        string? relativeTo = null;
        if (StorePath.IsSpecial(path))
        {
            if (path.Length > StorePath.MaximumRelative)
                return Errno.EINVAL;
        }
        else
        {
            if (!path.StartsWith('/'))
                relativeTo = StorePath.OfDomain(connection.Domain);
            path = Absolute(connection, path);
            if (!StorePath.IsValid(path))
                return Errno.EINVAL;
        }
        var watch = new Watch(path, strings[1], relativeTo);
        if (connection.Watches.Exists(other => other.Path == watch.Path && other.Token == watch.Token))
            return Errno.EEXIST;
        if (!connection.Identity.IsPrivileged && connection.Watches.Count >= quota.Watches)
            return Errno.E2BIG;
        // The event must fit in a message.
        if (path.Length + watch.Token.Length + 2 > MessageHeader.MaximumPayload)
            return Errno.EINVAL;
        connection.Watches.Add(watch);
        events += () => connection.Notify(watch, watch.Path);
        return 0;
    }

    private int DoUnwatch(XenstoreConnection connection, ReadOnlySpan<byte> payload)
    {
        if (!AtLeast(payload, 2, out string[] strings) || strings.Length > 3)
            return Errno.EINVAL;
        string path = Absolute(connection, strings[0]);
        return connection.Watches.RemoveAll(watch => watch.Path == path && watch.Token == strings[1]) > 0 ? 0 : Errno.ENOENT;
    }

    private int DoTransactionStart(XenstoreConnection connection, in MessageHeader header, out byte[] reply)
    {
        reply = [];
        if (header.Transaction != 0)
            return Errno.EBUSY;
        bool isPrivileged = connection.Identity.IsPrivileged;
        if (!isPrivileged && connection.Transactions.Count >= quota.Transactions)
            return Errno.ENOSPC;
        do
            connection.LastTransaction++;
        while (connection.LastTransaction == 0 || connection.Transactions.ContainsKey(connection.LastTransaction));
        connection.Transactions.Add(connection.LastTransaction, new Transaction(live.Tree, quota, isPrivileged));
        return Answer(connection.LastTransaction.ToString(CultureInfo.InvariantCulture), out reply);
    }

    private int DoTransactionEnd(XenstoreConnection connection, in MessageHeader header, ReadOnlySpan<byte> payload)
    {
        if (!Strings(payload, 1, out string[] strings) || strings[0] is not ("T" or "F"))
            return Errno.EINVAL;
        if (!connection.Transactions.Remove(header.Transaction, out Transaction? transaction))
            return Errno.ENOENT;
        if (strings[0] == "F")
            return 0;
        StoreTree before = live.Tree;
        StoreTree? after = transaction.Commit(before);
        if (after == null)
            return Errno.EAGAIN;
        Identity who = connection.Identity;
        int owned = after.OwnedBy(who.Domain);
        if (!who.IsPrivileged && owned > quota.Nodes && owned > before.OwnedBy(who.Domain))
            return Errno.ENOSPC;
        live.Tree = after;
        events += () =>
        {
            foreach ((string path, bool isRemoval) in transaction.Changes)
                Fire(path, before, isRemoval);
        };
        return 0;
    }

    private static int DoDebug(XenstoreConnection connection, ReadOnlySpan<byte> payload)
    {
        if (!connection.Identity.IsPrivileged)
            return Errno.EACCES;
        // "print" wants a text; there is no log to print to. Everything else is for extensions and does nothing.
        return AtLeast(payload, 1, out string[] strings) && strings[0] == "print" && strings.Length < 2 ? Errno.EINVAL : 0;
    }

    // A privileged request's strings, the first of which is a domain.
    private static int Privileged(XenstoreConnection connection, ReadOnlySpan<byte> payload, int count, out ushort domain, out string[] strings)
    {
        domain = 0;
        if (!AtLeast(payload, count, out strings))
            return Errno.EINVAL;
        if (!connection.Identity.IsPrivileged)
            return Errno.EACCES;
        return ushort.TryParse(strings[0], NumberStyles.None, CultureInfo.InvariantCulture, out domain) ? 0 : Errno.EINVAL;
    }

    // INTRODUCE <domid>|<frame>|<port>|, RELEASE <domid>|.
    private int DoIntroduction(XenstoreConnection connection, RequestType type, ReadOnlySpan<byte> payload)
    {
        int error = Privileged(connection, payload, type == RequestType.Introduce ? 3 : 1, out ushort domain, out string[] strings);
        if (error != 0)
            return error;
        // Nobody takes away the ring that it asks through.
        if (Introduction is not { } introduction || connection.IsDomain && connection.Domain == domain)
            return Errno.EINVAL;
        if (type == RequestType.Release)
            return introduction.Release(domain);
        return ulong.TryParse(strings[1], NumberStyles.None, CultureInfo.InvariantCulture, out ulong frame)
            && uint.TryParse(strings[2], NumberStyles.None, CultureInfo.InvariantCulture, out uint port) && port != 0
            ? introduction.Introduce(domain, frame, port) : Errno.EINVAL;
    }

    private int DoPrivileged(XenstoreConnection connection, RequestType type, ReadOnlySpan<byte> payload)
    {
        int error = Privileged(connection, payload, type == RequestType.SetTarget ? 2 : 1, out ushort domain, out string[] strings);
        if (error != 0)
            return error;
        switch (type)
        {
            case RequestType.Resume:
                stopped.Remove(domain);
                return IsIntroduced(domain) ? 0 : Errno.ENOENT;
            case RequestType.SetTarget:
                return SetTarget(domain, strings[1]);
            default:
                connection.Identity = new Identity(domain, false);
                return 0;
        }
    }

    private int SetTarget(ushort domain, string text)
    {
        if (!ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ushort target))
            return Errno.EINVAL;
        if (!IsIntroduced(domain) || !IsIntroduced(target))
            return Errno.ENOENT;
        foreach (XenstoreConnection other in connections)
        {
            if (other.IsDomain && other.Domain == domain)
                other.Identity = other.Identity with { Target = target };
        }
        return 0;
    }

    private bool IsIntroduced(ushort domain) => domain == DomainIds.Self || connections.Exists(connection => connection.IsDomain && connection.Domain == domain);

    private static int Answer(string text, out byte[] reply)
    {
        reply = Bytes(text + "\0");
        return 0;
    }

    private static int Names(Node node, out byte[] names)
    {
        names = Bytes(string.Concat(node.Children.Keys.Select(name => name + "\0")));
        return 0;
    }

    // Null and the absolute path, or an error.
    private static int? PathOnly(XenstoreConnection connection, ReadOnlySpan<byte> payload, out string path)
    {
        bool isOne = Strings(payload, 1, out string[] strings);
        path = isOne ? Absolute(connection, strings[0]) : "";
        return isOne ? null : Errno.EINVAL;
    }

    private static string Absolute(XenstoreConnection connection, string path) =>
        path.Length == 0 || path[0] is '/' or '@' ? path : $"{StorePath.OfDomain(connection.Domain)}/{path}";

    private static bool Number(ReadOnlySpan<byte> payload, out ushort number)
    {
        number = 0;
        return Strings(payload, 1, out string[] strings)
            && ushort.TryParse(strings[0], NumberStyles.None, CultureInfo.InvariantCulture, out number);
    }

    private static bool Strings(ReadOnlySpan<byte> payload, int count, out string[] strings) =>
        AtLeast(payload, count, out strings) && strings.Length == count;

    // Strings that each end with a null byte; nothing may follow the last.
    private static bool AtLeast(ReadOnlySpan<byte> payload, int count, out string[] strings)
    {
        strings = payload.IsEmpty || payload[^1] != 0 ? [] : Text(payload[..^1]).Split('\0');
        return strings.Length >= count;
    }

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(bytes);

    private static byte[] Bytes(string text) => Encoding.Latin1.GetBytes(text);
}
