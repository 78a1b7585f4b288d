namespace FastXen.Core;

/// <summary>How control returns to the guest after a firmware service.</summary>
public enum FirmwareReturn
{
    /// <summary>By `br.cond b0` (PAL static-register convention): the frame is unchanged.</summary>
    Branch,
    /// <summary>By `br.ret b0` (stacked conventions: SAL, EFI, stacked PAL calls).</summary>
    Return,
    /// <summary>Ip and frame were set by the service itself (e.g. PAL hand-off, reset).</summary>
    Jump,
}

/// <summary>
/// Firmware services implemented in the host. An entry point of PAL, SAL or EFI in guest memory is a bundle with
/// <c>break.m FirmwareBreak + service</c> in slot 0; executed at CPL 0 from inside of <see cref="IsFirmware"/> it calls the host.
/// </summary>
public interface IFirmware
{
    /// <summary>True when the physical address of a bundle lies in the firmware's code.</summary>
    bool IsFirmware(ulong physicalAddress);

    /// <summary>
    /// Performs a service on the vCPU that executed the break. Arguments are in its registers (static convention r28-r31; stacked: r32...);
    /// the service writes results to r8-r11. Runs on the vCPU's thread.
    /// </summary>
    FirmwareReturn Call(Vcpu vcpu, uint service);
}

/// <summary>Constants of the firmware interface.</summary>
public static class FirmwareBreak
{
    /// <summary>Break immediate of service 0; services are the 4096 numbers from here.</summary>
    public const uint Base = 0x1F_0000;

    /// <summary>Services that there can be.</summary>
    public const uint Count = 4096;
}
