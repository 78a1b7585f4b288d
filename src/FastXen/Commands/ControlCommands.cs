using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using FastXen.CommandLine;
using FastXen.Control;
using FastXen.Loader.Hosting;
using FastXen.Smp;

namespace FastXen.Commands;

/// <summary>The commands that ask a running host something and print its answer, as xl does.</summary>
internal static class ControlCommands
{
    public static int List(ListOptions options) =>
        Ask(options, new ControlRequest { Command = "list", Domain = options.Domain }, ControlJson.Default.ListDomainInfo, static domains =>
        {
            Print($"{"Name",-40} {"ID",5} {"Mem",5} {"VCPUs",5}\tState\tTime(s)");
            foreach (DomainInfo domain in domains)
                Print($"{domain.Name,-40} {domain.Id,5} {domain.MemoryBytes >> 20,5} {domain.Vcpus,5}     {domain.State.Flags()}  {domain.CpuSeconds,8:F1}");
        });

    public static int Create(CreateOptions options)
    {
        ControlRequest request = options.Config.TrimStart().StartsWith('{')
            ? new ControlRequest { Command = "create", Config = options.Config, Folder = Environment.CurrentDirectory }
            : new ControlRequest { Command = "create", File = Path.GetFullPath(options.Config) };
        return Ask(options, request, ControlJson.Default.ListDomainDone, static made =>
        {
            foreach (DomainDone domain in made) Print($"created {domain.Name}, id {domain.Id}");
        });
    }

    public static int Shutdown(ShutdownOptions options) =>
        Do(options, new ControlRequest { Command = "shutdown", Domain = options.Domain, Wait = options.Wait, Force = options.Force, Grace = Grace(options) });

    public static int Reboot(RebootOptions options) =>
        Do(options, new ControlRequest { Command = "reboot", Domain = options.Domain, Wait = options.Wait, Force = options.Force, Grace = Grace(options) });

    public static int Destroy(DestroyOptions options) => Do(options, new ControlRequest { Command = "destroy", Domain = options.Domain });

    public static int Rename(RenameOptions options) => Do(options, new ControlRequest { Command = "rename", Domain = options.Domain, Name = options.Name });

    public static int Pause(PauseOptions options) => Do(options, new ControlRequest { Command = "pause", Domain = options.Domain });

    public static int Unpause(UnpauseOptions options) => Do(options, new ControlRequest { Command = "unpause", Domain = options.Domain });

    public static int VcpuList(VcpuListOptions options) =>
        Ask(options, new ControlRequest { Command = "vcpu-list", Domain = options.Domain }, ControlJson.Default.ListVcpuInfo, static vcpus =>
        {
            Print($"{"Name",-32} {"ID",5} {"VCPU",5} {"CPU",5}   State   {"Time(s)",8} Affinity (Hard / Soft)");
            foreach (VcpuInfo vcpu in vcpus)
            {
                // As xl: r runs, b waits for an event, p is paused or offline; what waits for its turn has no letter.
                string state = vcpu.State switch
                {
                    VcpuPhase.Running => "r--",
                    VcpuPhase.Blocked => "-b-",
                    VcpuPhase.Queued => "---",
                    _ => "--p",
                };
                string cpu = vcpu.HostThread?.ToString(CultureInfo.InvariantCulture) ?? "-";
                Print($"{vcpu.Name,-32} {vcpu.Id,5} {vcpu.Vcpu,5} {cpu,5}   {state}     {vcpu.CpuSeconds,8:F1} {vcpu.HardAffinity} / {vcpu.SoftAffinity}");
            }
        });

    public static int VcpuPin(VcpuPinOptions options) => Do(options, new ControlRequest
    {
        Command = "vcpu-pin",
        Domain = options.Domain,
        Vcpu = options.Vcpu == "all" ? null : Number(options.Vcpu, "VCPU"),
        Cpus = options.Cpus == "-" ? null : options.Cpus,
        SoftCpus = options.SoftCpus == "-" ? null : options.SoftCpus,
    });

    public static int VcpuSet(VcpuSetOptions options) =>
        Do(options, new ControlRequest { Command = "vcpu-set", Domain = options.Domain, Count = Number(options.Count, "COUNT") });

    public static int Save(SaveOptions options) => Do(options, new ControlRequest
    {
        Command = "save",
        Domain = options.Domain,
        File = Path.GetFullPath(options.File),
        Checkpoint = options.Checkpoint,
        Grace = options.Grace is { } text ? HostOptions.Seconds(text, "--grace") : null,
        Wait = true,
    });

    public static int Restore(RestoreOptions options) =>
        Ask(options, new ControlRequest { Command = "restore", File = Path.GetFullPath(options.File) }, ControlJson.Default.DomainDone,
            static done => Print($"restored {done.Name}, id {done.Id}"));

