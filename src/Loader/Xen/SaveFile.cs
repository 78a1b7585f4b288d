using System.Buffers.Binary;
using System.Text;
using FastXen.Loader.Configuration;

namespace FastXen.Loader.Xen;

/// <summary>
/// A saved domain in a file: 16 bytes "FastXen domain\n\0", the length of the config (32 bits), the config (JSON, UTF-8), and the domain as docs/xen-save.md says.
/// </summary>
public static class SaveFile
{
    private static ReadOnlySpan<byte> Magic => "FastXen domain\n\0"u8;

    /// <summary>Writes a file in one piece: it is there whole, or (<see cref="IOException"/>, <see cref="UnauthorizedAccessException"/>) what was there before.</summary>
    internal static void Write(string path, GuestConfig config, Action<Stream> domain)
    {
        string part = $"{path}.part";
        try
        {
            using (FileStream file = new(part, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }))
            {
                byte[] text = GuestConfigWriter.Write(config);
                Span<byte> length = stackalloc byte[sizeof(int)];
                BinaryPrimitives.WriteInt32LittleEndian(length, text.Length);
                file.Write(Magic);
                file.Write(length);
                file.Write(text);
                domain(file);
                file.Flush(flushToDisk: true);
            }
            File.Move(part, path, overwrite: true);
        }
        catch
        {
            File.Delete(part);
            throw;
        }
    }

    /// <summary>What the saved domain was made from, with <see cref="GuestConfig.RestoreFrom"/>. What is wrong with the file is a <see cref="LoadException"/>.</summary>
    public static GuestConfig ReadConfig(string path)
    {
        using FileStream file = Open(path, out GuestConfig config);
        return config;
    }

    /// <summary>The file, at the domain's first byte.</summary>
    internal static FileStream Open(string path, out GuestConfig config)
    {
        FileStream file;
        try
        {
            file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ImageException(path, Images.ImageFile.Reason(e), e);
        }
        try
        {
            byte[] head = new byte[Magic.Length + sizeof(int)];
            if (file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false) < head.Length || !head.AsSpan().StartsWith(Magic))
                throw new ImageException(path, "is not a saved domain");
            int length = BinaryPrimitives.ReadInt32LittleEndian(head.AsSpan(Magic.Length));
            if (length is <= 0 or > GuestConfigReader.MaximumFileSize) throw new ImageException(path, $"is not a saved domain: its config has {length} bytes");
            byte[] text = new byte[length];
            if (file.ReadAtLeast(text, length, throwOnEndOfStream: false) < length) throw new ImageException(path, "is truncated: it ends inside of its config");
            IReadOnlyList<GuestConfig> configs = GuestConfigReader.ParseInline(Encoding.UTF8.GetString(text), "/");
            if (configs.Count != 1 || configs[0].Personality != Personality.Xen) throw new ImageException(path, "is not a saved domain of the Xen interface");
            config = configs[0] with { Source = path, RestoreFrom = path };
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }
}
