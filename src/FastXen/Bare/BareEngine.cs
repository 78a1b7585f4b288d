using FastXen.Core;

namespace FastXen.Bare;

/// <summary>The engines that can run vectors and bare programs.</summary>
internal static class BareEngine
{
    /// <summary>The engine that runs when none is named.</summary>
    public const string Interpreter = "interpreter";

    private const string Translator = "translator";

    /// <summary>The engine of a name; null, and a sentence, where it is not among <paramref name="usable"/>.</summary>
    public static EngineKind? Find(string name, ReadOnlySpan<EngineKind> usable, TextWriter error)
    {
        EngineKind? engine = name switch
        {
            Interpreter => EngineKind.Interpreter,
            Translator => EngineKind.Translator,
            _ => null,
        };
        if (engine is { } found && usable.Contains(found))
            return found;
        error.WriteLine($"fastxen: there is no engine '{name}' for this: use {(usable.Length > 1 ? $"'{Interpreter}' or '{Translator}'" : $"'{Interpreter}'")}");
        return null;
    }
}
