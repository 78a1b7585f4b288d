using FastXen.Core;
using FastXen.Core.Emit;

namespace FastXen.Loader;

/// <summary>What an engine needs of the host.</summary>
public static class EngineRequirements
{
    /// <summary>Throws where the host cannot run the engine.</summary>
    public static void Check(EngineKind engine, string source) => Check(engine, source, HostFeatures.Missing, TryExecutableMemory);

    /// <summary>As <see cref="Check(EngineKind, string)"/>, of a host that answers otherwise.</summary>
    internal static void Check(EngineKind engine, string source, Func<string?> missing, Action executableMemory)
    {
        if (engine != EngineKind.Translator) return;
        if (missing() is { } sentence) throw Refusal(source, sentence);
        try
        {
            executableMemory();
        }
        catch (IOException e)
        {
            throw Refusal(source, $"The host gives no memory for translated code: {e.Message}.");
        }
    }

    private static ConfigException Refusal(string source, string sentence) =>
        new(source, "engine", $"{sentence} Use \"interpreter\".");

    private static void TryExecutableMemory()
    {
        using CodeMemory memory = new(1);
    }
}
