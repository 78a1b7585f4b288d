using FastXen.CommandLine;
using FastXen.Loader;
using FastXen.Loader.Configuration;

namespace FastXen.Commands;

/// <summary><c>fastxen run</c>.</summary>
internal static class RunCommand
{
    public static int Run(RunOptions options)
    {
        GuestConfig config = ReadConfig(options);
        DomainFiles.Check(config);
        Console.Error.WriteLine("fastxen: this version checks its guests but does not run them yet");
        return ExitCode.Failure;
    }

    /// <summary>The config file, if there is one, with the options in the place of its fields.</summary>
    internal static GuestConfig ReadConfig(RunOptions options)
    {
        Dictionary<string, string?> fields = [];
        if (options.Kernel is { } kernel) fields["kernel"] = FullPath(kernel);
        if (options.Initrd is { } initrd) fields["initrd"] = FullPath(initrd);
        if (options.CommandLine is { } text) fields["commandLine"] = text;
        if (options.Memory is { } memory) fields["memory"] = memory;
        if (options.Vcpus is { } vcpus) fields["vcpus"] = vcpus;
        if (options.Engine is { } engine) fields["engine"] = engine;
        if (options.Clock is { } clock) fields["clock"] = clock;
        if (options.Console is { } console)
        {
            bool terminal = console == "stdio";
            fields["console:type"] = terminal ? "stdio" : "file";
            fields["console:path"] = terminal ? null : FullPath(console);
        }
        if (options.Config is null && options.Kernel is null) throw new ConfigException("command line", "name a config, or a kernel with --kernel");
        return GuestConfigReader.Read(options.Config, fields, [.. options.Disks]);
    }

    private static string FullPath(string path) => path.Length == 0 ? path : Path.GetFullPath(path);
}
