using System.Text;
using FastXen.Loader.Configuration;

namespace FastXen.Loader.Tests;

public class GuestConfigTests
{
    private static readonly Dictionary<string, string?> NoFields = [];

    private static GuestConfig Parse(string json) =>
        GuestConfigReader.Parse("/guests/g.json", Encoding.UTF8.GetBytes(json), NoFields, []);

    [Fact]
    public void Defaults_fill_what_a_short_config_leaves_out()
    {
        GuestConfig config = Parse("""{ "kernel": "vmlinux" }""");
        Assert.Equal("g", config.Name);
        Assert.Equal(1UL << 30, config.Memory);
        Assert.Equal(1, config.Vcpus);
        Assert.Equal(Core.EngineKind.Translator, config.Engine);
        Assert.Equal(ClockSource.Host, config.Clock);
        Assert.Equal("/guests/vmlinux", config.Kernel);
        Assert.Null(config.Initrd);
        Assert.Equal("", config.CommandLine);
        Assert.Equal(ConsoleType.Stdio, config.Console.Type);
        Assert.Equal(ConsoleConfig.DefaultEscape, config.Console.Escape);
    }

    [Fact]
    public void Devices_of_a_xen_domain_are_on_its_PCI_bus_where_it_says_so()
    {
        GuestConfig config = Parse("""
            { "kernel": "v", "personality": "xen", "rng": true, "disks": [ { "path": "a" }, { "path": "b", "pci": true } ], "network": [ { "pci": true }, { } ] }
            """);
        // Written and read again it is the same.
        foreach (GuestConfig read in (GuestConfig[])[config, GuestConfigReader.ParseInline(Encoding.UTF8.GetString(GuestConfigWriter.Write(config)), "/")[0]])
        {
            Assert.True(read.HasRng && read.HasPciDevices);
            Assert.Equal([false, true], read.Disks.Select(static disk => disk.IsPci));
            Assert.Equal([true, false], read.Network.Select(static network => network.IsPci));
        }

        Assert.False(Parse("""{ "kernel": "v", "personality": "xen", "disks": [ { "path": "a" } ] }""").HasPciDevices);
    }

    [Fact]
    public void Every_field_is_read()
    {
        GuestConfig config = Parse("""
            {
              "$schema": "schema.json", // comments are welcome
              "name": "full", "personality": "platform", "memory": "256M", "vcpus": 1,
              "engine": "interpreter", "clock": "deterministic",
              "kernel": "../kit/vmlinux.gz", "initrd": "/abs/initrd", "commandLine": "console=ttyS0 quiet",
              "disks": [ { "path": "a.img" }, { "path": "b.img", "readOnly": true, "format": "raw" } ],
              "network": [
                { "mac": "52:54:00:ab:cd:ef", "hostForwards": [ "tcp:2222:22", "udp:0.0.0.0:53:5353" ] },
                { "type": "tap", "device": "tap0" }
              ],
              "console": { "type": "socket", "path": "g.sock", "escape": "ctrl-a" },
              "efiVariables": "g.vars",
            }
            """);
        Assert.Equal("full", config.Name);
        Assert.Equal(256UL << 20, config.Memory);
        Assert.Equal(ClockSource.Deterministic, config.Clock);
        Assert.Equal("/guests/../kit/vmlinux.gz", config.Kernel);
        Assert.Equal("/abs/initrd", config.Initrd);
        Assert.Equal("console=ttyS0 quiet", config.CommandLine);
        Assert.Equal([new DiskConfig("/guests/a.img", false), new DiskConfig("/guests/b.img", true)], config.Disks);
        Assert.Equal([0x52, 0x54, 0, 0xAB, 0xCD, 0xEF], config.Network[0].Mac!);
        Assert.Equal("127.0.0.1:2222", config.Network[0].HostForwards[0].Host.ToString());
        Assert.Equal(22, config.Network[0].HostForwards[0].GuestPort);
        Assert.Equal(ForwardProtocol.Udp, config.Network[0].HostForwards[1].Protocol);
        Assert.Equal(NetworkType.Tap, config.Network[1].Type);
        Assert.Equal("tap0", config.Network[1].Device);
        Assert.Equal(ConsoleType.Socket, config.Console.Type);
        Assert.Equal("/guests/g.sock", config.Console.Path);
        Assert.Equal((byte)1, config.Console.Escape);
        Assert.Equal("/guests/g.vars", config.EfiVariables);
    }

