using System.Buffers.Binary;

namespace FastXen.Loader.Tests;

/// <summary>Makes small ELF64 files.</summary>
internal sealed class ElfBuilder
{
    public readonly record struct Segment(ulong Virtual, ulong Physical, byte[] Bytes, ulong MemorySize, uint Type = 1);

    public ushort Machine { get; set; } = 50;
    public byte Class { get; set; } = 2;
    public byte Data { get; set; } = 1;
    public ushort Type { get; set; } = 2;
    public ulong Entry { get; set; } = 0x400_0000;
    public List<Segment> Segments { get; } = [];

    /// <summary>A kernel of one segment at 64 MiB.</summary>
    public static ElfBuilder Small()
    {
        ElfBuilder builder = new();
        byte[] bytes = new byte[0x3000];
        new Random(1).NextBytes(bytes);
        builder.Segments.Add(new Segment(0xA000_0001_0000_0000, 0x400_0000, bytes, 0x5000));
        return builder;
    }

    public byte[] Build()
    {
        int position = 64 + 56 * Segments.Count;
        MemoryStream file = new();
        file.SetLength(position);
        byte[] header = new byte[position];
        new byte[] { 0x7F, (byte)'E', (byte)'L', (byte)'F', Class, Data, 1 }.CopyTo(header, 0);
        if (Data == 2)
        {
            BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(16), Type);
            BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(18), Machine);
        }
        else
        {
            BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(16), Type);
            BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(18), Machine);
        }
        BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(24), Entry);
        BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(32), 64);
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(54), 56);
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(56), (ushort)Segments.Count);
        for (int i = 0; i < Segments.Count; i++)
        {
            Segment segment = Segments[i];
            Span<byte> entry = header.AsSpan(64 + 56 * i);
            BinaryPrimitives.WriteUInt32LittleEndian(entry, segment.Type);
            BinaryPrimitives.WriteUInt64LittleEndian(entry[8..], (ulong)file.Length);
            BinaryPrimitives.WriteUInt64LittleEndian(entry[16..], segment.Virtual);
            BinaryPrimitives.WriteUInt64LittleEndian(entry[24..], segment.Physical);
            BinaryPrimitives.WriteUInt64LittleEndian(entry[32..], (ulong)segment.Bytes.Length);
            BinaryPrimitives.WriteUInt64LittleEndian(entry[40..], segment.MemorySize);
            file.Position = file.Length;
            file.Write(segment.Bytes);
        }
        file.Position = 0;
        file.Write(header);
        return file.ToArray();
    }
}
