using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using FastXen.Tests;

namespace FastXen.EndToEnd.Tests;

/// <summary>The kernel of our own that runs on the Xen/ia64 interface as dom0 and as domU, and on the platform personality (native/xenguest).</summary>
public sealed partial class XenGuestTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("fastxen-xenguest-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static object Guest(string name, string words, string personality = "xen", int vcpus = 1, bool isPrivileged = false, bool hasNetwork = false, bool hasKernel = false) => new
    {
        name,
        personality,
        privileged = isPrivileged,
        memory = "64M",
        vcpus,
        kernel = Guests.Xenguest,
        initrd = hasKernel ? Guests.Xenguest : null,
        commandLine = words,
        network = hasNetwork ? new object[] { new { type = "switch" } } : [],
    };

    private static readonly JsonSerializerOptions _withoutNulls = new() { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    private string Config(object guest)
    {
        string file = Path.Combine(_folder, "guest.json");
        File.WriteAllText(file, JsonSerializer.Serialize(guest, _withoutNulls));
        return file;
    }

    // Where a test of the guest failed, its name and what it got.
    private static string[] Failures(string output) => [.. output.Split('\n').Where(line => line.StartsWith("FAIL", StringComparison.Ordinal) || line.Contains("PANIC", StringComparison.Ordinal))];

    [GeneratedRegex(@"^selftest: (\d+) ok, 0 failed\r?$", RegexOptions.Multiline)]
    private static partial Regex Summary { get; }

    [KitFact("tar", "xz", "ia64-linux-gnu-as", "ia64-linux-gnu-ld")]
    public void The_committed_file_is_what_the_kits_compiler_makes_of_the_source()
    {
        HostProgram.AssertCommittedGuestIsMadeOfItsSource("xenguest", _folder);
    }

    /// <summary>The guest's own tests of what it runs on: how many there are at least, so that none is left out unseen.</summary>
    [Theory]
    [InlineData("xen", "translator", 3, 250)]
    [InlineData("xen", "interpreter", 3, 250)]
    [InlineData("platform", "translator", 3, 65)]
    [InlineData("platform", "interpreter", 3, 65)]
    public void Its_self_test_passes(string personality, string engine, int vcpus, int atLeast)
    {
        (int code, string output, string errors) = FastXenProcess.Run("run", Config(Guest("guest", "selftest", personality, vcpus)), "--engine", engine);
        Assert.Empty(Failures(output));
        Assert.Equal((0, ""), (code, errors));
        Assert.InRange(int.Parse(Summary.Match(output).Groups[1].Value), atLeast, 100_000);
    }

    [Fact]
    public void It_writes_and_reads_a_disk_of_the_hosts()
    {
        string image = Path.Combine(_folder, "disk.img");
        File.WriteAllBytes(image, new byte[1 << 20]);
        string config = Config(new { name = "guest", personality = "xen", memory = "64M", kernel = Guests.Xenguest, commandLine = "selftest scratch", disks = new[] { new { path = image } } });
        (int code, string output, _) = FastXenProcess.Run("run", config);
        Assert.Empty(Failures(output));
        Assert.Equal(0, code);
        Assert.Contains("ok disk.content", output);
        // Its last two pages, by the guest's formula.
        byte[] bytes = File.ReadAllBytes(image);
        for (int word = 1; word < 4096; word++)
            Assert.Equal((ulong)word * 0x9e3779b97f4a7c15 ^ 0x1234, BitConverter.ToUInt64(bytes, bytes.Length - 32768 + 8 * word));
    }

    /// <summary>Both drive their devices with interrupts and DMA, and find that the devices do not reach what is not theirs.</summary>
    [Fact]
    public void Dom0_and_a_domU_drive_devices_on_the_PCI_bus()
    {
        object OnPci(string name, bool isPrivileged)
        {
            string image = Path.Combine(_folder, $"{name}.img");
            File.WriteAllBytes(image, new byte[64 << 10]);
            return new
            {
                name,
                personality = "xen",
                privileged = isPrivileged,
                memory = "64M",
                kernel = Guests.Xenguest,
                commandLine = "selftest scratch",
                rng = true,
                disks = new[] { new { path = image, pci = true } },
                console = new { type = "file", path = Path.Combine(_folder, $"{name}.log") },
            };
        }

        (int code, _, string errors) = FastXenProcess.Run("run", Config(new { domains = new[] { OnPci("dom0", true), OnPci("domU", false) } }));
        Assert.Equal((0, ""), (code, errors));
        foreach (string name in (string[])["dom0", "domU"])
        {
            string output = File.ReadAllText(Path.Combine(_folder, $"{name}.log"));
            Assert.Empty(Failures(output));
            Assert.Single(Summary.Matches(output));
            Assert.Contains("ok pci.rng.interrupts", output);
            Assert.Equal(3, Regex.Count(output, "ok pci.reach.broken"));
            Assert.Contains("ok pci.disk.content", output);
            // Its last sector, by the guest's formula.
            byte[] image = File.ReadAllBytes(Path.Combine(_folder, $"{name}.img"));
            Assert.Equal(Enumerable.Range(0, 512).Select(static k => (byte)(k * 7 + 3)), image[^512..]);
        }
    }

    /// <summary>Over the host's switch, or with dom0 as the switch.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Dom0_finds_the_other_domains_serves_them_and_ends_all(bool hasNetwork)
    {
        string config = Config(new
        {
            domains = new[]
            {
                Guest("dom0", "", isPrivileged: true, vcpus: 2, hasNetwork: hasNetwork, hasKernel: true), Guest("alpha", "", vcpus: 2, hasNetwork: hasNetwork),
                Guest("beta", "idle", hasNetwork: hasNetwork),
            },
        });
        (int code, string output, string errors) = FastXenProcess.Run("run", config);
        Assert.Equal((0, ""), (code, errors));
        Assert.Matches(@"block device .* of alpha: 4096 KiB written and read back, the same;", output);
        Assert.Matches(@"network +alpha at 10\.77\.0\.2: 5 of 5 pings came back, .* UDP echo as well", output);
        Assert.Matches(@"network +beta at 10\.77\.0\.3: 5 of 5 pings came back, .* UDP echo as well", output);
        Assert.Matches(@"toolstack +carol was made by domctl \(domain 3 at 10\.77\.0\.4, 24 MiB\): answers after", output);
        Assert.Matches(@"toolstack +carol was paused and unpaused, suspended itself and was resumed, was destroyed\r?\n", output);
        Assert.Contains("alpha was told to power off, and did", output);
        Assert.Contains("beta was told to power off, and did", output);
    }

    /// <summary>By hypercalls alone: createdomain to setvcpucontext, the console's ring, pause, suspend and resume, destroy.</summary>
    [Fact]
    public void Dom0_makes_and_ends_domains_at_its_prompt()
    {
        using FastXenProcess process = new("run", Config(Guest("dom0", "stay", isPrivileged: true, hasKernel: true)));
        process.Expect("dom0> ");
        void Say(string line, string answer)
        {
            process.Send($"{line}\r");
            process.Expect(answer);
        }
        for (int domain = 2; domain < 5; domain++)
        {
            Say("create dora selftest", $"dora is domain {domain}");
            Assert.DoesNotContain("FAIL", process.Expect("[dora] selftest: "));
            process.Expect(" 0 failed");
            // It has ended by itself, and stays until its maker ends it.
            Say("list", $"{domain}  dora");
            Say($"destroy {domain}", "done");
        }
        Say("create dora idle", "dora is domain 5");
        process.Expect("[dora] xenguest on Xen, domU: 1 of 1 processors");
        Say("pause 5", "done");
        Say("list", "5  dora              1 vCPUs  24 MiB");
        process.Expect("paused");
        Say("unpause 5", "done");
        Say("type 5 cpus", "[dora] domU> cpus");
        process.Expect("[dora] 1 of 1 are up");
        Say("write /local/domain/5/control/shutdown suspend", "told to suspend");
        string down;
        do
        {
            Say("list", "  dora");
            down = process.Expect("dom0> ");
        }
        while (!down.Contains("down", StringComparison.Ordinal));
        Say("resume 5", "[dora] not saved");
        Say("destroy 4711", "error 3");
        // With dom0 ends what it made.
        process.Send("halt\r");
        Assert.Equal(0, process.WaitForExit());
    }

    [Fact]
    public void Its_prompt_answers_on_both_personalities()
    {
        foreach (string personality in (string[])["platform", "xen"])
        {
            using FastXenProcess process = new("run", Config(Guest("guest", "idle", personality)));
            process.Expect("> ");
            process.Send("cpus\r");
            process.Expect("1 of 1 are up");
            process.Send("halt\r");
            Assert.Equal(0, process.WaitForExit());
        }
    }
}
