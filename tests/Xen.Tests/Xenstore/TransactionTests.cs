using FastXen.Xen.Xenstore;

namespace FastXen.Xen.Tests.Xenstore;

public sealed class TransactionTests
{
    private readonly XenstoreServer server = new();
    private readonly StoreTester one;
    private readonly StoreTester two;

    public TransactionTests()
    {
        one = new StoreTester(server, 0);
        two = new StoreTester(server, 0);
        one.Write("/a", "1");
        one.Write("/dir/x", "1");
    }

    [Fact]
    public void ATransactionSeesItselfAndNobodyElse()
    {
        uint t = one.Start();
        one.Write("/a", "2", t);
        one.Write("/new/b", "3", t);
        Assert.Equal("2", one.Read("/a", t));
        Assert.Equal("1", one.Read("/a"));
        Assert.Equal("!ENOENT", two.Read("/new/b"));
        two.Write("/later", "x");
        Assert.Equal("!ENOENT", one.Read("/later", t));
        Assert.Equal("!ENOENT", two.Read("/a", t));
        Assert.Equal("OK", one.End(t, commit: false));
        Assert.Equal("1", one.Read("/a"));
        Assert.Equal("!ENOENT", one.End(t));
        Assert.Equal("!ENOENT", one.Read("/a", 77));
        Assert.Equal("!ENOENT", one.Ask(RequestType.TransactionEnd, "T\0"));
    }

    [Fact]
    public void ACommitIsOneChange()
    {
        two.Watch("/", "w");
        two.TakeEvents();
        uint t = one.Start();
        one.Write("/a", "2", t);
        one.Write("/new/b", "3", t);
        one.Remove("/dir", t);
        Assert.Equal("", two.TakeEvents());
        Assert.Equal("OK", one.End(t));
        Assert.Equal("/a w, /new/b w, /dir w", two.TakeEvents());
        Assert.Equal("2", two.Read("/a"));
        Assert.Equal("3", two.Read("/new/b"));
        Assert.Equal("!ENOENT", two.Read("/dir/x"));
    }

    [Fact]
    public void UnrelatedChangesDoNotDisturb()
    {
        uint t = one.Start();
        Assert.Equal("1", one.Read("/a", t));
        one.Write("/dir/y", "mine", t);
        two.Write("/dir/z", "theirs");
        two.Write("/elsewhere", "1");
        two.Write("/dir/x", "2");
        Assert.Equal("OK", one.End(t));
        Assert.Equal("x y z", one.List("/dir"));
        Assert.Equal("2", one.Read("/dir/x"));
    }

    [Theory]
    [InlineData("value")]
    [InlineData("absence")]
    [InlineData("listing")]
    [InlineData("removal")]
    [InlineData("permission")]
    [InlineData("creation")]
    public void ChangesOfWhatWasSeenDo(string what)
    {
        uint t = one.Start();
        switch (what)
        {
            case "value":
                one.Read("/a", t);
                two.Write("/a", "1");
                break;
            case "absence":
                one.Read("/b/c", t);
                two.Write("/b", "1");
                break;
            case "listing":
                one.List("/dir", t);
                two.Write("/dir/y", "1");
                break;
            case "removal":
                one.Write("/dir/x/deep", "1", t);
                two.Remove("/dir");
                break;
            case "permission":
                one.Write("/a", "2", t);
                two.SetPermissions("/a", "n7");
                break;
            case "creation":
                one.Make("/b/c", t);
                two.Make("/b");
                break;
        }
        one.Write("/result", "1", t);
        Assert.Equal("!EAGAIN", one.End(t));
        Assert.Equal("!ENOENT", one.Read("/result"));
        Assert.Equal("!ENOENT", one.End(t));
    }

    [Fact]
    public void RemovedAndMadeAgain()
    {
        uint t = one.Start();
        one.Remove("/dir", t);
        one.Write("/dir/fresh", "1", t);
        one.Write("/gone/x", "1", t);
        one.Remove("/gone", t);
        two.Write("/elsewhere", "1");
        Assert.Equal("OK", one.End(t));
        Assert.Equal("fresh", one.List("/dir"));
        Assert.Equal("!ENOENT", one.Read("/gone"));
    }

    /// <summary>Random transactions and single requests: the store is what the committed ones give, one after the other.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void CommitsAreSerial(int seed)
    {
        var random = new Random(seed);
        var model = new SortedDictionary<string, string>(StringComparer.Ordinal) { ["/a"] = "1", ["/dir"] = "", ["/dir/x"] = "1" };
        var open = new List<(uint Id, List<(string Path, string? Value)> Writes, List<(string Path, string Seen)> Reads)>();
        int committed = 0, refused = 0, serial = 0;
        for (int step = 0; step < 4000; step++)
        {
            string path = "/" + string.Join('/', Enumerable.Range(0, random.Next(1, 4)).Select(_ => "abc"[random.Next(3)]));
            int pick = random.Next(-1, open.Count);
            uint id = pick < 0 ? 0 : open[pick].Id;
            switch (random.Next(8))
            {
                case 0 when open.Count < 3:
                    open.Add((one.Start(), [], []));
                    break;
                case 1 or 2:
                    string value = $"v{serial++}";
                    Assert.Equal("OK", one.Write(path, value, id));
                    if (pick < 0)
                        Apply(model, path, value);
                    else
                        open[pick].Writes.Add((path, value));
                    break;
                case 3:
                    string result = one.Remove(path, id);
                    if (result != "OK")
                        break;
                    if (pick < 0)
                        Apply(model, path, null);
                    else
                        open[pick].Writes.Add((path, null));
                    break;
                case 4 or 5:
                    string seen = one.Read(path, id);
                    if (pick < 0)
                        Assert.Equal(model.TryGetValue(path, out string? now) ? now : "!ENOENT", seen);
                    else if (!open[pick].Writes.Exists(write => path.StartsWith(write.Path, StringComparison.Ordinal) || write.Path.StartsWith(path, StringComparison.Ordinal)))
                        open[pick].Reads.Add((path, seen));
                    break;
                case 6 when pick >= 0:
                    var ended = open[pick];
                    open.RemoveAt(pick);
                    if (one.End(id) != "OK")
                    {
                        refused++;
                        break;
                    }
                    committed++;
                    // What it saw is still so at the moment of the commit.
                    foreach ((string read, string was) in ended.Reads)
                        Assert.Equal(model.TryGetValue(read, out string? is_) ? is_ : "!ENOENT", was);
                    foreach ((string written, string? content) in ended.Writes)
                        Apply(model, written, content);
                    break;
            }
            if (step % 50 == 0)
                Check(model);
        }
        Check(model);
        Assert.True(committed > 50 && refused > 20, $"{committed} committed, {refused} refused");
    }

    private static void Apply(SortedDictionary<string, string> model, string path, string? value)
    {
        if (value == null)
        {
            foreach (string key in model.Keys.Where(key => key == path || key.StartsWith(path + "/", StringComparison.Ordinal)).ToList())
                model.Remove(key);
            return;
        }
        for (int slash = path.IndexOf('/', 1); slash > 0; slash = path.IndexOf('/', slash + 1))
            model.TryAdd(path[..slash], "");
        model[path] = value;
    }

    private void Check(SortedDictionary<string, string> model)
    {
        var found = new SortedDictionary<string, string>(StringComparer.Ordinal);
        void Walk(string path)
        {
            foreach (string name in server.List(path.Length == 0 ? "/" : path))
            {
                found.Add($"{path}/{name}", server.Get($"{path}/{name}")!);
                Walk($"{path}/{name}");
            }
        }
        Walk("");
        Assert.Equal(model, found);
    }
}
