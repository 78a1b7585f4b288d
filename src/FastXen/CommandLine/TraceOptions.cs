using CommandLine;

namespace FastXen.CommandLine;

/// <summary><c>fastxen trace</c>: reads traces.</summary>
[Verb("trace", HelpText = "Report what is in a trace that 'fastxen run --trace' or dotnet-trace recorded: fastxen trace report FILE.")]
public sealed class TraceOptions
{
    /// <summary>What to do: "report".</summary>
    [Value(0, MetaName = "report", Required = true, HelpText = "What to do; there is only 'report'.")]
    public string Action { get; set; } = "";

    /// <summary>The trace.</summary>
    [Value(1, MetaName = "FILE", Required = true, HelpText = "A .nettrace file.")]
    public string File { get; set; } = "";

    /// <summary>Whether to print JSON.</summary>
    [Option("json", HelpText = "Print the report as JSON.")]
    public bool Json { get; set; }

    /// <summary>File for a trace viewer.</summary>
    [Option("chrome", MetaValue = "FILE", HelpText = "Write Chrome trace-event JSON, for Perfetto or chrome://tracing.")]
    public string? Chrome { get; set; }

    /// <summary>File for a page.</summary>
    [Option("html", MetaValue = "FILE", HelpText = "Write the report as one page with a time line to zoom into.")]
    public string? Html { get; set; }
}
