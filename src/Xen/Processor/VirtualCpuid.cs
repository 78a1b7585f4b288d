using FastXen.Core.State;

namespace FastXen.Xen.Processor;

/// <summary>The CPUID registers that a paravirtualized kernel asks its hypervisor for.</summary>
internal static class VirtualCpuid
{
    // "Xen/ia64", the vendor's name, in the order of bytes.
    private const ulong Vendor = 0x3436_6169_2f6e_6558;

    /// <summary>CPUID[<paramref name="index"/>]; 0 where there is none.</summary>
    public static ulong Read(ulong index) => index switch
    {
        0 => Vendor,
        1 or 2 => 0,
        < Cpuid.Count => Cpuid.Read((int)index),
        _ => 0,
    };
}
