using System.Buffers.Binary;
using FastXen.Core;
using FastXen.Mmu;

namespace FastXen.Platform.Firmware.Efi;

/// <summary>
/// EFI's runtime services after ExitBootServices (EFI specification 1.10, chapter 6). Arguments in in0-in7, status in r8; pointers are
/// physical or virtual as PSR.dt of the caller says.
/// </summary>
internal sealed class EfiServices(PhysicalMemory memory, EfiTables tables, VariableStore variables, TimeProvider time)
{
    private const ulong MaxMapSize = 0x1_0000;
    private const int UsedDescriptorSize = 40;

    // The high half of the monotonic count, kept where the guest does not see it: no runtime access.
    private static readonly VariableKey MonotonicCount = new(new Guid("b5ab5e2b-64b0-4a36-8c6c-9f1f5b3d7c10"), "MonotonicCount");

    private readonly EfiClockServices clock = new(new RealTimeClock(time));
    private readonly EfiVariableServices namedVariables = new(variables);
    private readonly Lock gate = new();
    private List<(ulong Start, ulong End, ulong Virtual)>? virtualMap;

    /// <summary>Performs a runtime service.</summary>
    public void Call(ServiceCall call, FirmwareService service) => call.Result(service switch
    {
        FirmwareService.GetTime => clock.GetTime(call),
        FirmwareService.SetTime => clock.SetTime(call),
        FirmwareService.GetWakeupTime => clock.GetWakeupTime(call),
        FirmwareService.SetVirtualAddressMap => SetVirtualAddressMap(call),
        FirmwareService.ConvertPointer => ConvertPointer(call),
        FirmwareService.GetVariable => namedVariables.GetVariable(call),
        FirmwareService.GetNextVariableName => namedVariables.GetNextVariableName(call),
        FirmwareService.SetVariable => namedVariables.SetVariable(call),
        FirmwareService.GetNextHighMonotonicCount => GetNextHighMonotonicCount(call),
        FirmwareService.ResetSystem => ResetSystem(call),
        _ => EfiStatus.Unsupported, // boot services, and SetWakeupTime: there is no alarm
    });

    private long SetVirtualAddressMap(ServiceCall call)
    {
        ulong mapSize = call.In(0), descriptorSize = call.In(1), map = call.In(3);
        lock (gate)
        {
            if (virtualMap is not null)
                return EfiStatus.Unsupported;
            if (mapSize > MaxMapSize || descriptorSize is < UsedDescriptorSize or > MaxMapSize || mapSize % descriptorSize != 0
                || (uint)call.In(2) != EfiMemoryMap.DescriptorVersion)
                return EfiStatus.InvalidParameter;
            byte[] bytes = new byte[mapSize];
            if (!call.Vcpu.TryRead(map, bytes))
                return EfiStatus.InvalidParameter;

            List<(ulong Start, ulong End, ulong Virtual)> wanted = [];
            for (int at = 0; at < bytes.Length; at += (int)descriptorSize)
            {
                ReadOnlySpan<byte> descriptor = bytes.AsSpan(at, UsedDescriptorSize);
                ulong start = BinaryPrimitives.ReadUInt64LittleEndian(descriptor[8..]);
                ulong pages = BinaryPrimitives.ReadUInt64LittleEndian(descriptor[24..]);
                if ((BinaryPrimitives.ReadUInt64LittleEndian(descriptor[32..]) & EfiMemoryMap.Runtime) == 0 || pages > ulong.MaxValue >> 12)
                    continue;
                wanted.Add((start, unchecked(start + (pages << 12)), BinaryPrimitives.ReadUInt64LittleEndian(descriptor[16..])));
            }
            foreach ((_, ulong target) in tables.Pointers)
            {
                if (!TryConvert(wanted, target, out _))
                    return EfiStatus.NotFound;
            }
            foreach ((ulong location, ulong target) in tables.Pointers)
            {
                TryConvert(wanted, target, out ulong converted);
                memory.Write(location, converted);
            }
            tables.UpdateChecksums();
            virtualMap = wanted;
            return EfiStatus.Success;
        }
    }

    private long ConvertPointer(ServiceCall call)
    {
        const ulong optional = 1;
        if (virtualMap is not { } map)
            return EfiStatus.Unsupported;
        if (!call.TryRead64(call.In(1), out ulong pointer) || pointer == 0 && (call.In(0) & optional) == 0)
            return EfiStatus.InvalidParameter;
        if (pointer == 0)
            return EfiStatus.Success;
        if (!TryConvert(map, pointer, out ulong converted))
            return EfiStatus.NotFound;
        return call.TryWrite64(call.In(1), converted) ? EfiStatus.Success : EfiStatus.InvalidParameter;
    }

    private static bool TryConvert(List<(ulong Start, ulong End, ulong Virtual)> map, ulong physical, out ulong converted)
    {
        foreach ((ulong start, ulong end, ulong virtualStart) in map)
        {
            if (physical >= start && physical < end)
            {
                converted = unchecked(virtualStart + (physical - start));
                return true;
            }
        }
        converted = 0;
        return false;
    }

    private long GetNextHighMonotonicCount(ServiceCall call)
    {
        lock (gate)
        {
            byte[] count = new byte[4];
            if (variables.Find(MonotonicCount) is { Data.Length: 4 } last)
                BinaryPrimitives.WriteUInt32LittleEndian(count, BinaryPrimitives.ReadUInt32LittleEndian(last.Data) + 1);
            if (!call.Vcpu.TryWrite(call.In(0), count))
                return EfiStatus.InvalidParameter;
            return namedVariables.Store(MonotonicCount, new Variable(Variable.NonVolatile | Variable.BootAccess, count));
        }
    }

    private static long ResetSystem(ServiceCall call)
    {
        uint type = (uint)call.In(0);
        if (type > 2)
            return EfiStatus.InvalidParameter;
        call.Vcpu.RequestStop(type == 2 ? VcpuStop.PowerOff : VcpuStop.Reboot);
        return EfiStatus.Success;
    }
}
