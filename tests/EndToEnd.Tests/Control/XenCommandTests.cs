using System.Text.Json;
using FastXen.Tests;

namespace FastXen.EndToEnd.Tests.Control;

/// <summary>The commands of the executable for domains on the Xen interface.</summary>
public sealed class XenCommandTests : ServedHost
{
    private void Create(string name, bool isPrivileged = false, string devices = "")
    {
        string role = isPrivileged ? "\"privileged\": true, \"commandLine\": \"stay\"" : "\"commandLine\": \"idle\"";
        Do("create", $$"""{ "name": "{{name}}", "personality": "xen", "memory": "32M", "vcpus": 2, "kernel": "{{Guests.Xenguest}}", {{role}}{{devices}} }""");
    }

    [Fact]
    public void The_store_is_read_changed_and_watched()
    {
        Create("web");
        Assert.Equal("web\n", Do("xenstore", "read", "/local/domain/1/name"));
        Assert.Contains("   target = \"32768\"", Do("xenstore", "ls"));
        Assert.Contains("name = \"web\"", Do("xenstore", "ls", "/local/domain/1"));
        Assert.Equal(["name", "uuid"], Do("xenstore", "list", "/vm/00000000-0000-0000-0000-000000000001").Split('\n', StringSplitOptions.RemoveEmptyEntries).Order());
        Refused("/local/domain/9: there is no such node", "xenstore", "read", "/local/domain/9");
        Assert.Equal(1, Run("xenstore", "exists", "/tool/me").Code);
        using (FastXenProcess watch = new("xenstore", "watch", "/tool", "--socket", Socket))
        {
            // The first event comes at once.
            watch.Expect("/tool\n");
            Do("xenstore", "write", "/tool/me", "a \u001b[2J\\");
            watch.Expect("/tool/me\n");
        }
        Do("xenstore", "exists", "/tool/me");
        // Nothing that a guest writes moves a terminal's cursor.
        Assert.Equal("a \\x1b[2J\\\\\n", Do("xenstore", "read", "/tool/me"));
        Do("xenstore", "rm", "/tool");
        Assert.Equal(1, Run("xenstore", "exists", "/tool").Code);
        Refused("xenstore has no command 'frob': ls, list, read, exists, write, rm or watch", "xenstore", "frob", "/");

        Do("destroy", "web");
        Assert.Equal(1, Run("xenstore", "exists", "/local/domain/1").Code);
    }

    [Fact]
    public void Memory_is_given_back_and_taken_again()
    {
        Create("web");
        Until(list => list.Contains(" 32 ", StringComparison.Ordinal) && Do("xenstore", "ls", "/local/domain/1/control").Length > 0, "list");
        Do("mem-set", "web", "20M");
        Until(list => list.Contains("    20 ", StringComparison.Ordinal), "list");
        Do("mem-set", "web", "32M");
        Until(list => list.Contains("    32 ", StringComparison.Ordinal), "list");
        Refused("web was made with 32M: expected 1M to that, found 64M", "mem-set", "web", "64M");
        Refused("\"memory\": expected a size such as \"512M\" or \"1G\", found \"much\"", "mem-set", "web", "much");
        Do("create", $$"""{ "name": "real", "memory": "96M", "kernel": "{{Guests.Idle}}" }""");
        Refused("real has the platform personality, whose memory is what it was made with: only a domain on the Xen interface gives memory back", "mem-set", "real", "64M");
    }

    [Fact]
    public void A_guest_is_asked_to_shut_down_and_to_reboot()
    {
        Create("web");
        Until(_ => Run("reboot", "web", "--wait").Code == 0, "list");
        Assert.Equal(1, Json("list")[0].GetProperty("reboots").GetInt32());
        Until(_ => Run("shutdown", "web", "--wait").Code == 0, "list");
        Assert.Equal(0, Json("list").GetArrayLength());
        Assert.Contains("web (1): powered off", Do("dmesg"));
    }

    [Fact]
    public void Numbers_are_xens()
    {
        Create("one");
        Create("zero", isPrivileged: true);
        Assert.Equal("0\n", Do("domid", "zero"));
        Refused("there is a privileged domain already: other cannot be another one", "create",
            $$"""{ "name": "other", "personality": "xen", "privileged": true, "kernel": "{{Guests.Xenguest}}" }""");
        Create("two");
        Assert.Equal("2\n", Do("domid", "two"));
        // With dom0 the whole machine is off, as on Xen.
        Until(_ => Run("shutdown", "zero", "--wait").Code == 0, "list");
        Until(list => list.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length == 1, "list");
    }

