namespace FastXen.Loader.Tests;

/// <summary>A folder that lasts as long as a test.</summary>
public sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("fastxen-test-").FullName;

    public string Write(string name, ReadOnlySpan<byte> contents)
    {
        string path = System.IO.Path.Combine(Path, name);
        File.WriteAllBytes(path, contents);
        return path;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
