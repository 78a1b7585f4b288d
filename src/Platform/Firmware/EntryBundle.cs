using System.Buffers.Binary;
using FastXen.Core;

namespace FastXen.Platform.Firmware;

/// <summary>The bundle of an entry point: <c>{ .mii; break.m Base + service; nop.i 0; nop.i 0 ;; }</c> (manual volume 3, formats M37 and I18).</summary>
public static class EntryBundle
{
    private const ulong TemplateMiiStop = 0x01;
    private const ulong NopI = 1UL << 27;

    /// <summary>The 16 bytes of the entry point of <paramref name="service"/>.</summary>
    public static byte[] Encode(FirmwareService service)
    {
        ulong immediate = FirmwareBreak.Base + (uint)service;
        ulong breakM = (immediate >> 20 & 1) << 36 | (immediate & 0xf_ffff) << 6;
        byte[] bundle = new byte[16];
        BinaryPrimitives.WriteUInt64LittleEndian(bundle, TemplateMiiStop | breakM << 5 | NopI << 46);
        BinaryPrimitives.WriteUInt64LittleEndian(bundle.AsSpan(8), NopI >> 18 | NopI << 23);
        return bundle;
    }
}
