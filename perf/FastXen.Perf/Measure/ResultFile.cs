using System.Text.Json;

namespace FastXen.Perf.Measure;

/// <summary>Where a measurement's numbers go.</summary>
internal static class ResultFile
{
    private static readonly JsonSerializerOptions Format = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    /// <summary>Writes them as JSON, and says where.</summary>
    public static void Write<T>(string path, T result)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        File.WriteAllText(path, JsonSerializer.Serialize(result, Format));
        Console.WriteLine($"in {path}");
    }
}
