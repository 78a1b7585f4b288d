namespace FastXen.Loader;

/// <summary>The user's input cannot be used. The message is one sentence for the user; the process ends with exit code 2.</summary>
public abstract class LoadException : Exception
{
    private protected LoadException(string message, Exception? inner = null) : base(Printable(message), inner) { }

    // Names in a config or an image may have escape sequences in them: the sentence goes to a terminal.
    private static string Printable(string text) => text.Any(char.IsControl) ? string.Concat(text.Select(static c => char.IsControl(c) ? '?' : c)) : text;
}

/// <summary>A guest config, or an option that stands in for one, is wrong.</summary>
public sealed class ConfigException : LoadException
{
    /// <summary>A config that cannot be read at all.</summary>
    public ConfigException(string source, string problem, Exception? inner = null) : base($"{source}: {problem}", inner) { }

    /// <summary>A field of a config with a wrong value.</summary>
    public ConfigException(string source, string field, string problem) : base($"{source}: {field}: {problem}") { }
}

/// <summary>A file that the guest is to be given (kernel, initrd, disk) cannot be used.</summary>
public sealed class ImageException(string path, string problem, Exception? inner = null) : LoadException($"{path}: {problem}", inner);

/// <summary>A device cannot be made as the config says; the sentence is the device's.</summary>
public sealed class DeviceException(Exception inner) : LoadException(inner.Message, inner);

/// <summary>A host cannot do what it was asked for: there is no such domain, the name is taken, the state is wrong.</summary>
public class HostException(string problem) : LoadException(problem);

/// <summary>A domain wants more memory than a host has left for domains.</summary>
public sealed class OutOfBudgetException(string problem) : HostException(problem);
