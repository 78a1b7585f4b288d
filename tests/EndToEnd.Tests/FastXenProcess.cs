using System.Diagnostics;
using System.Text;
using FastXen.Tests;

namespace FastXen.EndToEnd.Tests;

/// <summary>The published executable as a process, its standard input and output being the guest's console.</summary>
internal sealed class FastXenProcess : IDisposable
{
    /// <summary>A guard against hangs only: far more than anything takes.</summary>
    public static readonly TimeSpan HangGuard = TimeSpan.FromMinutes(10);

    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly StringBuilder _errors = new();
    private readonly Task _readers;
    private int _seen;

    public FastXenProcess(params IEnumerable<string> arguments)
    {
        Assert.True(File.Exists(Executable), $"{Executable} is missing: run './build.sh publish'");
        ProcessStartInfo start = new(Executable, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Kit.Repository,
        };
        _process = Process.Start(start)!;
        _readers = Task.WhenAll(Task.Run(() => Collect(_process.StandardOutput, _output)), Task.Run(() => Collect(_process.StandardError, _errors)));
    }

    /// <summary>The executable under test.</summary>
    public static string Executable => Environment.GetEnvironmentVariable("FASTXEN_EXECUTABLE") ?? Path.Combine(Kit.Repository, "out", "fastxen");

    /// <summary>Runs to the end without input.</summary>
    public static (int ExitCode, string Output, string Errors) Run(params IEnumerable<string> arguments)
    {
        using FastXenProcess process = new(arguments);
        process._process.StandardInput.Close();
        int code = process.WaitForExit();
        return (code, process.Output, process.Errors);
    }

    /// <summary>All that was printed so far, without carriage returns.</summary>
    public string Output
    {
        get { lock (_output) return _output.ToString(); }
    }

    /// <summary>All of standard error so far.</summary>
    public string Errors
    {
        get { lock (_errors) return _errors.ToString(); }
    }

    /// <summary>Process id.</summary>
    public int Id => _process.Id;

    /// <summary>Whether it has ended.</summary>
    public bool HasExited => _process.HasExited;

    /// <summary>Sends a signal, such as TERM.</summary>
    public void Signal(string name) => Process.Start("kill", [$"-{name}", $"{_process.Id}"]).WaitForExit();

    /// <summary>Types.</summary>
    public void Send(string text)
    {
        _process.StandardInput.Write(text);
        _process.StandardInput.Flush();
    }

    /// <summary>Waits for a text after the one that was last waited for; returns what was printed between them.</summary>
    public string Expect(string text)
    {
        using CancellationTokenSource guard = new(HangGuard);
        lock (_output)
        {
            while (true)
            {
                string all = _output.ToString();
                int found = all.IndexOf(text, _seen, StringComparison.Ordinal);
                if (found >= 0)
                {
                    string before = all[_seen..found];
                    _seen = found + text.Length;
                    return before;
                }
                bool lost = all.Contains("Kernel panic", StringComparison.Ordinal);
                if (lost || guard.IsCancellationRequested || _readers.IsCompleted) Assert.Fail($"\"{text}\" did not come; the console's end:\n{all[Math.Max(0, all.Length - 3000)..]}\n{Errors}");
                Monitor.Wait(_output, TimeSpan.FromSeconds(1));
            }
        }
    }

    /// <summary>Waits for the end of the process.</summary>
    public int WaitForExit()
    {
        if (!_process.WaitForExit(HangGuard)) Assert.Fail($"fastxen hangs; the console's end:\n{Output[Math.Max(0, Output.Length - 3000)..]}");
        _readers.Wait();
        return _process.ExitCode;
    }

    private static void Collect(StreamReader reader, StringBuilder text)
    {
        char[] buffer = new char[4096];
        while (reader.Read(buffer) is > 0 and int count)
        {
            lock (text)
            {
                foreach (char c in buffer.AsSpan(0, count))
                {
                    if (c != '\r') text.Append(c);
                }
                Monitor.PulseAll(text);
            }
        }
        lock (text) Monitor.PulseAll(text);
    }

    /// <summary>Ends the process if it still runs.</summary>
    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }
}
