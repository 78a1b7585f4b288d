using System.Buffers.Binary;

namespace FastXen.Platform.Firmware.Efi;

/// <summary>EFI's runtime services for the clock (EFI specification 1.10, 6.2).</summary>
internal sealed class EfiClockServices(RealTimeClock clock)
{
    /// <summary>GetTime, <paramref name="offset"/> seconds later.</summary>
    public long GetTime(ServiceCall call, int offset = 0)
    {
        Span<byte> now = stackalloc byte[RealTimeClock.TimeSize];
        clock.Read(now, offset);
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

    /// <summary>SetTime.</summary>
    public long SetTime(ServiceCall call)
    {
        Span<byte> set = stackalloc byte[RealTimeClock.TimeSize];
        return call.Vcpu.TryRead(call.In(0), set) && clock.TrySet(set) ? EfiStatus.Success : EfiStatus.InvalidParameter;
    }

    /// <summary>GetWakeupTime: there is no alarm.</summary>
    public long GetWakeupTime(ServiceCall call)
    {
        Span<byte> now = stackalloc byte[RealTimeClock.TimeSize];
        clock.Read(now);
        return call.Vcpu.TryWrite(call.In(0), [0]) && call.Vcpu.TryWrite(call.In(1), [0]) && call.Vcpu.TryWrite(call.In(2), now)
            ? EfiStatus.Success : EfiStatus.InvalidParameter;
    }
}
