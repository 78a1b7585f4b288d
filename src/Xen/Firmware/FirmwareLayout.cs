namespace FastXen.Xen.Firmware;

/// <summary>Where the firmware of a paravirtualized domain lies in its guest physical memory (Xen/ia64, dom_fw.h).</summary>
internal static class FirmwareLayout
{
    /// <summary>Bytes from address 0 on that are the firmware's.</summary>
    public const int Size = 0x3000;

    /// <summary>Entry of EFI runtime service 0 (GetTime); the others follow, a bundle each.</summary>
    public const ulong EfiServices = 0x100;

    /// <summary>Runtime services.</summary>
    public const int EfiServiceCount = 10;

    /// <summary>PAL_PROC.</summary>
    public const ulong Pal = 0x800;

    /// <summary>SAL_PROC.</summary>
    public const ulong Sal = 0x820;

    /// <summary>Where a processor returns to SAL: it goes down.</summary>
    public const ulong SalReturn = 0x840;

    /// <summary>The function descriptor of FPSWA.</summary>
    public const ulong FpswaDescriptor = 0x900;

    /// <summary>FPSWA's code.</summary>
    public const ulong Fpswa = 0x910;

    /// <summary>Begin of the page with the ACPI tables.</summary>
    public const ulong Acpi = 0x1000;

    /// <summary>Begin of the page with EFI's and SAL's tables.</summary>
    public const ulong Tables = 0x2000;

    /// <summary>Bytes of a page of EFI's.</summary>
    public const ulong PageSize = 0x1000;

    /// <summary>The legacy I/O port space that is announced; there is nothing behind it.</summary>
    public const ulong PortSpace = 0xfff_fc00_0000;

    /// <summary>Bytes of the port space.</summary>
    public const ulong PortSpaceSize = 64 << 20;
}
