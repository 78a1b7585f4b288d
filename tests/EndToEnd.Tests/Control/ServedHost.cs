using System.Text.Json;

namespace FastXen.EndToEnd.Tests.Control;

/// <summary>A host that serves a control socket, and the executable's commands to it.</summary>
public abstract class ServedHost : IDisposable
{
    private readonly FastXenProcess _host;

    /// <summary>Starts it. <paramref name="arguments"/>: options and configs of <c>serve</c>.</summary>
    protected ServedHost(params string[] arguments)
    {
        _host = new FastXenProcess(["serve", "--socket", Socket, .. arguments]);
        while (!File.Exists(Socket)) Thread.Sleep(10);
        // Bound before it listens.
        while (Run("list").Code != 0) Thread.Sleep(10);
    }

    /// <summary>A folder for the test's files.</summary>
    protected string Folder { get; } = Directory.CreateTempSubdirectory("fastxen-serve-").FullName;

    /// <summary>Writes a file into the folder; returns its path.</summary>
    protected string WriteFile(string name, string content)
    {
        string file = Path.Combine(Folder, name);
        File.WriteAllText(file, content);
        return file;
    }

    /// <summary>The control socket.</summary>
    protected string Socket => Path.Combine(Folder, "host.sock");

    /// <summary>The host's process.</summary>
    internal FastXenProcess Host => _host;

    /// <inheritdoc/>
    public void Dispose()
    {
        _host.Dispose();
        Directory.Delete(Folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Runs a command.</summary>
    protected (int Code, string Output, string Errors) Run(params string[] arguments) => FastXenProcess.Run([.. arguments, "--socket", Socket]);

    /// <summary>Runs a command that succeeds; returns what it prints.</summary>
    protected string Do(params string[] arguments)
    {
        (int code, string output, string errors) = Run(arguments);
        Assert.True(code == 0, $"{string.Join(' ', arguments)}: {code} {errors}");
        return output;
    }

    /// <summary>As <see cref="Do"/>, with --json.</summary>
    protected JsonElement Json(params string[] arguments) => JsonDocument.Parse(Do([.. arguments, "--json"])).RootElement;

    /// <summary>Runs a command that is refused with a sentence.</summary>
    protected void Refused(string sentence, params string[] arguments) => Assert.Equal((2, "", $"fastxen: {sentence}\n"), Run(arguments));

    /// <summary>Waits until a command prints what is expected.</summary>
    protected void Until(Func<string, bool> expected, params string[] arguments)
    {
        DateTime end = DateTime.UtcNow + FastXenProcess.HangGuard;
        string output;
        while (!expected(output = Do(arguments)))
        {
            Assert.True(DateTime.UtcNow < end, output);
            Thread.Sleep(20);
        }
    }
}
