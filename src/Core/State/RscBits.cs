namespace FastXen.Core.State;

/// <summary>Bits of AR.RSC (manual volume 2, 6.5.1).</summary>
public static class Rsc
{
    /// <summary>Enforced lazy is 0; bit 0 is store intensive, bit 1 load intensive.</summary>
    public const ulong Mode = 3;
    /// <summary>Big-endian RSE references.</summary>
    public const ulong Be = 1 << 4;
    /// <summary>Shift of loadrs, 14 bits: bytes from BSP down that loadrs makes dirty.</summary>
    public const int LoadrsShift = 16;
}
