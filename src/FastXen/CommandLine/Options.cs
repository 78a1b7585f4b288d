using CommandLine;

namespace FastXen.CommandLine;

/// <summary><c>fastxen run</c>: boots a guest.</summary>
[Verb("run", HelpText = "Boot guests, described by config files or (one) by options.")]
public sealed class RunOptions
{
    /// <summary>The guests' config files.</summary>
    [Value(0, MetaName = "CONFIG...", HelpText = "Guest configs (JSON). Options given beside one replace what it says. Several guests share the terminal.")]
    public IEnumerable<string> Configs { get; set; } = [];

    /// <summary>The control socket.</summary>
    [Option("socket", MetaValue = "PATH|none", HelpText = "Control socket (default: where the other commands find it).")]
    public string? Socket { get; set; }

    /// <summary>Seconds for the guests to shut down.</summary>
    [Option("grace", MetaValue = "SECONDS", HelpText = "When told to end by a signal: time for the guests to shut down (default 10). A second signal ends them at once.")]
    public string? Grace { get; set; }

    /// <summary>Host threads.</summary>
    [Option("host-threads", MetaValue = "N", HelpText = "Threads that run the guests' processors (default: one for each of the host's).")]
    public string? HostThreads { get; set; }

    /// <summary>Memory of all guests.</summary>
    [Option("memory-limit", MetaValue = "SIZE", HelpText = "Memory that all guests may have together (default: all of the machine's).")]
    public string? MemoryLimit { get; set; }

    /// <summary>Kernel image.</summary>
    [Option("kernel", MetaValue = "FILE", HelpText = "Kernel: an IA-64 ELF file, plain or gzip.")]
    public string? Kernel { get; set; }

    /// <summary>Initial RAM disk.</summary>
    [Option("initrd", MetaValue = "FILE", HelpText = "Initial RAM disk.")]
    public string? Initrd { get; set; }

    /// <summary>Kernel command line.</summary>
    [Option("cmdline", MetaValue = "TEXT", HelpText = "Kernel command line.")]
    public string? CommandLine { get; set; }

    /// <summary>RAM size.</summary>
    [Option("memory", MetaValue = "SIZE", HelpText = "RAM, such as 512M or 1G.")]
    public string? Memory { get; set; }

    /// <summary>Number of virtual processors.</summary>
    [Option("vcpus", MetaValue = "N", HelpText = "Number of virtual processors.")]
    public string? Vcpus { get; set; }

    /// <summary>Raw disk images.</summary>
    [Option("disk", Separator = '\n', MetaValue = "FILE", HelpText = "Raw disk image; may be given several times.")]
    public IEnumerable<string> Disks { get; set; } = [];

    /// <summary>Engine name.</summary>
    [Option("engine", MetaValue = "NAME", HelpText = "interpreter or translator.")]
    public string? Engine { get; set; }

    /// <summary>Clock name.</summary>
    [Option("clock", MetaValue = "NAME", HelpText = "host, or deterministic (time is counted in instructions).")]
    public string? Clock { get; set; }

    /// <summary>Console: stdio or a file.</summary>
    [Option("console", MetaValue = "stdio|FILE", HelpText = "Console: the terminal, or a file that takes the output.")]
    public string? Console { get; set; }

    /// <summary>Whether to run both engines side by side.</summary>
    [Option("lockstep", HelpText = "Run the guest on both engines side by side (deterministic clock, no network, disks unchanged) and stop where they differ.")]
    public bool Lockstep { get; set; }

    /// <summary>Console input of a lockstep run.</summary>
    [Option("input", MetaValue = "FILE", HelpText = "With --lockstep: a file with what is typed at the console.")]
    public string? Input { get; set; }

    /// <summary>Whether to print statistics.</summary>
    [Option("stats", HelpText = "At the end, print retired instruction slots, seconds, and what the translator did to standard error, as a line of JSON.")]
    public bool Statistics { get; set; }

    /// <summary>File for the profile.</summary>
    [Option("profile", MetaValue = "FILE", HelpText = "At the end, write the translated regions in which most instructions ran (- for standard error).")]
    public string? Profile { get; set; }

    /// <summary>Whether to name translated code for perf.</summary>
    [Option("perf-map", HelpText = "Write /tmp/perf-PID.map, by which perf(1) names translated code.")]
    public bool PerfMap { get; set; }

    /// <summary>Which translations to show.</summary>
    [Option("dump-code", MetaValue = "ADDRESS|all", HelpText = "Show translated regions that hold the bundle at a (hexadecimal) address, or all: guest code, intermediate representation, host code.")]
    public string? DumpCode { get; set; }

    /// <summary>Where to.</summary>
    [Option("dump-file", MetaValue = "FILE", HelpText = "With --dump-code: where to (default: standard error).")]
    public string? DumpFile { get; set; }

    /// <summary>File for a trace.</summary>
    [Option("trace", MetaValue = "FILE", HelpText = "Record a trace (.nettrace) from power-on to the end; 'fastxen trace report FILE' reads it.")]
    public string? Trace { get; set; }

    /// <summary>What to trace.</summary>
    [Option("trace-keywords", MetaValue = "LIST", HelpText = "With --trace: all (default) or some of lifecycle, scheduling, exits, interruptions, hypercalls, firmware, translation, tlb, devices, interrupts, with commas.")]
    public string? TraceKeywords { get; set; }

    /// <summary>How much of it.</summary>
    [Option("trace-level", MetaValue = "LEVEL", HelpText = "With --trace: informational (default), or verbose: each exit and each TLB miss.")]
    public string? TraceLevel { get; set; }
}

/// <summary><c>fastxen check</c>: validates a config and the files that it names.</summary>
[Verb("check", HelpText = "Validate a guest config and the files it names.")]
public sealed class CheckOptions
{
    /// <summary>The guest's config file.</summary>
    [Value(0, MetaName = "CONFIG", Required = true, HelpText = "Guest config (JSON).")]
    public string Config { get; set; } = "";
}

/// <summary><c>fastxen disasm</c>: disassembles a file.</summary>
[Verb("disasm", HelpText = "Disassemble an IA-64 ELF file, or a raw file of bundles.")]
public sealed class DisassembleOptions
{
    /// <summary>The file.</summary>
    [Value(0, MetaName = "FILE", Required = true, HelpText = "ELF file (plain or gzip) or raw bundles.")]
    public string File { get; set; } = "";
}

/// <summary><c>fastxen vectors</c>: runs instruction vectors.</summary>
[Verb("vectors", HelpText = "Run files of instruction vectors and compare the results.")]
public sealed class VectorsOptions
{
    /// <summary>Vector files.</summary>
    [Value(0, MetaName = "FILE...", Required = true, HelpText = "Vector files (.jsonl.gz).")]
    public IEnumerable<string> Files { get; set; } = [];

    /// <summary>Engine name.</summary>
    [Option("engine", MetaValue = "NAME", HelpText = "interpreter: the engine that can run single bundles.")]
    public string? Engine { get; set; }
}

/// <summary><c>fastxen exec</c>: runs bare programs.</summary>
[Verb("exec", HelpText = "Run bare programs, one JSON object a line, and print the state each ends in.")]
public sealed class ExecOptions
{
    /// <summary>File of programs; standard input when absent.</summary>
    [Value(0, MetaName = "FILE", HelpText = "Programs, one JSON object a line (default: standard input).")]
    public string? File { get; set; }

    /// <summary>Engine name.</summary>
    [Option("engine", MetaValue = "NAME", HelpText = "interpreter: the engine that can run single bundles.")]
    public string? Engine { get; set; }
}
