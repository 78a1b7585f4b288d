using System.Buffers.Binary;
using System.Text;
using FastXen.Platform.Firmware.Efi;
using FastXen.Xen.Firmware;
using FastXen.Xen.Memory;

namespace FastXen.Xen.Boot;

/// <summary>What a domain builder puts into a domain beside its kernel.</summary>
/// <param name="Entry">Guest physical address at which the kernel starts.</param>
/// <param name="CommandLine">Kernel command line.</param>
/// <param name="Initrd">Guest physical address of the initial RAM disk; 0 where there is none.</param>
/// <param name="InitrdSize">Bytes of it.</param>
public sealed record DomainImage(ulong Entry, string CommandLine, ulong Initrd = 0, ulong InitrdSize = 0)
{
    /// <summary>The guest's port of its xenstore channel; 0 where there is none.</summary>
    public int StorePort { get; init; }

    /// <summary>The guest's port of its console channel; 0 where its console is the hypervisor's.</summary>
    public int ConsolePort { get; init; }
}

/// <summary>Builds a domU as Xen's domain builder does: firmware pages, start_info with the boot parameters behind it, the memory map, the rings' pages.</summary>
public static class DomainBuilder
{
    private const int StartInfoSize = 0x490, CommandLineOffset = 0x80, CommandLineSize = 1024;
    private const ulong MagicPages = 4;
    // start_info's flags: SIF_PRIVILEGED, SIF_INITDOMAIN.
    private const uint Privileged = 1, InitialDomain = 2;

    /// <summary>Guest frame number of the console's ring.</summary>
    public static ulong ConsoleFrame(ParavirtualMachine machine) => TotalFrames(machine) - 1;

    /// <summary>Guest frame number of xenstore's ring.</summary>
    public static ulong StoreFrame(ParavirtualMachine machine) => TotalFrames(machine) - 2;

    /// <summary>The first byte that a kernel and its RAM disk may take.</summary>
    public const ulong ConventionalStart = FirmwareLayout.Size;

    /// <summary>One past the last byte that a kernel and its RAM disk may take in a domain of so many bytes.</summary>
    public static ulong ConventionalEnd(ulong memory) => memory - (MagicPages << Frame.Shift);

    private static ulong TotalFrames(ParavirtualMachine machine) => machine.Configuration.Memory >> Frame.Shift;

    /// <summary>Writes all of it, and starts the first vCPU. The kernel and the RAM disk are in memory already.</summary>
    public static void Boot(ParavirtualMachine machine, DomainImage image)
    {
        ArgumentNullException.ThrowIfNull(machine);
        ArgumentNullException.ThrowIfNull(image);
        DomainMemory memory = machine.Domain.Memory;
        ulong total = TotalFrames(machine);
        // Others cannot program the IOSAPIC: they find their devices by SAL's configuration calls.
        bool hasPci = machine.Pci is not null && machine.Domain.IsPrivileged;
        IReadOnlyList<EfiMemoryRange> map = MemoryMap(total, hasPci);
        var firmware = new DomainFirmware(machine.Vcpus.Count, map, hasPci);
        machine.Firmware.Tables = firmware.Addresses;
        memory.Write(0, firmware.Image);
        memory.Write((total - 4) << Frame.Shift, MemmapInfo.Of(map));

        ulong startInfo = (total - 3) << Frame.Shift;
        Span<byte> page = new byte[StartInfoSize + BootParameter.Size];
        Encoding.ASCII.GetBytes("xen-3.0-ia64").CopyTo(page);
        Put(page, 0x20, total);
        if (machine.Configuration.IsPrivileged)
            BinaryPrimitives.WriteUInt32LittleEndian(page[0x30..], Privileged | InitialDomain);
        Put(page, 0x38, StoreFrame(machine));
        BinaryPrimitives.WriteInt32LittleEndian(page[0x40..], image.StorePort);
        if (image.ConsolePort != 0)
        {
            Put(page, 0x48, ConsoleFrame(machine));
            BinaryPrimitives.WriteInt32LittleEndian(page[0x50..], image.ConsolePort);
        }

        Put(page, 0x70, image.Initrd);
        Put(page, 0x78, image.InitrdSize);
        byte[] text = Encoding.ASCII.GetBytes(image.CommandLine);
        text.AsSpan(0, Math.Min(text.Length, CommandLineSize - 1)).CopyTo(page[CommandLineOffset..]);

        // boot_param, as Linux's ia64_boot_param.
        Span<byte> boot = page[StartInfoSize..];
        Put(boot, 0x00, startInfo + CommandLineOffset);
        BootParameter.SetFirmware(boot, firmware);
        Put(boot, 0x40, image.Initrd);
        Put(boot, 0x48, image.InitrdSize);
        memory.Write(startInfo, page);

        ulong sharedInfo = Frame.WindowStart << Frame.Shift;
        memory.TryWrite(sharedInfo + 0x1010, total - 3);
        memory.TryWrite(sharedInfo + 0x101c, 1u);
        memory.TryWrite(sharedInfo + 0x1020, total - 4);
        machine.Boot(image.Entry, startInfo + StartInfoSize);
    }

    private static List<EfiMemoryRange> MemoryMap(ulong total, bool hasPci)
    {
        ulong magic = (total - MagicPages) << Frame.Shift;
        return DomainMemoryMap.Of([(FirmwareLayout.Size, magic)], magic, MagicPages, hasPci);
    }

    private static void Put(Span<byte> at, int offset, ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(at[offset..], value);
}
