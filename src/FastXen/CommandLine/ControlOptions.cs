using CommandLine;

namespace FastXen.CommandLine;

/// <summary>What all commands to a running host have.</summary>
public abstract class ControlOptions
{
    /// <summary>The host.</summary>
    [Option("socket", MetaValue = "PATH|PID", HelpText = "The host's control socket or process (default: $FASTXEN_SOCKET, or the only host that runs).")]
    public string? Socket { get; set; }

    /// <summary>Whether to print JSON.</summary>
    [Option("json", HelpText = "Print the answer as JSON.")]
    public bool Json { get; set; }
}

/// <summary>A command about one domain.</summary>
public abstract class DomainOptions : ControlOptions
{
    /// <summary>Name or id.</summary>
    [Value(0, MetaName = "DOMAIN", Required = true, HelpText = "Name or id of the domain.")]
    public string Domain { get; set; } = "";
}

/// <summary>A command that asks a guest.</summary>
public abstract class AskOptions : DomainOptions
{
    /// <summary>Whether to wait.</summary>
    [Option('w', "wait", HelpText = "Wait until it is done.")]
    public bool Wait { get; set; }

    /// <summary>Whether to do without the guest's consent.</summary>
    [Option('F', "force", HelpText = "Where the guest does not listen to its power button: pull the plug.")]
    public bool Force { get; set; }

    /// <summary>Seconds.</summary>
    [Option("grace", MetaValue = "SECONDS", HelpText = "Time for the guest to shut down, before its plug is pulled (default 60).")]
    public string? Grace { get; set; }
}

/// <summary><c>fastxen serve</c>.</summary>
[Verb("serve", HelpText = "Run a host of many guests until told to stop, by its control socket.")]
public sealed class ServeOptions
{
    /// <summary>Guests to start with.</summary>
    [Value(0, MetaName = "CONFIG...", HelpText = "Configs of guests to start with.")]
    public IEnumerable<string> Configs { get; set; } = [];

    /// <summary>The control socket.</summary>
    [Option("socket", MetaValue = "PATH", HelpText = "Control socket (default: where the other commands find it).")]
    public string? Socket { get; set; }

    /// <summary>Seconds for the guests to shut down.</summary>
    [Option("grace", MetaValue = "SECONDS", HelpText = "When told to stop by a signal: time for the guests to shut down (default 10). A second signal ends them at once.")]
    public string? Grace { get; set; }

    /// <summary>Host threads.</summary>
    [Option("host-threads", MetaValue = "N", HelpText = "Threads that run the guests' processors (default: one for each of the host's).")]
    public string? HostThreads { get; set; }

    /// <summary>Memory of all guests.</summary>
    [Option("memory-limit", MetaValue = "SIZE", HelpText = "Memory that all guests may have together (default: all of the machine's).")]
    public string? MemoryLimit { get; set; }
}

/// <summary><c>fastxen list</c>.</summary>
[Verb("list", HelpText = "List the domains of a running host.")]
public sealed class ListOptions : ControlOptions
{
    /// <summary>Name or id.</summary>
    [Value(0, MetaName = "DOMAIN", HelpText = "Only this domain.")]
    public string? Domain { get; set; }
}

/// <summary><c>fastxen console</c>.</summary>
[Verb("console", HelpText = "Attach to a domain's console; Ctrl-] leaves.")]
public sealed class ConsoleOptions : DomainOptions;

/// <summary><c>fastxen create</c>.</summary>
[Verb("create", HelpText = "Make a domain (or several) from a config file, or from JSON on the command line, and start it.")]
public sealed class CreateOptions : ControlOptions
{
    /// <summary>File or text.</summary>
    [Value(0, MetaName = "CONFIG", Required = true, HelpText = "Config file, or the config itself: a text that begins with '{'.")]
    public string Config { get; set; } = "";
}

/// <summary><c>fastxen shutdown</c>.</summary>
[Verb("shutdown", HelpText = "Ask a guest to shut down: by its power button, or by its store on the Xen interface.")]
public sealed class ShutdownOptions : AskOptions;

