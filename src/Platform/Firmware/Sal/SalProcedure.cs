namespace FastXen.Platform.Firmware.Sal;

/// <summary>SAL procedure numbers (SAL specification, chapter 9).</summary>
public enum SalProcedure : ulong
{
#pragma warning disable CS1591 // the names are the specification's
    SetVectors = 0x0100_0000,
    GetStateInfo = 0x0100_0001,
    GetStateInfoSize = 0x0100_0002,
    ClearStateInfo = 0x0100_0003,
    McRendez = 0x0100_0004,
    McSetParams = 0x0100_0005,
    RegisterPhysicalAddr = 0x0100_0006,
    CacheFlush = 0x0100_0008,
    CacheInit = 0x0100_0009,
    PciConfigRead = 0x0100_0010,
    PciConfigWrite = 0x0100_0011,
    FreqBase = 0x0100_0012,
    PhysicalIdInfo = 0x0100_0013,
    UpdatePal = 0x0100_0020,
#pragma warning restore CS1591
}

/// <summary>Status values of SAL procedures.</summary>
public static class SalStatus
{
#pragma warning disable CS1591
    public const long Success = 0;
    public const long Unimplemented = -1;
    public const long InvalidArgument = -2;
    public const long NoInformation = -5;
#pragma warning restore CS1591
}
