using FastXen.CommandLine;
using FastXen.Loader;
using FastXen.Traces;
using FastXen.Traces.Session;

namespace FastXen.Diagnostics;

/// <summary>The trace of a run: from before the first guest is built until after the last one is gone.</summary>
internal sealed class RunTrace : IDisposable
{
    private readonly TraceRecorder? _recorder;

    /// <summary>Begins to record where the options say so.</summary>
    public RunTrace(RunOptions options)
    {
        if (options.Trace is null)
        {
            if (options.TraceKeywords is not null || options.TraceLevel is not null)
                throw new ConfigException("command line", "--trace-keywords and --trace-level go with --trace only");
            return;
        }

        try
        {
            _recorder = new TraceRecorder(
                options.Trace, TraceSelection.ReadKeywords(options.TraceKeywords ?? "all"), TraceSelection.ReadLevel(options.TraceLevel ?? "informational"));
        }
        catch (TraceException e)
        {
            throw new ConfigException("command line", e.Message, e);
        }
    }

    /// <summary>Ends it; all that happened is in the file.</summary>
    public void Dispose()
    {
        if (_recorder is null) return;
        _recorder.Dispose();
        if (_recorder.Failure is { } failure) Console.Error.WriteLine($"fastxen: {failure}");
    }
}
