using FastXen.Loader.Configuration;
using FastXen.Loader.Images;
using FastXen.Platform;
using FastXen.Xen.Boot;

namespace FastXen.Loader;

/// <summary>The layout of a domain's memory.</summary>
public static class DomainLayout
{
    /// <summary>RAM of the machine that a config describes, and what the firmware or the domain builder occupies of it.</summary>
    public static MemoryLayout Of(GuestConfig config) => config.Personality == Personality.Xen ? Paravirtual(config.Memory) : new(
        Array.ConvertAll(MachineMap.Ram(config.Memory), static range => new MemoryRange(range.Start, range.Start + range.Size)),
        [new MemoryRange(MachineMap.Firmware, MachineMap.Firmware + MachineMap.FirmwareSize)]);

    private static MemoryLayout Paravirtual(ulong memory) => new(
        [new MemoryRange(0, memory)],
        [new MemoryRange(0, DomainBuilder.ConventionalStart), new MemoryRange(DomainBuilder.ConventionalEnd(memory), memory)]);
}
