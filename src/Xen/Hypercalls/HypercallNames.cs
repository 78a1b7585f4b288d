using System.Globalization;

namespace FastXen.Xen.Hypercalls;

/// <summary>What hypercalls are called.</summary>
public static class HypercallNames
{
    // Xen's public header xen.h, and arch-ia64.h from 48 on.
    private static readonly Dictionary<int, string> Names = new()
    {
        [6] = "sched_op_compat",
        [7] = "platform_op",
        [12] = "memory_op",
        [13] = "multicall",
        [17] = "xen_version",
        [18] = "console_io",
        [20] = "grant_table_op",
        [24] = "vcpu_op",
        [29] = "sched_op",
        [30] = "callback_op",
        [31] = "xenoprof_op",
        [32] = "event_channel_op",
        [33] = "physdev_op",
        [34] = "hvm_op",
        [35] = "sysctl",
        [36] = "domctl",
        [37] = "kexec_op",
        [38] = "tmem_op",
        [48] = "ia64_dom0vp_op",
        [49] = "ia64_fast_eoi",
        [50] = "ia64_debug_op",
    };

    /// <summary>The name of a number; the number itself where it has none.</summary>
    public static string Of(int number) => Names.GetValueOrDefault(number) ?? number.ToString(CultureInfo.InvariantCulture);
}