    [Theory]
    [InlineData("""{ }""", "/guests/g.json: kernel: expected a file name, found nothing")]
    [InlineData("""{ "kernel": "" }""", "/guests/g.json: kernel: expected a file name, found \"\"")]
    [InlineData("""{ "kernel": ["a"] }""", "/guests/g.json: kernel: expected a text, found a list")]
    [InlineData("""{ "kernel": {"a": 1} }""", "/guests/g.json: kernel: expected a text, found an object")]
    [InlineData("""{ "kernal": "v" }""", "/guests/g.json: kernal: there is no such field, did you mean \"kernel\"?")]
    [InlineData("""{ "kernel": "v", "memory": "lots" }""", "/guests/g.json: memory: expected a size such as \"512M\" or \"1G\", found \"lots\"")]
    [InlineData("""{ "kernel": "v", "memory": "63M" }""", "/guests/g.json: memory: expected a multiple of 1M from 64M to 64G, found \"63M\"")]
    [InlineData("""{ "kernel": "v", "memory": "99999999999G" }""", "/guests/g.json: memory: expected a size such as \"512M\" or \"1G\", found \"99999999999G\"")]
    [InlineData("""{ "kernel": "v", "vcpus": 0 }""", "/guests/g.json: vcpus: expected a whole number from 1 to 64, found \"0\"")]
    [InlineData("""{ "kernel": "v", "weight": 0 }""", "/guests/g.json: weight: expected a whole number from 1 to 65535, found \"0\"")]
    [InlineData("""{ "kernel": "v", "cap": 6401 }""", "/guests/g.json: cap: expected a whole number from 0 to 6400, found \"6401\"")]
    [InlineData("""{ "kernel": "v", "hostThreads": 65 }""", "/guests/g.json: hostThreads: expected a whole number from 1 to 64, found \"65\"")]
    [InlineData("""{ "kernel": "v", "cpus": "1-0" }""", "/guests/g.json: cpus: expected \"all\", or numbers and ranges from 0 to 63 with commas, such as \"0-3,5\" or \"0-7,^2\", found \"1-0\"")]
    [InlineData("""{ "kernel": "v", "vcpus": 65 }""", "/guests/g.json: vcpus: expected a whole number from 1 to 64, found \"65\"")]
    [InlineData("""{ "kernel": "v", "engine": "jit" }""", "/guests/g.json: engine: expected interpreter or translator, found \"jit\"")]
    [InlineData("""{ "kernel": "v", "privileged": true }""", "/guests/g.json: privileged: only a domain with the \"xen\" personality can be privileged")]
    [InlineData("""{ "kernel": "v", "personality": "xen", "efiVariables": "v.vars" }""", "/guests/g.json: efiVariables: of the domains with the \"xen\" personality only a privileged one has the machine's variables")]
    [InlineData("""{ "kernel": "v", "personality": "xen", "clock": "deterministic" }""", "/guests/g.json: clock: a domain with the \"xen\" personality follows the host's clock only")]
    [InlineData("""{ "kernel": "v", "personality": "xen", "memory": "3M" }""", "/guests/g.json: memory: expected a multiple of 1M from 4M to 64G, found \"3M\"")]
    [InlineData("""{ "kernel": "v", "clock": "sundial" }""", "/guests/g.json: clock: expected host or deterministic, found \"sundial\"")]
    [InlineData("""{ "kernel": "v", "name": "a b" }""", "/guests/g.json: name: expected 1 to 64 letters, digits, '-', '_' or '.', found \"a b\"")]
    [InlineData("""{ "kernel": "v", "disks": "a.img" }""", "/guests/g.json: disks: expected a list, found \"a.img\"")]
    [InlineData("""{ "kernel": "v", "disks": { "path": "a.img" } }""", "/guests/g.json: disks: expected a list, found an object")]
    [InlineData("""{ "kernel": "v", "disks": [ "a.img" ] }""", "/guests/g.json: disks[0]: expected an object, found \"a.img\"")]
    [InlineData("""{ "kernel": "v", "disks": [ { "path": "a" }, { "file": "b" } ] }""", "/guests/g.json: disks[1].file: there is no such field; known are path, readOnly, format, overlay, name, backend, target, pci")]
    [InlineData("""{ "kernel": "v", "disks": [ { "path": "a", "readOnly": "maybe" } ] }""", "/guests/g.json: disks[0].readOnly: expected true or false, found \"maybe\"")]
    [InlineData("""{ "kernel": "v", "disks": [ { "path": "a", "format": "qcow2" } ] }""", "/guests/g.json: disks[0].format: expected \"raw\", found \"qcow2\"")]
    [InlineData("""{ "kernel": "v", "disks": [ { "readOnly": true } ] }""", "/guests/g.json: disks[0].path: expected a file name, found nothing")]
    [InlineData("""{ "kernel": "v", "network": [ { "mac": "01:00:00:00:00:01" } ] }""", "/guests/g.json: network[0].mac: expected six hex bytes of a unicast address, such as \"52:54:00:12:34:56\", found \"01:00:00:00:00:01\"")]
    [InlineData("""{ "kernel": "v", "network": [ { "type": "tap" } ] }""", "/guests/g.json: network[0].device: expected the name of a TAP interface of the host, found nothing")]
    [InlineData("""{ "kernel": "v", "network": [ { "device": "tap0" } ] }""", "/guests/g.json: network[0].device: only a \"tap\" network has a device, this one is \"nat\"")]
    [InlineData("""{ "kernel": "v", "network": [ { "hostForwards": [ "tcp:99999:22" ] } ] }""", "/guests/g.json: network[0].hostForwards: expected \"tcp:HOSTPORT:GUESTPORT\" or \"udp:HOSTADDRESS:HOSTPORT:GUESTPORT\", found \"tcp:99999:22\"")]
    [InlineData("""{ "kernel": "v", "disks": [ { "path": "a", "pci": true } ] }""", "/guests/g.json: disks[0].pci: all devices of a \"platform\" machine are on its PCI bus; only a domain with the \"xen\" personality is asked")]
    [InlineData("""{ "kernel": "v", "network": [ { "pci": 1 } ] }""", "/guests/g.json: network[0].pci: expected true or false, found \"1\"")]
    [InlineData("""{ "kernel": "v", "personality": "xen", "disks": [ { "path": "a", "pci": true, "name": "xvda" } ] }""", "/guests/g.json: disks[0].name: the guest chooses what to call a disk on its PCI bus")]
    [InlineData("""{ "kernel": "v", "rng": true }""", "/guests/g.json: rng: a \"platform\" machine always has a source of random numbers; only a domain with the \"xen\" personality is asked")]
    [InlineData("""{ "kernel": "v", "personality": "xen", "memory": "4G", "rng": true }""", "/guests/g.json: memory: expected at most 3G for a domain with devices on a PCI bus, whose registers lie above, found \"4G\"")]
    [InlineData("""{ "kernel": "v", "console": { "type": "file" } }""", "/guests/g.json: console.path: expected a file name, found nothing")]
    [InlineData("""{ "kernel": "v", "console": { "path": "x" } }""", "/guests/g.json: console.path: a \"stdio\" console has no path")]
    [InlineData("""{ "kernel": "v", "console": { "escape": "ctrl-m" } }""", "/guests/g.json: console.escape: expected a control character such as \"ctrl-]\", or \"none\", found \"ctrl-m\"")]
    [InlineData("""{ "kernel": "v", "console": "stdio" }""", "/guests/g.json: console: expected an object, found \"stdio\"")]
    [InlineData("""{ "kernel": "v", "commandLine": "a\u0000b" }""", "/guests/g.json: commandLine: expected text without control characters, found \"a?b\"")]
    [InlineData("""{ "kernel": "v", "disks": [ { "backend": "d", "target": "x" } ] }""", "/guests/g.json: disks[0].backend: only a domain with the \"xen\" personality can be served by another one")]
    [InlineData("""{ "kernel": "v", "personality": "xen", "disks": [ { "backend": "d d", "target": "x" } ] }""", "/guests/g.json: disks[0].backend: expected the name of a domain (1 to 64 letters, digits, '-', '_' or '.'), found \"d d\"")]
    [InlineData("""{ "kernel": "v", "personality": "xen", "disks": [ { "backend": "d" } ] }""", "/guests/g.json: disks[0].target: expected what the domain d is to serve, in 1 to 128 printable characters without spaces, found nothing")]
    [InlineData("""{ "kernel": "v", "personality": "xen", "disks": [ { "backend": "d", "target": "x", "path": "a" } ] }""", "/guests/g.json: disks[0].path: a disk that the domain d serves has a \"target\" instead")]
    [InlineData("""{ "kernel": "v", "personality": "xen", "disks": [ { "path": "a", "target": "x" } ] }""", "/guests/g.json: disks[0].target: only a disk with a \"backend\" has one: the host's have a \"path\"")]
    [InlineData("""{ "kernel": "v", "personality": "xen", "network": [ { "backend": "d", "type": "nat" } ] }""", "/guests/g.json: network[0].type: the network of a card that the domain d serves is that domain's switch")]
    [InlineData("""{ "kernel": "v", "personality": "xen", "network": [ { "backend": "g" } ] }""", "/guests/g.json: network: a domain cannot serve itself")]
    public void Each_mistake_has_its_sentence(string json, string sentence) =>
        Assert.Equal(sentence, Assert.Throws<ConfigException>(() => Parse(json)).Message);

