using Microsoft.Extensions.Configuration;

namespace FastXen.Loader.Configuration;

/// <summary>An object of a config: typed reads of its fields, each failure a sentence with the file, the field, what was expected and what was found.</summary>
internal sealed class ConfigNode
{
    private readonly IConfiguration _section;
    private readonly string _path;
    private readonly ConfigSource _source;

    /// <summary>Wraps a section after checking that it has only fields that exist.</summary>
    public ConfigNode(ConfigSource source, IConfiguration section, string path, params ReadOnlySpan<string> known)
    {
        _source = source;
        _section = section;
        _path = path;
        foreach (IConfigurationSection child in section.GetChildren())
        {
            if (known.IndexOf(child.Key, StringComparer.OrdinalIgnoreCase) >= 0) continue;
            string hint = Spelling.Nearest(child.Key, known) is { } near ? $", did you mean \"{near}\"?" : $"; known are {string.Join(", ", known)}";
            throw new ConfigException(_source.NameOf(child.Path), FieldPath(child.Key), $"there is no such field{hint}");
        }
    }

    /// <summary>Fails with a sentence about a field.</summary>
    public ConfigException Wrong(string key, string expected, string? found = null) =>
        Problem(key, $"expected {expected}, found {found ?? Found(key)}");

    /// <summary>Fails with a sentence of the caller's about a field.</summary>
    public ConfigException Problem(string key, string problem) =>
        new(_source.NameOf(SectionPath.Length == 0 ? key : ConfigurationPath.Combine(SectionPath, key)), FieldPath(key), problem);

    /// <summary>A text field, or null where it is absent (or null).</summary>
    public string? Text(string key)
    {
        IConfigurationSection field = _section.GetSection(key);
        if (field.GetChildren().Any()) throw Wrong(key, "a text");
        return field.Value;
    }

    /// <summary>A text field that must be there.</summary>
    public string RequiredText(string key, string what) =>
        Text(key) is { Length: > 0 } text ? text : throw Wrong(key, what);

    /// <summary>A path, made relative to the config's directory; null where it is absent.</summary>
    public string? File(string key)
    {
        string? path = Text(key);
        if (path is null) return null;
        if (path.Length == 0 || path.Contains('\0')) throw Wrong(key, "a file name");
        return _source.Resolve(path);
    }

    /// <summary>A path that must be there.</summary>
    public string RequiredFile(string key) => File(key) ?? throw Wrong(key, "a file name");

    /// <summary>True or false.</summary>
    public bool Flag(string key, bool absent) => Text(key) switch
    {
        null => absent,
        { } text when bool.TryParse(text, out bool value) => value,
        _ => throw Wrong(key, "true or false"),
    };

    /// <summary>One of the names of an enumeration.</summary>
    public T Choice<T>(string key, T absent) where T : struct, Enum
    {
        string? text = Text(key);
        if (text is null) return absent;
        string[] names = Array.ConvertAll(Enum.GetNames<T>(), static name => name.ToLowerInvariant());
        int index = Array.IndexOf(names, text);
        if (index >= 0) return Enum.GetValues<T>()[index];
        throw Wrong(key, string.Join(", ", names[..^1]) + " or " + names[^1]);
    }

    /// <summary>A whole number within bounds.</summary>
    public int Number(string key, int absent, int minimum, int maximum) => Text(key) switch
    {
        null => absent,
        { } text when int.TryParse(text, System.Globalization.NumberStyles.None, null, out int value) && value >= minimum && value <= maximum => value,
        _ => throw Wrong(key, $"a whole number from {minimum} to {maximum}"),
    };

    /// <summary>An object field as a node, or null where it is absent.</summary>
    public ConfigNode? Object(string key, params ReadOnlySpan<string> known)
    {
        IConfigurationSection field = _section.GetSection(key);
        if (!string.IsNullOrEmpty(field.Value)) throw Wrong(key, "an object");
        return field.Exists() ? new ConfigNode(_source, field, FieldPath(key), known) : null;
    }

    /// <summary>The objects of a list.</summary>
    public List<ConfigNode> Objects(string key, int most, params ReadOnlySpan<string> known)
    {
        List<ConfigNode> nodes = [];
        foreach (IConfigurationSection element in Elements(key, most))
        {
            string path = $"{FieldPath(key)}[{element.Key}]";
            if (!string.IsNullOrEmpty(element.Value)) throw new ConfigException(_source.NameOf(element.Path), path, $"expected an object, found \"{element.Value}\"");
            nodes.Add(new ConfigNode(_source, element, path, known));
        }
        return nodes;
    }

    /// <summary>The texts of a list.</summary>
    public List<string> Texts(string key, int most)
    {
        List<string> texts = [];
        foreach (IConfigurationSection element in Elements(key, most))
            texts.Add(element.Value ?? throw Wrong(key, "a list of texts"));
        return texts;
    }

    private List<IConfigurationSection> Elements(string key, int most)
    {
        IConfigurationSection field = _section.GetSection(key);
        if (!string.IsNullOrEmpty(field.Value)) throw Wrong(key, "a list");
        List<IConfigurationSection> elements = [.. field.GetChildren()];
        if (elements.Exists(static element => !int.TryParse(element.Key, out _))) throw Wrong(key, "a list", "an object");
        if (elements.Count > most) throw Wrong(key, $"at most {most} elements", elements.Count.ToString());
        return elements;
    }

    private string SectionPath => (_section as IConfigurationSection)?.Path ?? "";

    private string FieldPath(string key) => _path.Length == 0 ? key : $"{_path}.{key}";

    private string Found(string key)
    {
        IConfigurationSection field = _section.GetSection(key);
        if (field.Value is { } value) return $"\"{value}\"";
        List<IConfigurationSection> children = [.. field.GetChildren()];
        return children switch
        {
            [] => "nothing",
            [{ Key: "0" }, ..] => "a list",
            _ => "an object",
        };
    }
}