/// <summary><c>fastxen reboot</c>.</summary>
[Verb("reboot", HelpText = "Ask a guest to shut down, and start it again.")]
public sealed class RebootOptions : AskOptions;

/// <summary><c>fastxen destroy</c>.</summary>
[Verb("destroy", HelpText = "Stop a domain as if its plug were pulled.")]
public sealed class DestroyOptions : DomainOptions;

/// <summary><c>fastxen pause</c>.</summary>
[Verb("pause", HelpText = "Stop a domain's processors, until it is unpaused.")]
public sealed class PauseOptions : DomainOptions;

/// <summary><c>fastxen unpause</c>.</summary>
[Verb("unpause", HelpText = "Let a paused domain run again.")]
public sealed class UnpauseOptions : DomainOptions;

/// <summary><c>fastxen vcpu-list</c>.</summary>
[Verb("vcpu-list", HelpText = "List processors of domains: where they run, and where they may.")]
public sealed class VcpuListOptions : ControlOptions
{
    /// <summary>Name or id.</summary>
    [Value(0, MetaName = "DOMAIN", HelpText = "Only this domain's.")]
    public string? Domain { get; set; }
}

/// <summary><c>fastxen vcpu-pin</c>.</summary>
[Verb("vcpu-pin", HelpText = "Say which host threads may run a processor.")]
public sealed class VcpuPinOptions : DomainOptions
{
    /// <summary>Its number.</summary>
    [Value(1, MetaName = "VCPU", Required = true, HelpText = "Its number, or all.")]
    public string Vcpu { get; set; } = "";

    /// <summary>Host threads.</summary>
    [Value(2, MetaName = "CPUS", Required = true, HelpText = "Host threads, such as 0-3,5 or all; - for as they are.")]
    public string Cpus { get; set; } = "";

    /// <summary>Preferred host threads.</summary>
    [Value(3, MetaName = "SOFT", HelpText = "Those of them that are preferred.")]
    public string? SoftCpus { get; set; }
}

/// <summary><c>fastxen vcpu-set</c>.</summary>
[Verb("vcpu-set", HelpText = "Say how many processors of a domain are in use.")]
public sealed class VcpuSetOptions : DomainOptions
{
    /// <summary>How many.</summary>
    [Value(1, MetaName = "COUNT", Required = true, HelpText = "How many.")]
    public string Count { get; set; } = "";
}

/// <summary><c>fastxen save</c>.</summary>
[Verb("save", HelpText = "Write a domain on the Xen interface to a file, from which it can go on.")]
public sealed class SaveOptions : DomainOptions
{
    /// <summary>The file.</summary>
    [Value(1, MetaName = "FILE", Required = true, HelpText = "The file; what it held is gone.")]
    public string File { get; set; } = "";

    /// <summary>Whether it goes on.</summary>
    [Option('c', "checkpoint", HelpText = "Let the domain go on here as well.")]
    public bool Checkpoint { get; set; }

    /// <summary>Seconds.</summary>
    [Option("grace", MetaValue = "SECONDS", HelpText = "Time that the guest has to suspend itself (default 60).")]
    public string? Grace { get; set; }
}

/// <summary><c>fastxen restore</c>.</summary>
[Verb("restore", HelpText = "Have a saved domain go on.")]
public sealed class RestoreOptions : ControlOptions
{
    /// <summary>The file.</summary>
    [Value(0, MetaName = "FILE", Required = true, HelpText = "What 'save' wrote.")]
    public string File { get; set; } = "";
}

/// <summary><c>fastxen mem-set</c>.</summary>
[Verb("mem-set", HelpText = "Have a domain on the Xen interface give memory back, or take it again.")]
public sealed class MemSetOptions : DomainOptions
{
    /// <summary>How much.</summary>
    [Value(1, MetaName = "SIZE", Required = true, HelpText = "How much it is to have, such as 256M.")]
    public string Size { get; set; } = "";
}

