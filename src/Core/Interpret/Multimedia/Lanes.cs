using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace FastXen.Core.Interpret.Multimedia;

/// <summary>A general register as a vector of lanes, in the low half of a host vector, and back.</summary>
internal static class Lanes
{
    /// <summary>The most significant bit of each byte.</summary>
    internal const ulong Sign1 = 0x8080_8080_8080_8080;

    /// <summary>The most significant bit of each two-byte lane.</summary>
    internal const ulong Sign2 = 0x8000_8000_8000_8000;

    /// <summary>The least significant bit of each byte.</summary>
    internal const ulong Unit1 = 0x0101_0101_0101_0101;

    /// <summary>The least significant bit of each two-byte lane.</summary>
    internal const ulong Unit2 = 0x0001_0001_0001_0001;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> U1(ulong x) => Vector128.CreateScalar(x).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<sbyte> S1(ulong x) => Vector128.CreateScalar(x).AsSByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<ushort> U2(ulong x) => Vector128.CreateScalar(x).AsUInt16();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<short> S2(ulong x) => Vector128.CreateScalar(x).AsInt16();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<uint> U4(ulong x) => Vector128.CreateScalar(x).AsUInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<int> S4(ulong x) => Vector128.CreateScalar(x).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong Low<T>(Vector128<T> v) => v.AsUInt64().ToScalar();
}
