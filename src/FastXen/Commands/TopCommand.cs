using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using FastXen.CommandLine;
using FastXen.Control;
using FastXen.Loader.Hosting;
using Spectre.Console;

namespace FastXen.Commands;

/// <summary><c>fastxen top</c>: what the domains use, from one look at the host to the next.</summary>
internal sealed class TopCommand(ControlClient client)
{
    private Dictionary<int, double> _before = [];
    private long _lookedAt = Stopwatch.GetTimestamp();

    public static int Run(TopOptions options)
    {
        TimeSpan delay = TimeSpan.FromSeconds(options.Delay is { } text ? HostOptions.Seconds(text, "--delay") : 1);
        using ControlClient client = new(options.Socket);
        TopCommand top = new(client);
        top.Look();
        if (options.Json || options.Once || Console.IsOutputRedirected || !AnsiConsole.Profile.Capabilities.Ansi)
        {
            Thread.Sleep(delay);
            List<TopLine> lines = top.Look();
            if (options.Json) Console.Out.WriteLine(JsonSerializer.Serialize(lines, ControlJson.Default.ListTopLine));
            else Print(lines);
            return ExitCode.Success;
        }
        top.Show(delay);
        return ExitCode.Success;
    }

    // Shares are of the time since the last look.
    private List<TopLine> Look()
    {
        List<DomainInfo> domains = client.Ask(new ControlRequest { Command = "list" }, ControlJson.Default.ListDomainInfo);
        long now = Stopwatch.GetTimestamp();
        double elapsed = Math.Max(Stopwatch.GetElapsedTime(_lookedAt, now).TotalSeconds, 1e-3);
        List<TopLine> lines = [.. domains.Select(domain => new TopLine
        {
            Id = domain.Id,
            Name = domain.Name,
            State = domain.State,
            CpuSeconds = domain.CpuSeconds,
            CpuPercent = _before.TryGetValue(domain.Id, out double before) ? Math.Max(0, 100 * (domain.CpuSeconds - before) / elapsed) : 0,
            MemoryBytes = domain.MemoryBytes,
            Vcpus = domain.Vcpus,
            UptimeSeconds = domain.UptimeSeconds,
        }).OrderByDescending(static line => line.CpuPercent)];
        _before = domains.ToDictionary(static domain => domain.Id, static domain => domain.CpuSeconds);
        _lookedAt = now;
        return lines;
    }

    private void Show(TimeSpan delay)
    {
        using CancellationTokenSource leave = new();
        Console.CancelKeyPress += (_, pressed) =>
        {
            pressed.Cancel = true;
            leave.Cancel();
        };
        AnsiConsole.AlternateScreen(() => AnsiConsole.Live(TableOf(Look())).Start(context =>
        {
            while (!leave.IsCancellationRequested)
            {
                context.UpdateTarget(TableOf(Look()));
                long next = Environment.TickCount64 + (long)delay.TotalMilliseconds;
                while (Environment.TickCount64 < next && !leave.IsCancellationRequested)
                {
                    if (!Console.IsInputRedirected && Console.KeyAvailable && Console.ReadKey(intercept: true).KeyChar is 'q' or 'Q') leave.Cancel();
                    else leave.Token.WaitHandle.WaitOne(TimeSpan.FromMilliseconds(50));
                }
            }
        }));
    }

    private static Table TableOf(List<TopLine> lines)
    {
        Table table = new Table().Border(TableBorder.Simple).Title($"fastxen: {lines.Count} domains, {lines.Sum(static line => line.CpuPercent):F1}% CPU; q leaves");
        (int[] columns, int nameWidth) = ColumnsFor(AnsiConsole.Profile.Width);
        foreach (int column in columns) table.AddColumn(new TableColumn(Columns[column]) { Alignment = column == 0 ? Justify.Left : Justify.Right });
        foreach (TopLine line in lines)
        {
            string[] cells = Cells(line);
            if (cells[0].Length > nameWidth) cells[0] = $"{cells[0][..(nameWidth - 1)]}…";
            table.AddRow([.. columns.Select(column => Markup.Escape(cells[column]))]);
        }
        return table;
    }

    // A narrow terminal has no room for the less important ones, nor for all of a long name: each domain has one line.
    private static (int[] Columns, int NameWidth) ColumnsFor(int width)
    {
        List<int> columns = [.. Enumerable.Range(0, Columns.Length)];
        int left = Left();
        foreach (int column in LeastImportant)
        {
            if (left >= ShortestName) break;
            columns.Remove(column);
            left = Left();
        }
        return ([.. columns], Math.Max(left, ShortestName));

        int Left() => width - Padding - columns.Skip(1).Sum(static _ => CellWidth + Padding);
    }

    private const int ShortestName = 8, CellWidth = 7, Padding = 3;
    private static readonly int[] LeastImportant = [6, 5, 3, 1, 2];

    private static void Print(List<TopLine> lines)
    {
        Console.Out.WriteLine($"{Columns[0],-32} {string.Join(' ', Columns[1..].Select(static name => $"{name,8}"))}");
        foreach (TopLine line in lines)
        {
            string[] cells = Cells(line);
            Console.Out.WriteLine($"{cells[0],-32} {string.Join(' ', cells[1..].Select(static cell => $"{cell,8}"))}");
        }
    }

    private static readonly string[] Columns = ["NAME", "ID", "STATE", "CPU(s)", "CPU(%)", "MEM(M)", "VCPUS"];

    private static string[] Cells(TopLine line)
    {
        CultureInfo culture = CultureInfo.InvariantCulture;
        return
        [
            line.Name, line.Id.ToString(culture), line.State.Flags(), line.CpuSeconds.ToString("F1", culture), line.CpuPercent.ToString("F1", culture),
            (line.MemoryBytes >> 20).ToString(culture), line.Vcpus.ToString(culture),
        ];
    }
}
