using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using FastXen.Control;
using FastXen.Loader.Hosting;
using FastXen.Sockets;

namespace FastXen.EndToEnd.Tests.Control;

/// <summary>The control socket of a host in this process: what comes over it is a request or garbage, and never harms.</summary>
public sealed class ControlSocketTests : IAsyncLifetime, IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("fastxen-control-").FullName;
    private readonly Host _host = new();
    private ControlServer _server = null!;

    private string Socket => Path.Combine(_folder, "host.sock");

    public void Dispose() => _host.Dispose();

    public Task InitializeAsync()
    {
        _server = ControlServer.Start(_host, Socket);
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await _server.DisposeAsync();
        Assert.False(File.Exists(Socket));
        Directory.Delete(_folder, recursive: true);
    }

    // Sends bytes and ends the sending side; returns what comes back.
    private static List<JsonElement> Exchange(string socket, ReadOnlySpan<byte> bytes)
    {
        using Socket client = UnixListener.New();
        client.Connect(new UnixDomainSocketEndPoint(socket));
        MemoryStream answers = new();
        byte[] buffer = new byte[4096];
        try
        {
            client.Send(bytes);
            client.Shutdown(SocketShutdown.Send);
            while (client.Receive(buffer) is > 0 and int count) answers.Write(buffer, 0, count);
        }
        catch (SocketException)
        {
            // The host closed on us.
        }
        return [.. Encoding.UTF8.GetString(answers.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static line => JsonDocument.Parse(line).RootElement)];
    }

    private string Error(string request)
    {
        JsonElement answer = Assert.Single(Exchange(Socket, Encoding.UTF8.GetBytes(request + "\n")));
        return answer.GetProperty("error").GetString()!;
    }

    private void IsAlive()
    {
        using ControlClient client = new(Socket);
        Assert.Empty(client.Ask(new ControlRequest { Command = "list" }, ControlJson.Default.ListDomainInfo));
    }

    [Theory]
    [InlineData("{}", "a request needs a \"command\"")]
    [InlineData("null", "a request is a JSON object")]
    [InlineData("""{"command":"boot"}""", "there is no command 'boot'")]
    [InlineData("""{"command":"list","version":2}""", "protocol version 2 is not spoken here, only 1")]
    [InlineData("""{"command":"list","domain":"x"}""", "there is no domain 'x'")]
    [InlineData("""{"command":"destroy"}""", "'destroy' needs a \"domain\"")]
    [InlineData("""{"command":"console","domain":"7"}""", "there is no domain '7'")]
    [InlineData("""{"command":"pause","domain":"x"}""", "there is no domain 'x'")]
    [InlineData("""{"command":"vcpu-pin","domain":"x","cpus":"0"}""", "there is no domain 'x'")]
    [InlineData("""{"command":"sched-credit","weight":1}""", "'sched-credit' needs a \"domain\"")]
    [InlineData("""{"command":"create"}""", "'create' needs a \"file\" (a whole path) or a \"config\" (the text)")]
    [InlineData("""{"command":"create","file":"relative.json"}""", "'create' needs a \"file\" (a whole path) or a \"config\" (the text)")]
    [InlineData("""{"command":"create","config":"{"}""", "config: not a JSON object that describes a guest")]
    [InlineData("""{"command":"create","file":"/none.json"}""", "/none.json: there is no such file")]
    [InlineData("""{"command":"list","domains":"x"}""", "not a request: ")]
    [InlineData("""{"command":7}""", "not a request: ")]
    [InlineData("hello", "not a request: ")]
    [InlineData("", "not a request: ")]
    public void A_request_that_is_wrong_has_its_sentence(string request, string sentence)
    {
        Assert.StartsWith(sentence, Error(request), StringComparison.Ordinal);
        IsAlive();
    }

    [Fact]
    public void Requests_on_a_connection_are_answered_in_their_order()
    {
        List<JsonElement> answers = Exchange(Socket, Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(1, 500).Select(static id => $$"""{"id":{{id}},"command":"list"}""" + "\n"))));
        Assert.Equal(Enumerable.Range(1, 500), answers.Select(static answer => answer.GetProperty("id").GetInt32()));
        Assert.All(answers, static answer => Assert.Equal(0, answer.GetProperty("result").GetArrayLength()));
    }

    [Fact]
    public void Garbage_is_answered_and_harms_nothing()
    {
        Random random = new(4);
        byte[][] seeds = [.. new[]
        {
            """{"version":1,"id":1,"command":"list"}""", """{"command":"create","config":"{\"kernel\":\"/dev/null\"}"}""",
            """{"command":"shutdown","domain":"a","wait":true,"grace":1e308}""", """{"command":"rename","domain":"1","name":"\u0000"}""",
            """{"command":"dmesg","clear":true}""", """{"command":"info"}""", """{"command":"console","domain":"a"}""", """{"command":"dump-core","domain":"1","file":"/"}""",
        }.Select(Encoding.UTF8.GetBytes)];
        for (int round = 0; round < 600; round++)
        {
            byte[] bytes = [.. seeds[random.Next(seeds.Length)], (byte)'\n'];
            for (int change = random.Next(6); change > 0; change--)
            {
                switch (random.Next(4))
                {
                    case 0:
                        bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
                        break;
                    case 1:
                        bytes = bytes[..random.Next(1, bytes.Length + 1)];
                        break;
                    case 2:
                        bytes = [.. bytes, .. seeds[random.Next(seeds.Length)], (byte)'\n'];
                        break;
                    default:
                        byte[] noise = new byte[random.Next(200)];
                        random.NextBytes(noise);
                        bytes = [.. noise, .. bytes];
                        break;
                }
            }
            int lines = bytes.Count(static b => b == '\n') + (bytes[^1] == '\n' ? 0 : 1);
            List<JsonElement> answers = Exchange(Socket, bytes);
            Assert.InRange(answers.Count, 1, lines);
            Assert.All(answers, static answer => Assert.True(answer.TryGetProperty("error", out JsonElement error)
                ? error.GetString() is { Length: > 0 } sentence && !sentence.Contains("internal error", StringComparison.Ordinal)
                : answer.TryGetProperty("result", out _)));
        }
        IsAlive();
        Assert.Empty(_host.Domains);
    }

    [Fact]
    public void A_line_without_end_is_bounded()
    {
        byte[] endless = new byte[ControlProtocol.LongestLine + 100];
        endless.AsSpan().Fill((byte)' ');
        foreach (JsonElement answer in Exchange(Socket, endless)) Assert.Contains("at most", answer.GetProperty("error").GetString()!);
        string nested = Error(new string('[', 100_000));
        Assert.StartsWith("not a request", nested);
        IsAlive();
    }

    [Fact]
    public void Only_the_owner_can_open_the_socket_and_other_files_are_left_alone()
    {
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Socket));
        ControlException taken = Assert.Throws<ControlException>(() => ControlServer.Start(_host, Socket));
        Assert.Contains("is in use", taken.Message);

        string none = Path.Combine(_folder, "none.sock"), file = Path.Combine(_folder, "file");
        File.WriteAllText(file, "not a socket");
        Assert.Contains("is there already, and not a socket", Assert.Throws<ControlException>(() => ControlSocket.Listen(file, 1)).Message);
        Assert.Contains("is not a socket", Assert.Throws<ControlException>(() => new ControlClient(file)).Message);
        Assert.Contains("there is no such socket", Assert.Throws<ControlException>(() => new ControlClient(none)).Message);
        Assert.Contains("there is no host with process id 0", Assert.Throws<ControlException>(() => new ControlClient("0")).Message);
        Assert.Contains("cannot be the path of a socket", Assert.Throws<ControlException>(() => new ControlClient("/" + new string('x', 200))).Message);
    }

    [Fact]
    public void Many_clients_at_once_are_served()
    {
        // Threads of their own: these clients block, and the host of this test works on the pool's threads.
        int served = 0;
        Thread[] clients = [.. Enumerable.Range(0, 200).Select(_ => new Thread(() =>
        {
            IsAlive();
            Interlocked.Increment(ref served);
        }))];
        foreach (Thread client in clients) client.Start();
        foreach (Thread client in clients) client.Join();
        Assert.Equal(200, served);
    }
}
