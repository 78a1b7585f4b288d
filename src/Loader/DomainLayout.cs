using FastXen.Loader.Configuration;
using FastXen.Loader.Images;
using FastXen.Platform;

namespace FastXen.Loader;

/// <summary>The layout of a domain's memory.</summary>
public static class DomainLayout
{
    /// <summary>RAM and firmware of the machine that a config describes.</summary>
    public static MemoryLayout Of(GuestConfig config) => new(
        Array.ConvertAll(MachineMap.Ram(config.Memory), static range => new MemoryRange(range.Start, range.Start + range.Size)),
        [new MemoryRange(MachineMap.Firmware, MachineMap.Firmware + MachineMap.FirmwareSize)]);
}
