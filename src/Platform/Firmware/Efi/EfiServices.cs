using System.Buffers.Binary;
using System.Runtime.InteropServices;
using FastXen.Core;
using FastXen.Mmu;

namespace FastXen.Platform.Firmware.Efi;

/// <summary>
/// EFI's runtime services after ExitBootServices (EFI specification 1.10, chapter 6). Arguments in in0-in7, status in r8; pointers are
/// physical or virtual as PSR.dt of the caller says.
/// </summary>
internal sealed class EfiServices(PhysicalMemory memory, EfiTables tables, VariableStore variables, TimeProvider time)
{
    private const int MaxNameBytes = 2048;
    private const ulong MaxMapSize = 0x1_0000;
    private const int UsedDescriptorSize = 40;
    private const int GuidSize = 16;

    // The high half of the monotonic count, kept where the guest does not see it: no runtime access.
    private static readonly VariableKey MonotonicCount = new(new Guid("b5ab5e2b-64b0-4a36-8c6c-9f1f5b3d7c10"), "MonotonicCount");

    private readonly RealTimeClock clock = new(time);
    private readonly Lock gate = new();
    private List<(ulong Start, ulong End, ulong Virtual)>? virtualMap;

    /// <summary>Performs a runtime service.</summary>
    public void Call(ServiceCall call, FirmwareService service) => call.Result(service switch
    {
        FirmwareService.GetTime => GetTime(call),
        FirmwareService.SetTime => SetTime(call),
        FirmwareService.GetWakeupTime => GetWakeupTime(call),
        FirmwareService.SetVirtualAddressMap => SetVirtualAddressMap(call),
        FirmwareService.ConvertPointer => ConvertPointer(call),
        FirmwareService.GetVariable => GetVariable(call),
        FirmwareService.GetNextVariableName => GetNextVariableName(call),
        FirmwareService.SetVariable => SetVariable(call),
        FirmwareService.GetNextHighMonotonicCount => GetNextHighMonotonicCount(call),
        FirmwareService.ResetSystem => ResetSystem(call),
        _ => EfiStatus.Unsupported, // boot services, and SetWakeupTime: there is no alarm
    });

    private long GetTime(ServiceCall call)
    {
        Span<byte> now = stackalloc byte[RealTimeClock.TimeSize];
        clock.Read(now);
        if (call.In(1) != 0)
        {
            // EFI_TIME_CAPABILITIES: 1 Hz, 50 ppm in 1e-6 ppm, setting clears below a second: no.
            Span<byte> capabilities = stackalloc byte[12];
            capabilities.Clear();
            BinaryPrimitives.WriteUInt32LittleEndian(capabilities, 1);
            BinaryPrimitives.WriteUInt32LittleEndian(capabilities[4..], 50_000_000);
            if (!call.Vcpu.TryWrite(call.In(1), capabilities))
                return EfiStatus.InvalidParameter;
        }
        return call.Vcpu.TryWrite(call.In(0), now) ? EfiStatus.Success : EfiStatus.InvalidParameter;
    }

    private long SetTime(ServiceCall call)
    {
        Span<byte> set = stackalloc byte[RealTimeClock.TimeSize];
        return call.Vcpu.TryRead(call.In(0), set) && clock.TrySet(set) ? EfiStatus.Success : EfiStatus.InvalidParameter;
    }

    private long GetWakeupTime(ServiceCall call)
    {
        Span<byte> now = stackalloc byte[RealTimeClock.TimeSize];
        clock.Read(now);
        return call.Vcpu.TryWrite(call.In(0), [0]) && call.Vcpu.TryWrite(call.In(1), [0]) && call.Vcpu.TryWrite(call.In(2), now)
            ? EfiStatus.Success : EfiStatus.InvalidParameter;
    }

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

