using FastXen.Platform.Pci;

namespace FastXen.Platform.Firmware.Sal;

/// <summary>SAL's procedures for PCI configuration space (SAL specification, 9.5).</summary>
internal static class PciConfigCalls
{
    private readonly record struct PciAddress(int Segment, int Bus, int Device, int Function, int Register);

    // Type 0: seg 31:24, bus 23:16, device 15:11, function 10:8, register 7:0. Type 1: seg 43:28, bus 27:20, device 19:15, function 14:12, register 11:0.
    private static bool TryDecode(ulong address, ulong type, ulong size, out PciAddress pciAddress)
    {
        pciAddress = type == 0
            ? new((int)(address >> 24 & 0xff), (int)(address >> 16 & 0xff), (int)(address >> 11 & 31), (int)(address >> 8 & 7), (int)(address & 0xff))
            : new((int)(address >> 28 & 0xffff), (int)(address >> 20 & 0xff), (int)(address >> 15 & 31), (int)(address >> 12 & 7), (int)(address & 0xfff));
        return type <= 1 && address >> (type == 0 ? 32 : 44) == 0 && size is 1 or 2 or 4 && (address & (size - 1)) == 0;
    }

    /// <summary>SAL_PCI_CONFIG_READ(address, size, type). Without a bus nothing is there.</summary>
    public static void Read(IPciConfigSpace? pci, ServiceCall call)
    {
        ulong size = call.In(2);
        if (!TryDecode(call.In(1), call.In(3), size, out PciAddress a))
        {
            call.Result(SalStatus.InvalidArgument);
            return;
        }
        uint value = pci?.Read(a.Segment, a.Bus, a.Device, a.Function, a.Register, (int)size) ?? uint.MaxValue;
        call.Result(SalStatus.Success, value & (uint)((1ul << (8 * (int)size)) - 1));
    }

    /// <summary>SAL_PCI_CONFIG_WRITE(address, size, value, type).</summary>
    public static void Write(IPciConfigSpace? pci, ServiceCall call)
    {
        ulong size = call.In(2);
        if (!TryDecode(call.In(1), call.In(4), size, out PciAddress a))
        {
            call.Result(SalStatus.InvalidArgument);
            return;
        }
        pci?.Write(a.Segment, a.Bus, a.Device, a.Function, a.Register, (int)size, (uint)(call.In(3) & (1ul << (8 * (int)size)) - 1));
        call.Result(SalStatus.Success);
    }
}
