using System.Text.Json;
using FastXen.CommandLine;
using FastXen.Diagnostics;
using FastXen.Loader;
using FastXen.Traces;
using FastXen.Traces.Report;

namespace FastXen.Commands;

/// <summary><c>fastxen trace report</c>.</summary>
internal static class TraceCommand
{
    public static int Run(TraceOptions options)
    {
        if (options.Action != "report") throw new ConfigException("command line", $"'trace {options.Action}' is no command; there is 'fastxen trace report FILE'");
        try
        {
            Report(options);
            return ExitCode.Success;
        }
        catch (Exception e) when (e is TraceException or IOException or UnauthorizedAccessException)
        {
            throw new ConfigException(options.File, e.Message, e);
        }
    }

    private static void Report(TraceOptions options)
    {
        TraceNames names = GuestNames.ForTraces;
        TraceSummary summary;
        using (FileStream file = File.OpenRead(options.File))
        {
            if (options.Chrome is null)
            {
                summary = TraceSummary.Read(file);
            }
            else
            {
                using FileStream output = File.Create(options.Chrome);
                using ChromeTrace chrome = new(output, names);
                summary = TraceSummary.Read(file, chrome.Add);
                chrome.Finish(summary.End);
            }
        }

        if (options.Html is not null)
        {
            using FileStream output = File.Create(options.Html);
            HtmlPage.Write(output, summary, names);
        }

        if (options.Json)
        {
            using Stream output = Console.OpenStandardOutput();
            using (Utf8JsonWriter json = new(output, new JsonWriterOptions { Indented = true }))
                JsonReport.Write(json, summary, names);
            output.Write("\n"u8);
        }
        else if (options.Chrome is null && options.Html is null)
        {
            TextReport.Write(Console.Out, summary, names);
        }
    }
}
