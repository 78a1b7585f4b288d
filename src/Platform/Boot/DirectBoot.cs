using System.Text;
using FastXen.Core.State;
using FastXen.Mmu;
using FastXen.Platform.Firmware;
using FastXen.Platform.Firmware.Efi;

namespace FastXen.Platform.Boot;

/// <summary>A kernel that is in memory already, and what it gets.</summary>
public sealed record DirectBootImage
{
    /// <summary>Physical address of the first instruction.</summary>
    public required ulong Entry { get; init; }

    /// <summary>Physical range of the kernel, from its lowest to its highest segment with its bss.</summary>
    public required (ulong Start, ulong Size) Kernel { get; init; }

    /// <summary>Physical range of the initial RAM disk; size 0 without one.</summary>
    public (ulong Start, ulong Size) Initrd { get; init; }

    /// <summary>Command line, at most <see cref="DirectBoot.MaxCommandLine"/> bytes of ASCII.</summary>
    public string CommandLine { get; init; } = "";
}

/// <summary>
/// Starts a kernel as an EFI boot loader leaves it: boot services have ended, <c>struct ia64_boot_param</c> is in GR 28, physical mode,
/// interruptions and their collection off.
/// </summary>
public static unsafe class DirectBoot
{
    /// <summary>Longest command line.</summary>
    public const int MaxCommandLine = 2047;

    private const ulong BootParameters = FirmwareLayout.LoaderData;
    private const ulong CommandLine = FirmwareLayout.LoaderData + 0x1000;
    private const ulong MemoryMap = FirmwareLayout.LoaderData + 0x2000;

    /// <summary>
    /// Writes the boot parameters and puts the boot processor at the kernel's entry. Throws <see cref="ArgumentException"/>, with a sentence
    /// for the user, when kernel, RAM disk and firmware do not fit into RAM side by side or the command line is too long.
    /// </summary>
    public static void Prepare(PhysicalMemory memory, MachineFirmware firmware, DirectBootImage image)
    {
        byte[] commandLine = Encoding.ASCII.GetBytes(image.CommandLine);
        if (commandLine.Length > MaxCommandLine)
            throw new ArgumentException($"the command line has {commandLine.Length} bytes; a kernel takes {MaxCommandLine}", nameof(image));
        List<EfiMemoryRange> loaded = [Pages(EfiMemoryType.LoaderCode, image.Kernel)];
        if (image.Initrd.Size != 0)
            loaded.Add(Pages(EfiMemoryType.LoaderData, image.Initrd));
        byte[] map = EfiMemoryMap.Encode(EfiMemoryMap.Build(firmware.RamSize, loaded));

        TableBuffer parameters = new();
        parameters.U64(CommandLine).U64(EfiTables.SystemTable)
            .U64(MemoryMap).U64((ulong)map.Length).U64(EfiMemoryMap.DescriptorSize).U32(EfiMemoryMap.DescriptorVersion)
            .U16(80).U16(25).U16(0).U16(0).Align(8) // console: columns, rows, cursor
            .U64(EfiTables.FpswaInterface).U64(image.Initrd.Size == 0 ? 0 : image.Initrd.Start).U64(image.Initrd.Size);

        Store(memory, BootParameters, parameters.Span);
        Store(memory, CommandLine, [.. commandLine, 0]);
        Store(memory, MemoryMap, map);
        memory.NotifyWritten(FirmwareLayout.LoaderData, FirmwareLayout.LoaderDataSize);

        HandOff.Enter(firmware.Processors[0], number: 0, image.Entry, FirmwareService.ReturnFromSystem);
        Registers.SetGr(firmware.Processors[0].State, 28, BootParameters);
    }

    private static EfiMemoryRange Pages(EfiMemoryType type, (ulong Start, ulong Size) range)
    {
        ulong start = range.Start & ~(EfiMemoryMap.PageSize - 1);
        ulong end = range.Start + range.Size + EfiMemoryMap.PageSize - 1 & ~(EfiMemoryMap.PageSize - 1);
        return new(type, start, end - start, 0);
    }

    private static void Store(PhysicalMemory memory, ulong address, ReadOnlySpan<byte> bytes)
    {
        if (!memory.TryGetSpan(address, bytes.Length, out Span<byte> span))
            throw new ArgumentException($"the machine has no RAM at 0x{address:x}", nameof(address));
        bytes.CopyTo(span);
    }
}
