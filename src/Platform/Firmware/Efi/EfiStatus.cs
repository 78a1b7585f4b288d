namespace FastXen.Platform.Firmware.Efi;

/// <summary>Status values of EFI services (EFI specification, appendix D).</summary>
public static class EfiStatus
{
    private const long Error = long.MinValue;
#pragma warning disable CS1591 // the names are the specification's
    public const long Success = 0;
    public const long InvalidParameter = Error | 2;
    public const long Unsupported = Error | 3;
    public const long BufferTooSmall = Error | 5;
    public const long DeviceError = Error | 7;
    public const long WriteProtected = Error | 8;
    public const long OutOfResources = Error | 9;
    public const long NotFound = Error | 14;
#pragma warning restore CS1591
}
