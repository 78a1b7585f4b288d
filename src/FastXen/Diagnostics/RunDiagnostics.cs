using System.Globalization;
using FastXen.CommandLine;
using FastXen.Core;
using FastXen.Loader;

namespace FastXen.Diagnostics;

/// <summary>What <c>fastxen run</c> is asked to show of the translator, and the files that it goes to.</summary>
internal sealed class RunDiagnostics : ITranslationObserver, IDisposable
{
    private const string StandardError = "-";

    private readonly List<ITranslationObserver> _observers = [];
    private readonly List<IDisposable> _files = [];
    private readonly TextWriter? _profile;
    private bool _broken;

    /// <summary>Opens the files.</summary>
    public RunDiagnostics(RunOptions options)
    {
        try
        {
            ulong? address = Address(options.DumpCode);
            if (options.DumpCode is not null) _observers.Add(new CodeDump(Open(options.DumpFile ?? StandardError), address));
            else if (options.DumpFile is not null) throw new ConfigException("command line", "--dump-file goes with --dump-code only");
            if (options.PerfMap)
            {
                PerfMap map = new();
                _files.Add(map);
                _observers.Add(map);
            }
            if (options.Profile is { } profile) _profile = Open(profile);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigException("command line", $"a file for the translator's diagnostics cannot be written: {e.Message}", e);
        }
    }

    /// <summary>How the translator is to work.</summary>
    public TranslatorOptions Translator => new() { Profile = _profile is not null, Observer = _observers.Count != 0 ? this : null };

    /// <summary>Writes what is known at the end.</summary>
    public void Finish(Domain domain)
    {
        if (_profile is null) return;
        try
        {
            ProfileReport.Write(_profile, domain.HottestRegions, domain.Statistics.RetiredSlots);
            _profile.Flush();
        }
        catch (IOException e)
        {
            Console.Error.WriteLine($"fastxen: the profile cannot be written: {e.Message}");
        }
    }

    /// <inheritdoc/>
    public void OnStub(string name, nint address, int bytes) => Tell(observer => observer.OnStub(name, address, bytes));

    /// <inheritdoc/>
    public void OnRegion(TranslatedRegion region) => Tell(observer => observer.OnRegion(region));

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (IDisposable file in _files) file.Dispose();
    }

    // The guest does not end because a disk is full.
    private void Tell(Action<ITranslationObserver> what)
    {
        if (_broken) return;
        try
        {
            _observers.ForEach(what);
        }
        catch (IOException e)
        {
            _broken = true;
            Console.Error.WriteLine($"fastxen: translated code is not written any more: {e.Message}");
        }
    }

    private TextWriter Open(string file)
    {
        if (file == StandardError) return Console.Error;
        StreamWriter writer = new(file);
        _files.Add(writer);
        return writer;
    }

    private static ulong? Address(string? text)
    {
        if (text is null or "all") return null;
        string digits = text.StartsWith("0x", StringComparison.OrdinalIgnoreCase) ? text[2..] : text;
        return ulong.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong address)
            ? address & ~0xFUL
            : throw new ConfigException("command line", $"--dump-code wants a hexadecimal address or 'all', not '{text}'");
    }
}
