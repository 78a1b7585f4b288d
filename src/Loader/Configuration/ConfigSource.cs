namespace FastXen.Loader.Configuration;

/// <summary>
/// Where the values of a config come from: a file, fields on the command line that replace those of the file, or both; or a text, whose paths are
/// relative to a <paramref name="folder"/>.
/// </summary>
internal sealed class ConfigSource(string? file, IReadOnlyCollection<string> overridden, string? folder = null)
{
    private const string CommandLine = "command line";

    /// <summary>The whole config's name in messages.</summary>
    public string Name => file ?? CommandLine;

    /// <summary>The file, where there is one.</summary>
    public string? File => folder is null ? file : null;

    /// <summary>Who is to blame for a field, named by its configuration key path.</summary>
    public string NameOf(string key) => overridden.Contains(key) ? CommandLine : Name;

    /// <summary>A path of the config as one that the process can open.</summary>
    public string Resolve(string path) => file is null ? path : Path.Combine(folder ?? Path.GetDirectoryName(file) ?? "", path);
}
