using System.Diagnostics;
using System.Globalization;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;
using FastXen.Traces.Report;

namespace FastXen.Traces.Tests;

/// <summary>Runs where Chromium is installed.</summary>
public sealed class ChromiumFactAttribute : FactAttribute
{
    public ChromiumFactAttribute()
    {
        if (PageTests.Chromium is null) Skip = "Chromium is not installed (Debian: chromium)";
    }
}

/// <summary>The page in a browser without a screen: drawn, zoomed, hovered over.</summary>
public sealed class PageTests(SyntheticTrace synthetic) : IClassFixture<SyntheticTrace>, IDisposable
{
    internal static readonly string? Chromium = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')
        .SelectMany(folder => new[] { "chromium", "google-chrome" }.Select(name => Path.Combine(folder, name))).FirstOrDefault(File.Exists);

    private readonly string folder = Directory.CreateTempSubdirectory("fastxen-page-").FullName;
    private readonly CancellationTokenSource guard = new(TimeSpan.FromMinutes(5));
    private readonly ClientWebSocket socket = new();
    private int messages;

    public void Dispose()
    {
        socket.Dispose();
        guard.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [ChromiumFact]
    public async Task The_time_line_zooms_and_tells_what_it_shows()
    {
        string page = Path.Combine(folder, "page.html");
        using (FileStream trace = File.OpenRead(synthetic.File))
        using (FileStream output = File.Create(page))
            HtmlPage.Write(output, TraceSummary.Read(trace), new TraceNames { Hypercall = number => $"call {number}" });
        ProcessStartInfo start = new(Chromium!, ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-port=0", $"--user-data-dir={folder}/profile", "--window-size=1200,900", $"file://{page}"])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        using Process browser = Process.Start(start)!;
        try
        {
            await Connect(browser);
            await Until("document.readyState", "complete");
            Assert.Equal("", await Evaluate("[...document.querySelectorAll('#tables h2')].map(h => h.textContent).includes('Hypercalls') ? '' : document.body.innerText"));
            Assert.Equal("true", await Evaluate("[...document.querySelectorAll('td')].some(cell => cell.textContent === 'call 29').toString()"));
            // Something is drawn in each of the three rows.
            Assert.Equal("true,true,true", await Evaluate("[0, 1, 2].map(row => { const c = by('line'), s = devicePixelRatio, d = c.getContext('2d').getImageData(left * s, (row * rowHeight + 8) * s, c.width - left * s, 1).data; return d.some(v => v !== 0); }).join()"));

            string whole = await Evaluate("by('range').textContent");
            string[] place = (await Evaluate("(() => { const l = report.lines[1].slices, r = by('line').getBoundingClientRect(), i = 5 * 250; const x = left + l[i] / duration * (r.width - left); return [r.left + x, r.top + rowHeight * 1.5].join(); })()")).Split(',');
            double x = double.Parse(place[0], CultureInfo.InvariantCulture), y = double.Parse(place[1], CultureInfo.InvariantCulture);
            await Send("Input.dispatchMouseEvent", new() { ["type"] = "mouseWheel", ["x"] = x, ["y"] = y, ["deltaX"] = 0, ["deltaY"] = -2000 });
            await Until("(to - from < duration / 10).toString()", "true");
            Assert.NotEqual(whole, await Evaluate("by('range').textContent"));
            await Send("Input.dispatchMouseEvent", new() { ["type"] = "mouseMoved", ["x"] = x, ["y"] = y });
            await Until("tip.style.display", "block");
            Assert.Contains("vcpu 1.1 at ", await Evaluate("tip.textContent"), StringComparison.Ordinal);

            await Evaluate("by('all').click()");
            Assert.Equal(whole, await Evaluate("by('range').textContent"));
        }
        finally
        {
            browser.Kill(entireProcessTree: true);
            await browser.WaitForExitAsync();
        }
    }

    // The browser tells its address on standard error; it lists its pages there.
    private async Task Connect(Process browser)
    {
        const string Listening = "DevTools listening on ";
        string? line;
        do
        {
            line = await browser.StandardError.ReadLineAsync(guard.Token);
        }
        while (line is not null && !line.StartsWith(Listening, StringComparison.Ordinal));
        Assert.NotNull(line);
        _ = browser.StandardError.ReadToEndAsync(guard.Token);
        Uri address = new(line[Listening.Length..]);
        using HttpClient client = new();
        for (; ; )
        {
            JsonArray pages = JsonNode.Parse(await client.GetStringAsync(new Uri($"http://{address.Authority}/json"), guard.Token))!.AsArray();
            if (pages.FirstOrDefault(page => (string?)page!["type"] == "page") is { } found)
            {
                await socket.ConnectAsync(new Uri((string)found["webSocketDebuggerUrl"]!), guard.Token);
                return;
            }

            await Task.Delay(50, guard.Token);
        }
    }

    private async Task<JsonNode> Send(string method, JsonObject parameters)
    {
        int id = ++messages;
        string message = new JsonObject { ["id"] = id, ["method"] = method, ["params"] = parameters }.ToJsonString();
        await socket.SendAsync(Encoding.UTF8.GetBytes(message), WebSocketMessageType.Text, endOfMessage: true, guard.Token);
        for (; ; )
        {
            using MemoryStream answer = new();
            byte[] buffer = new byte[1 << 16];
            ValueWebSocketReceiveResult part;
            do
            {
                part = await socket.ReceiveAsync(buffer.AsMemory(), guard.Token);
                answer.Write(buffer, 0, part.Count);
            }
            while (!part.EndOfMessage);
            JsonNode node = JsonNode.Parse(answer.ToArray())!;
            if ((int?)node["id"] == id) return node["result"]!;
        }
    }

    private async Task<string> Evaluate(string expression)
    {
        JsonNode result = await Send("Runtime.evaluate", new() { ["expression"] = expression });
        Assert.True(result["exceptionDetails"] is null, $"{expression}: {result.ToJsonString()}");
        return result["result"]!["value"]?.ToString() ?? "";
    }

    private async Task Until(string expression, string value)
    {
        while (await Evaluate(expression) != value) await Task.Delay(20, guard.Token);
    }
}
