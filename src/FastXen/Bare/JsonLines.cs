using System.IO.Compression;
using System.Text.Json;

namespace FastXen.Bare;

/// <summary>Files of JSON objects, one a line, plain or gzip.</summary>
internal static class JsonLines
{
    /// <summary>Calls <paramref name="read"/> with the object of each line that is not empty.</summary>
    public static void Read(string file, Action<JsonField> read)
    {
        try
        {
            using Stream raw = File.OpenRead(file);
            using Stream stream = IsGzip(raw) ? new GZipStream(raw, CompressionMode.Decompress) : raw;
            using var reader = new StreamReader(stream);
            Read(file, reader, read);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw new BareFormatException(file, $"cannot be read: {e.Message}");
        }
    }

    /// <summary>As <see cref="Read(string, Action{JsonField})"/>, from a reader; <paramref name="file"/> is its name in messages.</summary>
    public static void Read(string file, TextReader reader, Action<JsonField> read)
    {
        for (int line = 1; reader.ReadLine() is { } text; line++)
        {
            if (string.IsNullOrWhiteSpace(text))
                continue;
            using JsonDocument document = Parse(file, line, text);
            read(new JsonField(file, line, "", document.RootElement));
        }
    }

    private static JsonDocument Parse(string file, int line, string text)
    {
        try
        {
            JsonDocument document = JsonDocument.Parse(text);
            if (document.RootElement.ValueKind == JsonValueKind.Object)
                return document;
            document.Dispose();
            throw new BareFormatException(file, line, "", "is not a JSON object");
        }
        catch (JsonException e)
        {
            throw new BareFormatException(file, line, "", $"is not JSON (byte {e.BytePositionInLine})");
        }
    }

    private static bool IsGzip(Stream stream)
    {
        Span<byte> magic = stackalloc byte[2];
        bool gzip = stream.ReadAtLeast(magic, 2, throwOnEndOfStream: false) == 2 && magic is [0x1f, 0x8b];
        stream.Position = 0;
        return gzip;
    }
}
