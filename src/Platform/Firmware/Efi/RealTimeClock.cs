using System.Buffers.Binary;

namespace FastXen.Platform.Firmware.Efi;

/// <summary>The machine's clock in EFI_TIME form: UTC of the host, moved by what SetTime set.</summary>
internal sealed class RealTimeClock(TimeProvider time)
{
    /// <summary>Size of EFI_TIME.</summary>
    public const int TimeSize = 16;

    private const int FirstYear = 1900;
    private const int LastYear = 9998;
    private const short UnspecifiedZone = 0x7ff;

    private long offsetTicks;

    /// <summary>Writes the time now as an EFI_TIME, <paramref name="offset"/> seconds later.</summary>
    public void Read(Span<byte> efiTime, int offset = 0)
    {
        long ticks = time.GetUtcNow().Ticks + Interlocked.Read(ref offsetTicks) + offset * TimeSpan.TicksPerSecond;
        DateTime now = new(Math.Clamp(ticks, new DateTime(FirstYear, 1, 1).Ticks, DateTime.MaxValue.Ticks), DateTimeKind.Utc);
        efiTime.Clear();
        BinaryPrimitives.WriteUInt16LittleEndian(efiTime, (ushort)now.Year);
        efiTime[2] = (byte)now.Month;
        efiTime[3] = (byte)now.Day;
        efiTime[4] = (byte)now.Hour;
        efiTime[5] = (byte)now.Minute;
        efiTime[6] = (byte)now.Second;
        BinaryPrimitives.WriteUInt32LittleEndian(efiTime[8..], (uint)(now.Ticks % TimeSpan.TicksPerSecond * TimeSpan.NanosecondsPerTick));
    }

    /// <summary>Sets the clock. False when a field is out of range.</summary>
    public bool TrySet(ReadOnlySpan<byte> efiTime)
    {
        int year = BinaryPrimitives.ReadUInt16LittleEndian(efiTime);
        int month = efiTime[2], day = efiTime[3], hour = efiTime[4], minute = efiTime[5], second = efiTime[6];
        uint nanosecond = BinaryPrimitives.ReadUInt32LittleEndian(efiTime[8..]);
        short zone = BinaryPrimitives.ReadInt16LittleEndian(efiTime[12..]);
        if (year is < FirstYear or > LastYear || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month)
            || hour > 23 || minute > 59 || second > 59 || nanosecond > 999_999_999 || zone is (< -1440 or > 1440) and not UnspecifiedZone)
            return false;
        DateTime set = new DateTime(year, month, day, hour, minute, second, DateTimeKind.Utc).AddTicks(nanosecond / TimeSpan.NanosecondsPerTick);
        Interlocked.Exchange(ref offsetTicks, set.Ticks - time.GetUtcNow().Ticks);
        return true;
    }
}
