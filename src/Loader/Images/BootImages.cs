using FastXen.Loader.Configuration;
using FastXen.Platform;
using FastXen.Platform.Boot;

namespace FastXen.Loader.Images;

/// <summary>What a guest is booted from: its kernel, its initial RAM disk, its command line.</summary>
internal sealed class BootImages
{
    private readonly KernelImage _kernel;
    private readonly RamDisk? _initrd;
    private readonly string _commandLine;

    /// <summary>Opens the images of a config; one that does not fit is a <see cref="LoadException"/>.</summary>
    public BootImages(GuestConfig config)
    {
        MemoryLayout layout = DomainLayout.Of(config);
        _kernel = KernelImage.Open(config.Kernel);
        _kernel.CheckFits(layout);
        if (config.Initrd is { } initrd) _initrd = RamDisk.Place(initrd, layout, _kernel);
        _commandLine = config.CommandLine;
    }

    /// <summary>Puts the images into a machine's memory and its processor at the kernel's entry.</summary>
    public void Boot(PlatformMachine machine)
    {
        _kernel.Load(machine.Memory);
        _initrd?.Load(machine.Memory);
        machine.Boot(new DirectBootImage
        {
            Entry = _kernel.Entry,
            Kernel = (_kernel.Span.Start, _kernel.Span.Length),
            Initrd = _initrd is { Memory: var place } ? (place.Start, place.Length) : default,
            CommandLine = _commandLine,
        });
    }
}