/// <summary><c>fastxen xenstore</c>.</summary>
[Verb("xenstore", HelpText = "Look into the store of the domains on the Xen interface, and change it.")]
public sealed class XenstoreOptions : ControlOptions
{
    /// <summary>What to do.</summary>
    [Value(0, MetaName = "COMMAND", Required = true, HelpText = "ls, list, read, exists, write, rm or watch.")]
    public string Command { get; set; } = "";

    /// <summary>The node.</summary>
    [Value(1, MetaName = "PATH", HelpText = "The node, such as /local/domain/1/name.")]
    public string? Path { get; set; }

    /// <summary>Its value.</summary>
    [Value(2, MetaName = "VALUE", HelpText = "What to write.")]
    public string? Value { get; set; }
}

/// <summary><c>fastxen sched-credit</c>.</summary>
[Verb("sched-credit", HelpText = "Print or change domains' shares of the host's time.")]
public sealed class SchedCreditOptions : ControlOptions
{
    /// <summary>Name or id.</summary>
    [Option('d', "domain", MetaValue = "DOMAIN", HelpText = "Only this domain.")]
    public string? Domain { get; set; }

    /// <summary>The weight.</summary>
    [Option('w', "weight", MetaValue = "WEIGHT", HelpText = "Its share relative to others' (1 to 65535; 256 is usual).")]
    public string? Weight { get; set; }

    /// <summary>The cap.</summary>
    [Option('c', "cap", MetaValue = "PERCENT", HelpText = "Most that it may use, in percent of a host thread; 0: no limit.")]
    public string? Cap { get; set; }
}

/// <summary><c>fastxen dump-core</c>.</summary>
[Verb("dump-core", HelpText = "Write a domain's memory and registers as an ELF core file.")]
public sealed class DumpCoreOptions : DomainOptions
{
    /// <summary>The file.</summary>
    [Value(1, MetaName = "FILE", Required = true, HelpText = "The file; what it held is gone.")]
    public string File { get; set; } = "";
}

/// <summary><c>fastxen top</c>.</summary>
[Verb("top", HelpText = "Show what the domains of a host use, as it changes; q leaves.")]
public sealed class TopOptions : ControlOptions
{
    /// <summary>Whether to print once.</summary>
    [Option("once", HelpText = "Print one table and end.")]
    public bool Once { get; set; }

    /// <summary>Seconds.</summary>
    [Option('d', "delay", MetaValue = "SECONDS", HelpText = "Time between two looks (default 1).")]
    public string? Delay { get; set; }
}

/// <summary><c>fastxen rename</c>.</summary>
[Verb("rename", HelpText = "Give a domain another name.")]
public sealed class RenameOptions : DomainOptions
{
    /// <summary>The name.</summary>
    [Value(1, MetaName = "NAME", Required = true, HelpText = "The new name.")]
    public string Name { get; set; } = "";
}

/// <summary><c>fastxen domid</c>.</summary>
[Verb("domid", HelpText = "Print the id of a domain.")]
public sealed class DomidOptions : DomainOptions;

/// <summary><c>fastxen domname</c>.</summary>
[Verb("domname", HelpText = "Print the name of a domain.")]
public sealed class DomnameOptions : DomainOptions;

/// <summary><c>fastxen uptime</c>.</summary>
[Verb("uptime", HelpText = "Print since when domains exist.")]
public sealed class UptimeOptions : ControlOptions
{
    /// <summary>Name or id.</summary>
    [Value(0, MetaName = "DOMAIN", HelpText = "Only this domain.")]
    public string? Domain { get; set; }
}

/// <summary><c>fastxen info</c>.</summary>
[Verb("info", HelpText = "Print what the host is.")]
public sealed class InfoOptions : ControlOptions;

/// <summary><c>fastxen dmesg</c>.</summary>
[Verb("dmesg", HelpText = "Print the host's log.")]
public sealed class DmesgOptions : ControlOptions
{
    /// <summary>Whether to clear it.</summary>
    [Option('c', "clear", HelpText = "Clear it after printing.")]
    public bool Clear { get; set; }
}
