namespace FastXen.Loader.Configuration;

/// <summary>What a config may ask for.</summary>
public static class MachineLimits
{
    /// <summary>Most virtual processors.</summary>
    public const int Vcpus = Platform.MachineMap.MaxProcessors;

    /// <summary>Least RAM in bytes.</summary>
    public const ulong MinimumMemory = 64UL << 20;

    /// <summary>Least RAM in bytes of a domain on the Xen interface, whose kernel may be small.</summary>
    public const ulong MinimumParavirtualMemory = 4UL << 20;

    /// <summary>Most RAM in bytes.</summary>
    public const ulong MaximumMemory = 64UL << 30;

    /// <summary>
    /// RAM is rounded up to a multiple of this: the granule in which IA-64 kernels manage memory (Linux's IA64_GRANULE_SIZE), who cannot use
    /// a part of one.
    /// </summary>
    public const ulong MemoryGranule = 16UL << 20;

    /// <summary>RAM is asked for in multiples of this many bytes.</summary>
    public const ulong MemoryGranularity = 1UL << 20;

    /// <summary>Longest kernel command line in bytes (COMMAND_LINE_SIZE of Linux/ia64, with its terminating zero).</summary>
    public const int CommandLineSize = 2048;

    /// <summary>Most disks.</summary>
    public const int Disks = 8;

    /// <summary>Most network interfaces.</summary>
    public const int NetworkInterfaces = 8;
}
