using FastXen.Xen.Xenstore;

namespace FastXen.Xen.Tests.Xenstore;

public sealed class StoreTests
{
    private const string Home = "/local/domain/5";

    private readonly XenstoreServer server = new();
    private readonly StoreTester tool;
    private readonly StoreTester guest;
    private readonly StoreTester other;

    public StoreTests()
    {
        tool = new StoreTester(server, 0);
        guest = new StoreTester(server, 5);
        other = new StoreTester(server, 6);
        server.Set(Home, "", new Permission(5, Access.None));
    }

    [Fact]
    public void ValuesAreWrittenWithAllAboveThem()
    {
        Assert.Equal("OK", tool.Write("/a/b/c", "x\0y"));
        Assert.Equal("x\0y", tool.Read("/a/b/c"));
        Assert.Equal("", tool.Read("/a/b"));
        Assert.Equal("b", tool.List("/a"));
        Assert.Equal("a local", tool.List("/"));
        Assert.Equal("OK", tool.Write("/a/b/c", ""));
        Assert.Equal("", tool.Read("/a/b/c"));
        Assert.Equal("!ENOENT", tool.Read("/a/d"));
        Assert.Equal("!ENOENT", tool.List("/x/y/z"));
        Assert.Equal("OK", tool.Make("/a/b/c"));
        Assert.Equal("OK", tool.Make("/a/m/n"));
        Assert.Equal("b m", tool.List("/a"));
        Assert.Equal(["b", "m"], server.List("/a"));
        Assert.Equal("", server.Get("/a/m/n"));
        Assert.Null(server.Get("/a/m/o"));
    }

