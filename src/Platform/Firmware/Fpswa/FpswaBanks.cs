using System.Buffers.Binary;

namespace FastXen.Platform.Firmware.Fpswa;

/// <summary>Which registers of the interrupted program are in memory, and where: <c>fp_state_t</c>.</summary>
/// <param name="Low">A bit for each of f0 to f63 that is in memory.</param>
/// <param name="High">Of f64 to f127.</param>
/// <param name="F2">Address of f2 to f5.</param>
/// <param name="F6">Of f6 to f15.</param>
/// <param name="F16">Of f16 to f31.</param>
/// <param name="F32">Of f32 to f127.</param>
/// <param name="Read">Reads where the addresses lead; false where there is no memory.</param>
/// <param name="Write">Writes there.</param>
internal sealed record FpswaBanks(ulong Low, ulong High, ulong F2, ulong F6, ulong F16, ulong F32, FpswaBanks.Reader Read, FpswaBanks.Writer Write)
{
    private const int Size = 48;

    /// <summary>Reads guest memory.</summary>
    public delegate bool Reader(ulong address, Span<byte> to);

    /// <summary>Writes guest memory.</summary>
    public delegate bool Writer(ulong address, ReadOnlySpan<byte> from);

    /// <summary>Those that a caller's structure describes, or null where it cannot be read.</summary>
    public static FpswaBanks? Of(ServiceCall call, ulong address)
    {
        Span<byte> bytes = stackalloc byte[Size];
        if (!call.Vcpu.TryRead(address, bytes))
            return null;
        return new FpswaBanks(At(bytes, 0), At(bytes, 1), At(bytes, 2), At(bytes, 3), At(bytes, 4), At(bytes, 5), call.Vcpu.TryRead, call.Vcpu.TryWrite);
    }

    private static ulong At(ReadOnlySpan<byte> bytes, int word) => BinaryPrimitives.ReadUInt64LittleEndian(bytes[(8 * word)..]);
}