    private long GetVariable(ServiceCall call)
    {
        ulong attributesAt = call.In(2), sizeAt = call.In(3), dataAt = call.In(4);
        if (!TryReadKey(call, call.In(0), call.In(1), out VariableKey key) || key.Name.Length == 0 || !call.TryRead64(sizeAt, out ulong room))
            return EfiStatus.InvalidParameter;
        if (variables.Find(key) is not { } variable || (variable.Attributes & Variable.RuntimeAccess) == 0)
            return EfiStatus.NotFound;
        if (!call.TryWrite64(sizeAt, (ulong)variable.Data.Length))
            return EfiStatus.InvalidParameter;
        if (attributesAt != 0 && !call.TryWrite32(attributesAt, variable.Attributes))
            return EfiStatus.InvalidParameter;
        if (room < (ulong)variable.Data.Length)
            return EfiStatus.BufferTooSmall;
        return call.Vcpu.TryWrite(dataAt, variable.Data) ? EfiStatus.Success : EfiStatus.InvalidParameter;
    }

    private long GetNextVariableName(ServiceCall call)
    {
        ulong sizeAt = call.In(0), nameAt = call.In(1), vendorAt = call.In(2);
        if (!call.TryRead64(sizeAt, out ulong room) || !TryReadKey(call, nameAt, vendorAt, out VariableKey key))
            return EfiStatus.InvalidParameter;
        VariableKey next;
        try
        {
            if (!variables.TryNext(key.Name.Length == 0 ? null : key, Variable.RuntimeAccess, out next))
                return EfiStatus.NotFound;
        }
        catch (KeyNotFoundException)
        {
            return EfiStatus.InvalidParameter;
        }
        ReadOnlySpan<byte> name = MemoryMarshal.AsBytes((next.Name + '\0').AsSpan());
        if (!call.TryWrite64(sizeAt, (ulong)name.Length))
            return EfiStatus.InvalidParameter;
        if (room < (ulong)name.Length)
            return EfiStatus.BufferTooSmall;
        return call.Vcpu.TryWrite(nameAt, name) && call.Vcpu.TryWrite(vendorAt, next.Vendor.ToByteArray())
            ? EfiStatus.Success : EfiStatus.InvalidParameter;
    }

    private long SetVariable(ServiceCall call)
    {
        uint attributes = (uint)call.In(2);
        ulong size = call.In(3);
        const uint known = Variable.NonVolatile | Variable.BootAccess | Variable.RuntimeAccess;
        if (!TryReadKey(call, call.In(0), call.In(1), out VariableKey key) || key.Name.Length == 0 || (attributes & ~known) != 0)
            return EfiStatus.InvalidParameter;
        Variable? old = variables.Find(key);
        if (old is not null && (old.Attributes & (Variable.RuntimeAccess | Variable.NonVolatile)) != (Variable.RuntimeAccess | Variable.NonVolatile))
            return EfiStatus.WriteProtected;

        Variable? value = null;
        // No data, or no access, deletes.
        if (size != 0 && (attributes & (Variable.BootAccess | Variable.RuntimeAccess)) != 0)
        {
            if (attributes != known)
                return EfiStatus.InvalidParameter; // once boot services have ended, only such variables can be made
            if (size > VariableStore.Quota)
                return EfiStatus.OutOfResources;
            value = new Variable(attributes, new byte[size]);
            if (!call.Vcpu.TryRead(call.In(4), value.Data))
                return EfiStatus.InvalidParameter;
        }
        else if (old is null)
        {
            return EfiStatus.NotFound;
        }
        return Store(key, value);
    }

    private long Store(VariableKey key, Variable? value)
    {
        try
        {
            return variables.TrySet(key, value) ? EfiStatus.Success : EfiStatus.OutOfResources;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return EfiStatus.DeviceError;
        }
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
            return Store(MonotonicCount, new Variable(Variable.NonVolatile | Variable.BootAccess, count));
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

    // The name must end with a NUL within MaxNameBytes.
    private static bool TryReadKey(ServiceCall call, ulong nameAt, ulong vendorAt, out VariableKey key)
    {
        key = default;
        Span<byte> vendor = stackalloc byte[GuidSize];
        if (!call.Vcpu.TryRead(vendorAt, vendor))
            return false;
        Span<char> name = stackalloc char[MaxNameBytes / 2];
        for (int i = 0; i < name.Length; i++)
        {
            if (!call.Vcpu.TryRead(unchecked(nameAt + 2 * (ulong)i), MemoryMarshal.AsBytes(name.Slice(i, 1))))
                return false;
            if (name[i] == '\0')
            {
                key = new(new Guid(vendor), new string(name[..i]));
                return true;
            }
        }
        return false;
    }
}
