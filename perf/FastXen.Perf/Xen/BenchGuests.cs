using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using FastXen.Perf.Measure;

namespace FastXen.Perf.Xen;

/// <summary>native/xenguest with the word <c>bench</c>: its lines "bench NAME VALUE".</summary>
internal sealed class BenchGuests(string folder)
{
    /// <summary>The kernel.</summary>
    public const string Kernel = "out/guests/xenguest";

    /// <summary>Bytes of the requests with which the guest reads its disk: 11 segments of a frame.</summary>
    public const int DiskRequest = 11 << 14;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>The file that is the guest's disk; it is read once.</summary>
    public string Disk { get; } = MakeDisk(Path.Combine(folder, "disk.img"));

    /// <summary>Runs the guest and its peer on the Xen interface, on two host threads.</summary>
    public IReadOnlyDictionary<string, double> OnXen() => Run("xen", new
    {
        hostThreads = 2,
        domains = new object[]
        {
            Domain("front", "bench peer=2", "0", [new { path = Disk, readOnly = true, name = "xvda" }]),
            Domain("peer", "bench=peer peer=1", "1", []),
        },
    }, Console("front"));

    /// <summary>Runs the guest on the platform personality.</summary>
    public IReadOnlyDictionary<string, double> OnPlatform()
        => Run("platform", new { name = "platform", memory = "64M", kernel = Path.GetFullPath(Kernel), commandLine = "bench", console = new { type = "file", path = Console("platform") } }, Console("platform"));

    private object Domain(string name, string words, string threads, object[] disks) => new
    {
        name,
        personality = "xen",
        memory = "64M",
        kernel = Path.GetFullPath(Kernel),
        commandLine = words,
        cpus = threads,
        console = new { type = "file", path = Console(name) },
        disks,
        network = new object[] { new { type = "switch" } },
    };

    private string Console(string name) => Path.Combine(folder, name + ".log");

    private Dictionary<string, double> Run(string name, object config, string console)
    {
        string file = Path.Combine(folder, name + ".json");
        File.WriteAllText(file, JsonSerializer.Serialize(config));
        File.Delete(console);
        ProcessStartInfo start = new(BenchmarkGuest.Executable, ["run", file]) { RedirectStandardInput = true, RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(Patience))
            process.Kill();
        process.WaitForExit();
        string text = File.Exists(console) ? File.ReadAllText(console) : "";
        // What was measured before an end that was not meant counts nevertheless.
        if (process.ExitCode != 0)
            System.Console.Error.WriteLine($"out/fastxen run {file} ended with code {process.ExitCode}: {errors.Result}{text}");
        return text.Split('\n').Select(static line => line.Trim().Split(' ')).Where(static words => words is ["bench", _, _] && double.TryParse(words[2], CultureInfo.InvariantCulture, out _))
            .ToDictionary(static words => words[1], static words => double.Parse(words[2], CultureInfo.InvariantCulture));
    }

    private static string MakeDisk(string path)
    {
        byte[] content = new byte[64 << 20];
        Random.Shared.NextBytes(content);
        File.WriteAllBytes(path, content);
        return path;
    }
}
