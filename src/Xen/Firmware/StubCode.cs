using System.Buffers.Binary;

namespace FastXen.Xen.Firmware;

/// <summary>The code at the firmware's entry points: a hypercall each.</summary>
internal static class StubCode
{
    // [MIB] addl r2 = 0, r0 | break.i 0x1000 | br.ret.sptk.many b0
    private const ulong CallLow = 0x0000_2400_0000_1010, CallHigh = 0x0084_0008_8000_0001;

    // [MIB] addl r2 = 0, r0 | break.i 0x1000 | nop.b 0 ;;
    private const ulong OpenLow = 0x0000_2400_0000_1011, OpenHigh = 0x2000_0000_0000_0001;

    // [MBB] cmp.eq p6, p7 = r2, r0 | (p6) br.cond.sptk.many b0 | br.ret.sptk.many b0 ;;
    private const ulong ReturnLow = 0x0401_b807_0008_3013, ReturnHigh = 0x0084_0008_8000_4000;

    /// <summary>A hypercall, and a return to b0 in the stacked convention.</summary>
    public static void Call(Span<byte> bundle, ulong number)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(bundle, CallLow | Immediate(number));
        BinaryPrimitives.WriteUInt64LittleEndian(bundle[8..], CallHigh);
    }

    /// <summary>A hypercall of PAL: it leaves 0 in r2 for procedures of the static convention, which return by a plain branch. Two bundles.</summary>
    public static void CallPal(Span<byte> bundles, ulong number)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(bundles, OpenLow | Immediate(number));
        BinaryPrimitives.WriteUInt64LittleEndian(bundles[8..], OpenHigh);
        BinaryPrimitives.WriteUInt64LittleEndian(bundles[16..], ReturnLow);
        BinaryPrimitives.WriteUInt64LittleEndian(bundles[24..], ReturnHigh);
    }

    // The 22-bit immediate of addl in slot 0 (SDM vol 3, A5): 6:0 at bit 13 of the slot, 15:7 at 27, 20:16 at 22.
    private static ulong Immediate(ulong value) => (value & 0x7F) << (13 + 5) | (value >> 7 & 0x1FF) << (27 + 5) | (value >> 16 & 0x1F) << (22 + 5);
}
