using FastXen.Loader;
using FastXen.Platform.Uart;

namespace FastXen.Terminal;

/// <summary>A console that writes a file and has no input.</summary>
internal sealed class FileConsole : ICharacterBackend, IDisposable
{
    private readonly FileStream _file;

    public FileConsole(string path)
    {
        try
        {
            _file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ImageException(path, $"cannot be written: {e.Message}", e);
        }
    }

    /// <inheritdoc/>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        try
        {
            _file.Write(bytes);
        }
        catch (IOException)
        {
            // A full disk loses output, as a line that is cut does; the guest runs on.
        }
    }

    /// <inheritdoc/>
    public void Connect(ICharacterInput input)
    {
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();
}
