using FastXen.Core;

namespace FastXen.Diagnostics;

/// <summary>Names translated code for perf(1): lines of address, size and name in /tmp/perf-PID.map. After a flush addresses are used again.</summary>
internal sealed class PerfMap : ITranslationObserver, IDisposable
{
    private readonly StreamWriter _file = new(FileName) { AutoFlush = true };

    /// <summary>The file that perf looks for.</summary>
    public static string FileName => $"/tmp/perf-{Environment.ProcessId}.map";

    /// <inheritdoc/>
    public void OnStub(string name, nint address, int bytes) => Write(address, bytes, $"fastxen_{name}");

    /// <inheritdoc/>
    public void OnRegion(TranslatedRegion region) => Write(region.HostAddress, region.HostCode.Length, region.Name);

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private void Write(nint address, int bytes, string name) => _file.WriteLine($"{address:x} {bytes:x} {name}");
}
