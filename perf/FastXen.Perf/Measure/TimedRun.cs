using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace FastXen.Perf.Measure;

/// <summary>A workload of one run of the benchmark, as its line says.</summary>
/// <param name="Group">"integer" or "floating" (which division belongs to).</param>
/// <param name="Name">Its name.</param>
/// <param name="Checksum">What it computed.</param>
/// <param name="Ticks">Time in units of 2.5 ns, or instruction slots where the guest's clock is deterministic.</param>
internal sealed record Workload(string Group, string Name, string Checksum, ulong Ticks)
{
    /// <summary>The time in seconds.</summary>
    public double Seconds => Ticks / 400e6;
}

/// <summary>One run of native/bench as a process.</summary>
/// <param name="Workloads">In the order of the run.</param>
/// <param name="Statistics">The numbers that <c>--stats</c> printed, by name; none for the host's run.</param>
internal sealed record TimedRun(IReadOnlyList<Workload> Workloads, IReadOnlyDictionary<string, double> Statistics)
{
    /// <summary>Runs a program to its end.</summary>
    public static TimedRun Of(string program, params string[] arguments)
    {
        (int code, string output, string errors) = Start(program, arguments);
        if (code != 0)
            throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with code {code}: {errors}");
        return new TimedRun([.. output.Split('\n').Select(line => line.Trim().Split(' ')).Where(words => words.Length == 4).Select(Read)], Numbers(errors));
    }

    /// <summary>Runs a program whose failure is an answer.</summary>
    public static (int Code, string Errors) Try(string program, params string[] arguments)
    {
        (int code, _, string errors) = Start(program, arguments);
        return (code, errors);
    }

    private static (int Code, string Output, string Errors) Start(string program, string[] arguments)
    {
        ProcessStartInfo start = new(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        using Timer guard = HangGuard.Over(process);
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, errors.Result);
    }

    private static Workload Read(string[] words) => new(words[0], words[1], words[2], ulong.Parse(words[3][2..], NumberStyles.HexNumber, CultureInfo.InvariantCulture));

    // The line of JSON is the last; numbers inside of objects get the names of both, as in "exits.handler".
    private static Dictionary<string, double> Numbers(string errors)
    {
        Dictionary<string, double> numbers = [];
        string? line = errors.Split('\n').LastOrDefault(text => text.StartsWith('{'));
        if (line is not null)
        {
            using JsonDocument statistics = JsonDocument.Parse(line);
            Collect(statistics.RootElement, "");
        }
        return numbers;

        void Collect(JsonElement element, string prefix)
        {
            foreach (JsonProperty property in element.EnumerateObject())
            {
                if (property.Value.ValueKind == JsonValueKind.Number)
                    numbers[prefix + property.Name] = property.Value.GetDouble();
                else if (property.Value.ValueKind == JsonValueKind.Object)
                    Collect(property.Value, prefix + property.Name + ".");
            }
        }
    }
}