    [Fact]
    public void Devices_of_other_domains_are_read_and_written()
    {
        GuestConfig config = Parse("""
            { "kernel": "v", "personality": "xen", "disks": [ { "backend": "d", "target": "ram:64", "readOnly": true, "name": "xvdb" } ], "network": [ { "backend": "e" } ] }
            """);
        Assert.Equal(new DiskConfig("ram:64", ReadOnly: true) { Backend = "d", Name = "xvdb" }, Assert.Single(config.Disks));
        Assert.Equal((NetworkType.Switch, "e"), (config.Network[0].Type, config.Network[0].Backend));
        GuestConfig again = GuestConfigReader.Parse("/guests/g.json", GuestConfigWriter.Write(config), NoFields, []);
        Assert.Equal(config.Disks, again.Disks);
        Assert.Equal("e", again.Network[0].Backend);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{ \"kernel\": \"v\"")]
    [InlineData("{ \"kernel\": \"v\", \"kernel\": \"w\" }")]
    [InlineData("{ \"kernel\": \"\\ud800\" }")]
    [InlineData("\0\0\0\0")]
    public void What_is_not_a_JSON_object_is_said_to_be_none(string json)
    {
        string message = Assert.Throws<ConfigException>(() => Parse(json)).Message;
        Assert.StartsWith("/guests/g.json: not a JSON object that describes a guest", message);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void A_long_command_line_is_refused() =>
        Assert.Contains("commandLine: expected at most 2047 bytes, found 2048",
            Assert.Throws<ConfigException>(() => Parse($$"""{ "kernel": "v", "commandLine": "{{new string('x', 2048)}}" }""")).Message);

    [Fact]
    public void Options_take_the_place_of_fields_and_add_disks()
    {
        Dictionary<string, string?> fields = new() { ["memory"] = "128M", ["console:type"] = "stdio", ["console:path"] = null };
        byte[] json = """{ "kernel": "v", "memory": "2G", "console": { "type": "file", "path": "log" }, "disks": [ { "path": "a.img" } ] }"""u8.ToArray();
        GuestConfig config = GuestConfigReader.Parse("/guests/g.json", json, fields, ["/b.img"]);
        Assert.Equal(128UL << 20, config.Memory);
        Assert.Equal(ConsoleType.Stdio, config.Console.Type);
        Assert.Null(config.Console.Path);
        Assert.Equal(["/guests/a.img", "/b.img"], config.Disks.Select(disk => disk.Path));
    }

    [Theory]
    [InlineData("100M", 112)]
    [InlineData("96M", 96)]
    [InlineData("64M", 64)]
    public void Memory_is_rounded_up_to_granules(string text, int megabytes) =>
        Assert.Equal((ulong)megabytes << 20, Parse($$"""{ "kernel": "v", "memory": "{{text}}" }""").Memory);

    [Fact]
    public void A_mistake_on_the_command_line_is_blamed_on_it()
    {
        Dictionary<string, string?> fields = new() { ["memory"] = "some" };
        byte[] json = """{ "kernel": "v" }"""u8.ToArray();
        Assert.StartsWith("command line: memory: ", Assert.Throws<ConfigException>(() => GuestConfigReader.Parse("/g.json", json, fields, [])).Message);
    }

    [Fact]
    public void A_missing_or_huge_file_is_named()
    {
        using TemporaryFolder folder = new();
        string missing = Path.Combine(folder.Path, "none.json");
        Assert.Equal($"{missing}: there is no such file", Assert.Throws<ConfigException>(() => GuestConfigReader.Read(missing)).Message);
        string huge = folder.Write("huge.json", new byte[GuestConfigReader.MaximumFileSize + 1]);
        Assert.Contains("a config has at most", Assert.Throws<ConfigException>(() => GuestConfigReader.Read(huge)).Message);
        Assert.Throws<ConfigException>(() => GuestConfigReader.Read(folder.Path));
    }

    [Fact]
    public void Damaged_configs_fail_with_a_sentence_only()
    {
        byte[] good = Encoding.UTF8.GetBytes("""
            { "name": "full", "memory": "256M", "vcpus": 1, "kernel": "v", "disks": [ { "path": "a.img", "readOnly": true } ],
              "network": [ { "mac": "52:54:00:ab:cd:ef", "hostForwards": [ "tcp:2222:22" ] } ], "console": { "type": "file", "path": "x", "escape": "none" } }
            """);
        Random random = new(20);
        int refused = 0;
        for (int round = 0; round < 5000; round++)
        {
            byte[] bad = (byte[])good.Clone();
            for (int changes = random.Next(1, 6); changes > 0; changes--)
            {
                int at = random.Next(bad.Length);
                bad[at] = random.Next(3) switch { 0 => (byte)random.Next(256), 1 => good[random.Next(good.Length)], _ => (byte)"{}[]\":,\\0"[random.Next(9)] };
            }
            if (random.Next(4) == 0) bad = bad[..random.Next(bad.Length)];
            try
            {
                GuestConfigReader.Parse("/guests/g.json", bad, NoFields, []);
            }
            catch (ConfigException)
            {
                refused++;
            }
        }
        Assert.InRange(refused, 1000, 5000);
    }

    [Fact]
    public void A_list_of_domains_is_read_in_order()
    {
        IReadOnlyList<GuestConfig> configs = GuestConfigReader.ParseInline("""
            { "domains": [ { "name": "one", "kernel": "a" }, { "kernel": "/b", "memory": "64M", "console": { "type": "buffer" } } ] }
            """, "/guests");
        Assert.Equal(["one", "guest-2"], configs.Select(static config => config.Name));
        Assert.Equal(["/guests/a", "/b"], configs.Select(static config => config.Kernel));
        Assert.Equal(ConsoleType.Buffer, configs[1].Console.Type);
    }

    [Theory]
    [InlineData("""{ "domains": [ { "kernel": "a" }, { "kernal": "b" } ] }""", "config: domains[1].kernal: there is no such field, did you mean \"kernel\"?")]
    [InlineData("""{ "domains": [ { "name": "x", "kernel": "a" }, { "name": "x", "kernel": "b" } ] }""", "config: domains[1].name: there are two domains \"x\"")]
    [InlineData("""{ "domains": [], "kernel": "a" }""", "config: kernel: there is no such field; known are $schema, hostThreads, domains")]
    [InlineData("""{ "domains": "all" }""", "config: domains: expected a list, found \"all\"")]
    [InlineData("{", "config: not a JSON object that describes a guest")]
    public void A_list_that_is_wrong_has_its_sentence(string json, string sentence) =>
        Assert.StartsWith(sentence, Assert.ThrowsAny<LoadException>(() => GuestConfigReader.ParseInline(json, "/")).Message);
}
