namespace FastXen.Xen.Firmware;

/// <summary>Hypercall numbers (r2) of the firmware's entry points (dom_fw.h, <c>FW_HYPERCALL_*</c>).</summary>
internal static class FirmwareCalls
{
    /// <summary>EFI GetTime; the runtime services follow in the order of their table.</summary>
    public const ulong Efi = 0x300;

    /// <summary>An interrupt to another vCPU: r14 vCPU, r15 vector.</summary>
    public const ulong Ipi = 0x400;

    /// <summary>The call of FPSWA that Xen gave up: fails.</summary>
    public const ulong FpswaBroken = 0x500;

    /// <summary>FPSWA with its arguments in r14 to r27 (Xen's own stub has them there).</summary>
    public const ulong FpswaInRegisters = 0x501;

    /// <summary>FPSWA with the arguments of its C interface, from our own stub.</summary>
    public const ulong Fpswa = 0x5ff;

    /// <summary>Moves the window with the shared registers: r28 its address.</summary>
    public const ulong SetSharedInfoVa = 0x600;

    /// <summary>PAL.</summary>
    public const ulong Pal = 0x1000;

    /// <summary>SAL.</summary>
    public const ulong Sal = 0x1100;

    /// <summary>A vCPU returned to SAL.</summary>
    public const ulong SalReturn = 0x1200;
}