    [Fact]
    public void A_saved_domain_goes_on_where_it_was()
    {
        string image = Path.Combine(Folder, "disk.img"), saved = Path.Combine(Folder, "web.saved");
        using (FileStream file = File.Create(image)) file.SetLength(4 << 20);
        Create("web", devices: $$""", "disks": [{ "path": "{{image}}" }], "network": [{ "type": "switch" }]""");
        Create("peer", devices: """, "network": [{ "type": "switch" }]""");
        using (FastXenProcess console = new("console", "web", "--socket", Socket))
        {
            console.Expect("domU> ");
            // What only memory knows.
            console.Send("write data/note kept\r");
            console.Expect("domU> ");
        }

        Do("save", "web", saved, "--checkpoint");
        Assert.Contains("web (1): saved to", Do("dmesg"));
        Assert.Equal("1\n", Do("domid", "web"));
        Do("mem-set", "web", "24M");
        Until(list => list.Contains("    24 ", StringComparison.Ordinal), "list");
        Do("vcpu-set", "web", "1");
        Assert.Equal("offline\n", Do("xenstore", "read", "/local/domain/1/cpu/1/availability"));
        Do("save", "web", saved);
        Refused("there is no domain 'web'", "domid", "web");
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(saved));

        Do("restore", saved);
        Assert.Equal("3\n", Do("domid", "web"));
        // What it was asked for goes with it.
        Assert.Equal($"{24 << 10}\n", Do("xenstore", "read", "/local/domain/3/memory/target"));
        Assert.Equal($"{32 << 10}\n", Do("xenstore", "read", "/local/domain/3/memory/static-max"));
        Assert.Equal("online\n", Do("xenstore", "read", "/local/domain/3/cpu/0/availability"));
        Assert.Equal("offline\n", Do("xenstore", "read", "/local/domain/3/cpu/1/availability"));
        Do("vcpu-set", "web", "2");
        Assert.Equal("online\n", Do("xenstore", "read", "/local/domain/3/cpu/1/availability"));
        Assert.Contains("    24 ", Do("list"));
        Do("mem-set", "web", "32M");
        Until(list => list.Split('\n').Any(static line => line.StartsWith("web ", StringComparison.Ordinal) && line.Contains("    32 ", StringComparison.Ordinal)), "list");
        using (FastXenProcess console = new("console", "web", "--socket", Socket))
        {
            console.Send("\rcpus\r");
            console.Expect("2 of 2 are up");
            console.Send("ping peer\r");
            console.Expect("domU> ");
            console.Send("selftest\r");
            Assert.Equal("", string.Join('\n', console.Expect("selftest: ").Split('\n').Where(static line => line.StartsWith("FAIL", StringComparison.Ordinal))));
        }
        Refused("there is a domain 'web' already: give this one another \"name\"", "restore", saved);
    }

    [Fact]
    public void What_cannot_be_saved_or_restored_is_said_and_goes_on()
    {
        string saved = Path.Combine(Folder, "web.saved");
        Create("web");
        using (FastXenProcess console = new("console", "web", "--socket", Socket)) console.Expect("domU> ");
        (int code, _, string errors) = Run("save", "web", Path.Combine(Folder, "no", "such", "folder"));
        Assert.Equal(2, code);
        Assert.Contains("web cannot be saved: ", errors);
        using (FastXenProcess console = new("console", "web", "--socket", Socket))
        {
            console.Send("\rcpus\r");
            console.Expect("2 of 2 are up");
        }
        Do("create", $$"""{ "name": "real", "memory": "96M", "kernel": "{{Guests.Idle}}" }""");
        Refused("real has the platform personality: only a domain on the Xen interface can be saved", "save", "real", saved);
        Refused($"{saved}: there is no such file", "restore", saved);
        Do("save", "web", saved);
        byte[] good = File.ReadAllBytes(saved);
        File.WriteAllBytes(saved, good[..(good.Length / 2)]);
        Assert.StartsWith($"fastxen: {saved}: cannot be restored: ", Run("restore", saved).Errors);
        File.WriteAllText(saved, "something else");
        Refused($"{saved}: is not a saved domain", "restore", saved);
        // Whatever is in the file, the host goes on.
        Random random = new(1);
        for (int k = 0; k < 20; k++)
        {
            byte[] bad = [.. good];
            for (int n = 0; n < 8; n++) bad[random.Next(Math.Min(bad.Length, k < 10 ? 4096 : bad.Length))] ^= (byte)(1 << random.Next(8));
            File.WriteAllBytes(saved, bad);
            Run("restore", saved);
            // It may have ended by itself.
            foreach (JsonElement domain in Json("list").EnumerateArray().Skip(1)) Run("destroy", $"{domain.GetProperty("id").GetInt32()}");
        }
        Assert.DoesNotContain("internal error", Do("dmesg"));
    }
}