    public static int MemSet(MemSetOptions options) => Do(options, new ControlRequest { Command = "mem-set", Domain = options.Domain, Memory = options.Size });

    public static int SchedCredit(SchedCreditOptions options)
    {
        bool change = options.Weight is not null || options.Cap is not null;
        if (change && options.Domain is null) throw new ControlException("name the domain to change with -d");
        ControlRequest request = new()
        {
            Command = "sched-credit",
            Domain = options.Domain,
            Weight = options.Weight is { } weight ? Number(weight, "--weight") : null,
            Cap = options.Cap is { } cap ? Number(cap, "--cap") : null,
        };
        return Ask(options, request, ControlJson.Default.ListCreditInfo, domains =>
        {
            if (change) return;
            Print($"{"Name",-33} {"ID",4} {"Weight",6} {"Cap",4}");
            foreach (CreditInfo domain in domains) Print($"{domain.Name,-33} {domain.Id,4} {domain.Weight,6} {domain.Cap,4}");
        });
    }

    public static int DumpCore(DumpCoreOptions options) =>
        Do(options, new ControlRequest { Command = "dump-core", Domain = options.Domain, File = Path.GetFullPath(options.File) });

    public static int Domid(DomidOptions options) => PrintOne(options, static domain => domain.Id.ToString(CultureInfo.InvariantCulture));

    public static int Domname(DomnameOptions options) => PrintOne(options, static domain => domain.Name);

    public static int Uptime(UptimeOptions options) =>
        Ask(options, new ControlRequest { Command = "list", Domain = options.Domain }, ControlJson.Default.ListDomainInfo, static domains =>
        {
            Print($"{"Name",-40} {"ID",5}  Uptime");
            foreach (DomainInfo domain in domains) Print($"{domain.Name,-40} {domain.Id,5}  {Duration(domain.UptimeSeconds)}");
        });

    public static int Info(InfoOptions options) =>
        Ask(options, new ControlRequest { Command = "info" }, ControlJson.Default.HostInfo, static info =>
        {
            Field("host", info.Host);
            Field("release", info.Release);
            Field("machine", info.Machine);
            Field("nr_cpus", info.Cpus);
            Field("total_memory", info.TotalMemoryBytes >> 20);
            Field("free_memory", info.FreeMemoryBytes >> 20);
            Field("domains", info.Domains);
            Field("domain_memory", info.DomainMemoryBytes >> 20);
            Field("memory_limit", info.MemoryLimitBytes >> 20);
            Field("memory_taken", info.MemoryTakenBytes >> 20);
            Field("resident_memory", info.ResidentBytes >> 20);
            Field("threads", info.Threads);
            Field("fastxen_version", info.FastxenVersion);
            Field("fastxen_pid", info.Pid);
            Field("fastxen_uptime", Duration(info.UptimeSeconds));
            Field("control_socket", info.Socket);
        });

    public static int Dmesg(DmesgOptions options) =>
        Ask(options, new ControlRequest { Command = "dmesg", Clear = options.Clear }, ControlJson.Default.ListLogLine, static lines =>
        {
            foreach (LogLine line in lines) Print($"{new HostLogLine(TimeSpan.FromSeconds(line.Seconds), line.Text)}");
        });

    // A command whose answer is that it was done.
    private static int Do(ControlOptions options, ControlRequest request) =>
        Ask(options, request, ControlJson.Default.DomainDone, static _ => { });

    private static int PrintOne(DomainOptions options, Func<DomainInfo, string> what) =>
        Ask(options, new ControlRequest { Command = "list", Domain = options.Domain }, ControlJson.Default.ListDomainInfo, domains => Print($"{what(domains[0])}"));

    private static int Ask<T>(ControlOptions options, ControlRequest request, JsonTypeInfo<T> type, Action<T> print)
    {
        using ControlClient client = new(options.Socket);
        if (options.Json)
        {
            JsonElement result = client.Ask(request);
            Console.Out.WriteLine(result.GetRawText());
        }
        else
        {
            print(client.Ask(request, type));
        }
        return ExitCode.Success;
    }

    private static void Print(FormattableString line) => Console.Out.WriteLine(line.ToString(CultureInfo.InvariantCulture));

    private static void Field<T>(string name, T value) => Print($"{name,-23}: {value}");

    private static int Number(string text, string what) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : throw new ControlException($"{what}: expected a number, found \"{text}\"");

    private static double? Grace(AskOptions options) => options.Grace is { } text ? HostOptions.Seconds(text, "--grace") : null;

    // "2 days, 3:04:05", as uptime prints.
    private static string Duration(double seconds)
    {
        TimeSpan time = TimeSpan.FromSeconds(Math.Floor(seconds));
        string days = time.Days switch { 0 => "", 1 => "1 day, ", _ => $"{time.Days} days, " };
        return $"{days}{time.Hours}:{time.Minutes:00}:{time.Seconds:00}";
    }
}
