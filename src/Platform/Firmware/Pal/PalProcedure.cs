namespace FastXen.Platform.Firmware.Pal;

/// <summary>PAL procedure numbers (manual volume 2, table 11-49 and following). Below 256: static registers; from 256: stacked.</summary>
public enum PalProcedure : ulong
{
#pragma warning disable CS1591 // the names are the manual's
    CacheFlush = 1,
    CacheInfo = 2,
    CacheInit = 3,
    CacheSummary = 4,
    MemAttrib = 5,
    PtceInfo = 6,
    VmInfo = 7,
    VmSummary = 8,
    BusGetFeatures = 9,
    BusSetFeatures = 10,
    DebugInfo = 11,
    FixedAddr = 12,
    FreqBase = 13,
    FreqRatios = 14,
    PerfMonInfo = 15,
    PlatformAddr = 16,
    ProcGetFeatures = 17,
    ProcSetFeatures = 18,
    RseInfo = 19,
    Version = 20,
    McClearLog = 21,
    McDrain = 22,
    McExpected = 23,
    McDynamicState = 24,
    McErrorInfo = 25,
    McResume = 26,
    McRegisterMem = 27,
    Halt = 28,
    HaltLight = 29,
    CopyInfo = 30,
    CacheLineInit = 31,
    PmiEntrypoint = 32,
    VmPageSize = 34,
    MemForTest = 37,
    CacheProtInfo = 38,
    RegisterInfo = 39,
    Shutdown = 40,
    PrefetchVisibility = 41,
    LogicalToPhysical = 42,
    CacheSharedInfo = 43,
    CopyPal = 256,
    HaltInfo = 257,
    TestProc = 258,
    VmTrRead = 261,
    GetPstate = 262,
    SetPstate = 263,
    BrandInfo = 274,
#pragma warning restore CS1591
}

/// <summary>Status values of PAL procedures.</summary>
public static class PalStatus
{
#pragma warning disable CS1591
    public const long Success = 0;
    public const long Unimplemented = -1;
    public const long InvalidArgument = -2;
    public const long Error = -3;
    public const long NoInformation = -6;
    public const long FeatureSetUnsupported = -8;
#pragma warning restore CS1591
}