    [Fact]
    public void RemovalTakesAllBelow()
    {
        tool.Write("/a/b/c", "1");
        Assert.Equal("OK", tool.Remove("/a/b"));
        Assert.Equal("!ENOENT", tool.Read("/a/b/c"));
        Assert.Equal("OK", tool.Remove("/a/b"));
        Assert.Equal("!ENOENT", tool.Remove("/x/y"));
        Assert.Equal("!EINVAL", tool.Remove("/"));
        Assert.Equal("", tool.List("/a"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("/a/")]
    [InlineData("//a")]
    [InlineData("/a//b")]
    [InlineData("/a b")]
    [InlineData("/a\u00e4")]
    [InlineData("@introduceDomain")]
    public void BadPathsAreRefused(string path)
    {
        Assert.Equal("!EINVAL", tool.Read(path));
        Assert.Equal("!EINVAL", tool.Write(path, "x"));
        Assert.Equal("!EINVAL", tool.Make(path));
        Assert.Equal("!EINVAL", tool.Remove(path));
        Assert.Equal("!EINVAL", tool.List(path));
        Assert.Equal("!EINVAL", tool.Permissions(path));
        Assert.Equal("!EINVAL", tool.SetPermissions(path, "n0"));
    }

    [Fact]
    public void PathsHaveALimit()
    {
        Assert.Equal("OK", tool.Write("/" + new string('a', 3071), "1"));
        Assert.Equal("!EINVAL", tool.Write("/" + new string('a', 3072), "1"));
        // Deep as well as long; and all of it goes at once.
        string deep = string.Concat(Enumerable.Repeat("/x", 1536));
        Assert.Equal("OK", tool.Write(deep, "1"));
        Assert.Equal("1", tool.Read(deep));
        Assert.Equal("OK", tool.Remove("/x"));
    }

    [Fact]
    public void MalformedRequestsAreRefused()
    {
        foreach (string payload in new[] { "", "/a", "/a\0b\0", "/a\0\0" })
        {
            Assert.Equal("!EINVAL", tool.Ask(RequestType.Read, payload));
            Assert.Equal("!EINVAL", tool.Ask(RequestType.Directory, payload));
            Assert.Equal("!EINVAL", tool.Ask(RequestType.Remove, payload));
            Assert.Equal("!EINVAL", tool.Ask(RequestType.MakeDirectory, payload));
        }
        Assert.Equal("!EINVAL", tool.Ask(RequestType.Write, "/a"));
        Assert.Equal("!EINVAL", tool.Ask(RequestType.Watch, "/a\0"));
        Assert.Equal("!EINVAL", tool.Ask(RequestType.SetPermissions, "/a\0"));
        Assert.Equal("!EINVAL", tool.Ask(RequestType.TransactionEnd, "X\0"));
        Assert.Equal("!EINVAL", tool.Ask(RequestType.GetDomainPath, "x\0"));
        Assert.Equal("!EINVAL", tool.Ask(RequestType.GetDomainPath, "70000\0"));
        foreach (uint type in new uint[] { 15, 16, 23, 0xffff, uint.MaxValue })
            Assert.Equal("!ENOSYS", tool.Ask((RequestType)type, "/a\0"));
    }

    [Fact]
    public void RelativePathsBeginAtTheDomain()
    {
        Assert.Equal("OK", guest.Write("device/x", "1"));
        Assert.Equal("1", guest.Read(Home + "/device/x"));
        Assert.Equal("/local/domain/77\0", guest.Ask(RequestType.GetDomainPath, "77\0"));
    }

    [Fact]
    public void ADomainSeesAndChangesOnlyWhatItMay()
    {
        tool.Write("/secret/x", "1");
        Assert.Equal("!EACCES", guest.Read("/secret/x"));
        Assert.Equal("!EACCES", guest.Read("/secret/nothing"));
        Assert.Equal("!EACCES", guest.List("/secret"));
        Assert.Equal("!EACCES", guest.Write("/secret/x", "2"));
        Assert.Equal("!EACCES", guest.Make("/new"));
        Assert.Equal("!EACCES", guest.Remove("/secret"));
        Assert.Equal("!EACCES", guest.Permissions("/secret"));
        guest.Write("mine", "1");
        Assert.Equal("!EACCES", other.Read(Home + "/mine"));
        Assert.Equal("!EACCES", other.Write(Home + "/mine", "2"));
        Assert.Equal("!EACCES", other.Remove(Home));
        Assert.Equal("n5", guest.Permissions("mine"));
        // What a domain makes it owns, though the letters come from above.
        server.Set("/shared", "", new Permission(0, Access.Both));
        Assert.Equal("OK", guest.Write("/shared/g", "1"));
        Assert.Equal("b5", guest.Permissions("/shared/g"));
        Assert.Equal("!ENOENT", guest.Read("/shared/no"));
    }

    [Fact]
    public void PermissionsAreByDomain()
    {
        guest.Write("x", "1");
        Assert.Equal("OK", guest.SetPermissions("x", "n5 r6 w7"));
        Assert.Equal("n5 r6 w7", guest.Permissions("x"));
        var writer = new StoreTester(server, 7);
        Assert.Equal("1", other.Read(Home + "/x"));
        Assert.Equal("!EACCES", other.Write(Home + "/x", "2"));
        Assert.Equal("OK", writer.Write(Home + "/x", "3"));
        Assert.Equal("!EACCES", writer.Read(Home + "/x"));
        // Only the owner gives permissions, and stays the owner.
        Assert.Equal("!EACCES", other.SetPermissions(Home + "/x", "b5 b6"));
        Assert.Equal("!EINVAL", guest.SetPermissions("x", "n6"));
        Assert.Equal("!EINVAL", guest.SetPermissions("x", "q5"));
        Assert.Equal("!EINVAL", guest.SetPermissions("x", "n"));
        Assert.Equal("!EINVAL", guest.SetPermissions("x", "n5 r66666"));
        Assert.Equal("!EINVAL", guest.SetPermissions("x", "r-1"));
        Assert.Equal("OK", tool.SetPermissions(Home + "/x", "r6"));
        Assert.Equal("3", guest.Read("x"));
        Assert.Equal("!EACCES", guest.Write("x", "4"));
    }

    [Fact]
    public void ATargetsRightsAreInherited()
    {
        guest.Write("x", "1");
        Assert.Equal("!EACCES", other.Read(Home + "/x"));
        Assert.Equal("OK\0", tool.Ask(RequestType.SetTarget, "6\05\0"));
        Assert.Equal("1", other.Read(Home + "/x"));
        Assert.Equal("OK", other.Write(Home + "/x", "2"));
        Assert.Equal("!ENOENT", tool.Ask(RequestType.SetTarget, "6\099\0"));
        Assert.Equal("!EACCES", guest.Ask(RequestType.SetTarget, "5\06\0"));
    }

    [Fact]
    public void PrivilegedRequests()
    {
        Assert.Equal("!EACCES", guest.Ask(RequestType.Introduce, "9\01\02\0"));
        Assert.Equal("!EACCES", guest.Ask(RequestType.Release, "6\0"));
        Assert.Equal("!EACCES", guest.Ask(RequestType.Resume, "6\0"));
        Assert.Equal("!EACCES", guest.Ask(RequestType.Restrict, "6\0"));
        Assert.Equal("!EACCES", guest.Ask(RequestType.Debug, "print\0x\0"));
        Assert.Equal("!EINVAL", tool.Ask(RequestType.Introduce, "9\01\0"));
        Assert.Equal("OK\0", tool.Ask(RequestType.Debug, "print\0x\0"));
        Assert.Equal("!EINVAL", tool.Ask(RequestType.Debug, "print\0"));
        Assert.Equal("OK\0", tool.Ask(RequestType.Debug, "whatever\0"));
        Assert.Equal("F\0", guest.Ask(RequestType.IsDomainIntroduced, "9\0"));
        _ = other.Connection;
        Assert.Equal("T\0", guest.Ask(RequestType.IsDomainIntroduced, "6\0"));
        Assert.Equal("T\0", guest.Ask(RequestType.IsDomainIntroduced, "32752\0"));
        // A tool gives up its rights for good.
        var restricted = new StoreTester(server, 0, isDomain: false);
        tool.Write("/t", "1");
        Assert.Equal("1", restricted.Read("/t"));
        Assert.Equal("OK\0", restricted.Ask(RequestType.Restrict, "8\0"));
        Assert.Equal("!EACCES", restricted.Read("/t"));
        Assert.Equal("!EACCES", restricted.Ask(RequestType.Restrict, "0\0"));
        Assert.Equal("F\0", guest.Ask(RequestType.IsDomainIntroduced, "8\0"));
    }

    [Fact]
    public void WatchesTellOfChangesBelow()
    {
        tool.Write("/a/b", "1");
        Assert.Equal("OK", tool.Watch("/a", "t"));
        Assert.Equal("/a t", tool.TakeEvents());
        tool.Write("/a/b", "2");
        tool.Write("/ab", "2");
        tool.Make("/a/b");
        tool.Make("/a/c");
        tool.SetPermissions("/a", "n0 r5");
        tool.Remove("/a/c");
        tool.Remove("/a/c");
        Assert.Equal("/a/b t, /a/c t, /a t, /a/c t", tool.TakeEvents());
        Assert.Equal("!EEXIST", tool.Watch("/a", "t"));
        Assert.Equal("OK", tool.Watch("/a", "u"));
        Assert.Equal("/a u", tool.TakeEvents());
        Assert.Equal("OK", tool.Unwatch("/a", "t"));
        Assert.Equal("!ENOENT", tool.Unwatch("/a", "t"));
        tool.Write("/a", "x");
        Assert.Equal("/a u", tool.TakeEvents());
        Assert.Equal("OK\0", tool.Ask(RequestType.ResetWatches, "\0"));
        tool.Write("/a", "x");
        Assert.Equal("", tool.TakeEvents());
    }

    [Fact]
    public void RemovalAboveAWatchTellsOfTheWatchedPath()
    {
        tool.Write("/a/b/c", "1");
        tool.Watch("/a/b/c", "t");
        tool.Watch("/a/b/none", "n");
        tool.TakeEvents();
        tool.Remove("/a");
        Assert.Equal("/a/b/c t", tool.TakeEvents());
    }

    [Fact]
    public void RelativeWatchesHaveRelativeEvents()
    {
        Assert.Equal("OK", guest.Watch("device", "t"));
        Assert.Equal("device t", guest.TakeEvents());
        guest.Write("device/0", "1");
        tool.Write(Home + "/device/1", "1");
        Assert.Equal("device/0 t, device/1 t", guest.TakeEvents());
        Assert.Equal("!EINVAL", guest.Watch("device/", "t"));
        Assert.Equal("!EINVAL", guest.Watch("", "t"));
        Assert.Equal("OK", guest.Unwatch("device", "t"));
    }

    [Fact]
    public void WatchesDoNotShowWhatMayNotBeRead()
    {
        other.Watch("/local", "t");
        other.TakeEvents();
        guest.Write("secret", "1");
        Assert.Equal("", other.TakeEvents());
        guest.Write("open", "1");
        guest.SetPermissions("open", "n5 r6");
        Assert.Equal("/local/domain/5/open t", other.TakeEvents());
        // The reader of a node hears of its end, though it may not read what is above.
        guest.Remove("open");
        guest.Remove("secret");
        Assert.Equal("/local/domain/5/open t", other.TakeEvents());
    }

    [Fact]
    public void SpecialWatchesTellOfDomains()
    {
        tool.Watch("@introduceDomain", "i");
        tool.Watch("@releaseDomain", "r");
        Assert.Equal("@introduceDomain i, @releaseDomain r", tool.TakeEvents());
        server.DomainIntroduced();
        server.DomainStopped(5);
        Assert.Equal("@introduceDomain i, @releaseDomain r", tool.TakeEvents());
        // Once for each stop.
        server.DomainStopped(5);
        Assert.Equal("", tool.TakeEvents());
        _ = guest.Connection;
        Assert.Equal("OK\0", tool.Ask(RequestType.Resume, "5\0"));
        server.DomainStopped(5);
        Assert.Equal("@releaseDomain r", tool.TakeEvents());
        server.DomainReleased(5);
        Assert.Equal("@releaseDomain r", tool.TakeEvents());
        Assert.Equal("!EINVAL", tool.Watch("@" + new string('a', 2048), "t"));
    }

    [Fact]
    public void EventsThatNobodyTakesAreBounded()
    {
        tool.Watch("/a", "t");
        Assert.Equal("/a t", tool.TakeEvents());
        for (int i = 0; i < 5000; i++)
            server.Set($"/a/{i}", "x");
        server.Set("/a/0", "y");
        string[] events = tool.TakeEvents().Split(", ");
        Assert.Equal(1025, events.Length);
        Assert.Equal("/a t", events[^1]);
        server.Set("/a/0", "z");
        Assert.Equal("/a/0 t", tool.TakeEvents());
    }

    [Fact]
    public void LongPathsAndTokensStillFit()
    {
        string token = new('t', 2000);
        Assert.Equal("OK", tool.Watch("/a", token));
        tool.TakeEvents();
        // The event of the long path would not fit: the watch's own path is told.
        server.Set("/a/" + new string('b', 3000), "1");
        Assert.Equal($"/a {token}", tool.TakeEvents());
        Assert.Equal("!EINVAL", tool.Watch("/" + new string('c', 3000), token));
    }

    [Fact]
    public void DirectoriesThatDoNotFitComeInParts()
    {
        for (int i = 0; i < 1000; i++)
            server.Set($"/many/{i:d6}", "");
        Assert.Equal("!E2BIG", tool.List("/many"));
        var names = new List<string>();
        int offset = 0;
        string generation = "";
        while (true)
        {
            string part = tool.Ask(RequestType.DirectoryPart, $"/many\0{offset}\0");
            int end = part.IndexOf('\0');
            Assert.True(generation.Length == 0 || generation == part[..end]);
            generation = part[..end];
            string rest = part[(end + 1)..];
            string[] found = rest.Split('\0')[..^1];
            names.AddRange(found.Where(name => name.Length > 0));
            offset += rest.Length;
            if (found is [.., ""])
                break;
        }
        Assert.Equal(Enumerable.Range(0, 1000).Select(i => $"{i:d6}"), names);
        server.Set("/many/new", "");
        Assert.NotEqual(generation, tool.Ask(RequestType.DirectoryPart, "/many\00\0").Split('\0')[0]);
        Assert.Equal("!EINVAL", tool.Ask(RequestType.DirectoryPart, "/many\0x\0"));
        Assert.Equal("!ENOENT", tool.Ask(RequestType.DirectoryPart, "/few\00\0"));
    }

    [Fact]
    public void QuotasAreForDomains()
    {
        var small = new XenstoreServer(new XenstoreQuota(Nodes: 5, NodeSize: 100, Watches: 2, Transactions: 1, TransactionNodes: 8));
        small.Set(Home, "", new Permission(5, Access.None));
        var mine = new StoreTester(small, 5);
        var root = new StoreTester(small, 0);
        Assert.Equal("OK", mine.Write("a/b", "1"));
        Assert.Equal("OK", mine.Write("c", "1"));
        // Home, a, b, c: one more.
        Assert.Equal("!ENOSPC", mine.Write("d/e", "1"));
        Assert.Equal("OK", mine.Write("d", "1"));
        Assert.Equal("!ENOSPC", mine.Make("e"));
        Assert.Equal("OK", mine.Remove("a"));
        Assert.Equal("OK", mine.Make("e"));
        Assert.Equal("OK", root.Write(Home + "/more", "1"));
        Assert.Equal("!ENOSPC", mine.Make("f"));

        Assert.Equal("OK", mine.Write("c", new string('x', 92)));
        Assert.Equal("!ENOSPC", mine.Write("c", new string('x', 93)));
        Assert.Equal("!ENOSPC", mine.SetPermissions("c", "n5 r6"));
        Assert.Equal("OK", root.Write(Home + "/c", new string('x', 1000)));

        Assert.Equal("OK", mine.Watch("a", "1"));
        Assert.Equal("OK", mine.Watch("a", "2"));
        Assert.Equal("!E2BIG", mine.Watch("a", "3"));
        uint transaction = mine.Start();
        Assert.Equal("!ENOSPC", mine.Ask(RequestType.TransactionStart, "\0"));
        Assert.Equal("!EBUSY", mine.Ask(RequestType.TransactionStart, "\0", transaction));
        string last = "";
        for (int i = 0; i < 10; i++)
            last = mine.Read($"n{i}", transaction);
        Assert.Equal("!ENOSPC", last);
        // Changing the owner moves the count.
        Assert.Equal("OK", root.SetPermissions(Home + "/more", "n0"));
        Assert.Equal("OK", mine.End(transaction, commit: false));
        Assert.Equal("OK", mine.Remove("e"));
        Assert.Equal("OK", mine.Make("g"));
        Assert.Equal("OK", mine.Make("h"));
        Assert.Equal("!ENOSPC", mine.Make("i"));
    }
}
