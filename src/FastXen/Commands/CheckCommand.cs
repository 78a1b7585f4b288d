using FastXen.CommandLine;
using FastXen.Loader;
using FastXen.Loader.Configuration;

namespace FastXen.Commands;

/// <summary><c>fastxen check</c>.</summary>
internal static class CheckCommand
{
    public static int Run(CheckOptions options)
    {
        GuestConfig config = GuestConfigReader.Read(options.Config);
        DomainFiles.Check(config);
        Console.Out.WriteLine($"{config.Source}: ok: {config.Name}, {MemorySize.Format(config.Memory)}, "
            + $"{config.Vcpus} vcpu, {config.Disks.Count} disks, {config.Network.Count} networks, kernel {config.Kernel}");
        return ExitCode.Success;
    }
}
