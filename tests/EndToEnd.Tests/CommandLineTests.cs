namespace FastXen.EndToEnd.Tests;

/// <summary>What the executable says of bad input, and that it says it with exit code 2.</summary>
public sealed class CommandLineTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("fastxen-e2e-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Write(string name, ReadOnlySpan<byte> contents)
    {
        string path = Path.Combine(_folder, name);
        File.WriteAllBytes(path, contents);
        return path;
    }

    private static string Demo => Path.Combine(FastXen.Tests.Kit.Repository, "out", "guests", "demo");

    private static void Refused(string sentence, params string[] arguments)
    {
        (int code, string output, string errors) = FastXenProcess.Run(arguments);
        Assert.Equal((2, "", $"fastxen: {sentence}\n"), (code, output, errors));
    }

    [Theory]
    [InlineData("there is no command 'boot'; see 'fastxen --help'", "boot")]
    [InlineData("there is no option '--kernal'; see 'fastxen run --help'", "run", "--kernal", "x")]
    [InlineData("option '--memory' needs a value; see 'fastxen run --help'", "run", "--memory")]
    [InlineData("the file to work on is missing; see 'fastxen check --help'", "check")]
    [InlineData("command line: name a config, or a kernel with --kernel", "run")]
    [InlineData("command line: memory: expected a size such as \"512M\" or \"1G\", found \"big\"", "run", "--kernel", "x", "--memory", "big")]
    [InlineData("command line: vcpus: expected a whole number from 1 to 64, found \"65\"", "run", "guests/demo.json", "--vcpus", "65")]
    [InlineData("/none.json: there is no such file", "check", "/none.json")]
    [InlineData("/none: there is no such file", "run", "--kernel", "/none")]
    public void A_bad_command_line_has_its_sentence(string sentence, params string[] arguments) => Refused(sentence, arguments);

    [Theory]
    [InlineData("--help", "run ")]
    [InlineData("help", "vectors ")]
    [InlineData("run --help", "--kernel=FILE")]
    [InlineData("vectors --help", "--engine=NAME")]
    [InlineData("--version", "fastxen 0.1.0")]
    public void Help_and_version_are_printed(string arguments, string expected)
    {
        (int code, string output, string errors) = FastXenProcess.Run(arguments.Split(' '));
        Assert.Equal((0, ""), (code, errors));
        Assert.Contains(expected, output);
    }

    [Fact]
    public void Bad_kernels_have_their_sentence()
    {
        byte[] demo = File.ReadAllBytes(Demo);
        string truncated = Write("truncated", demo.AsSpan(0, demo.Length / 2));
        (int code, _, string errors) = FastXenProcess.Run("run", "--kernel", truncated);
        Assert.Equal(2, code);
        Assert.StartsWith($"fastxen: {truncated}: is truncated: it ends after {demo.Length / 2} bytes", errors);

        Refused($"{Environment.ProcessPath}: is for another machine: x86-64, expected IA-64", "run", "--kernel", Environment.ProcessPath!);
        string text = Write("text", "hello"u8);
        Refused($"{text}: is not an ELF file (nor a gzip of one)", "run", "--kernel", text);
        Refused($"{Demo}: needs at least 65M of memory, the guest has 64M", "run", "--kernel", Demo, "--memory", "64M");
    }

    [Fact]
    public void Bad_disks_have_their_sentence()
    {
        string missing = Path.Combine(_folder, "missing.img");
        Refused($"Disk image '{missing}' does not exist.", "run", "guests/demo.json", "--disk", missing);
        string small = Write("short.img", new byte[700]);
        Refused($"Disk image '{small}' has 700 bytes; expected a multiple of 512.", "run", "guests/demo.json", "--disk", small);
        string locked = Write("locked.img", new byte[512]);
        File.SetUnixFileMode(locked, UnixFileMode.UserRead);
        Refused($"{locked}: is read-only: make the file writable, or say \"readOnly\": true for this disk", "run", "guests/demo.json", "--disk", locked);
    }

    [Fact]
    public void Bad_configs_have_their_sentence()
    {
        string unknown = Write("unknown.json", """{ "kernel": "k", "memori": "1G" }"""u8);
        Refused($"{unknown}: memori: there is no such field, did you mean \"memory\"?", "check", unknown);
        string broken = Write("broken.json", "{ \"kernel\": "u8);
        (int code, _, string errors) = FastXenProcess.Run("check", broken);
        Assert.Equal(2, code);
        Assert.StartsWith($"fastxen: {broken}: not a JSON object that describes a guest (line 1): ", errors);
        Assert.Equal(1, errors.Count(c => c == '\n'));
    }

    [Fact]
    public void The_demo_guest_is_found_good() =>
        Assert.Equal((0, ""), FastXenProcess.Run("check", "guests/demo.json") is var (code, output, errors) && output.Contains(": ok: demo, 128M, 1 vcpu") ? (code, errors) : (-1, output));
}
