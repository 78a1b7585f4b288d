using System.Runtime.CompilerServices;

namespace FastXen.Core.Interpret;

/// <summary>Size of an integer access, as a type so that each handler is compiled for its own.</summary>
public unsafe interface IAccessSize
{
    /// <summary>Bytes.</summary>
    static abstract int Bytes { get; }

    /// <summary>Reads a little-endian value, zero-extended.</summary>
    static abstract ulong Read(byte* host);

    /// <summary>Writes the low bytes of a value, little-endian.</summary>
    static abstract void Write(byte* host, ulong value);
}

/// <summary>1 byte.</summary>
public readonly unsafe struct One : IAccessSize
{
    /// <inheritdoc/>
    public static int Bytes => 1;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Read(byte* host) => *host;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write(byte* host, ulong value) => *host = (byte)value;
}

/// <summary>2 bytes.</summary>
public readonly unsafe struct Two : IAccessSize
{
    /// <inheritdoc/>
    public static int Bytes => 2;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Read(byte* host) => *(ushort*)host;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write(byte* host, ulong value) => *(ushort*)host = (ushort)value;
}

/// <summary>4 bytes.</summary>
public readonly unsafe struct Four : IAccessSize
{
    /// <inheritdoc/>
    public static int Bytes => 4;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Read(byte* host) => *(uint*)host;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write(byte* host, ulong value) => *(uint*)host = (uint)value;
}

/// <summary>8 bytes.</summary>
public readonly unsafe struct Eight : IAccessSize
{
    /// <inheritdoc/>
    public static int Bytes => 8;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Read(byte* host) => *(ulong*)host;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write(byte* host, ulong value) => *(ulong*)host = value;
}
