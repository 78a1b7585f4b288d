namespace FastXen.Bare;

/// <summary>The engines that can run vectors and bare programs.</summary>
internal static class BareEngine
{
    /// <summary>The engine that runs when none is named.</summary>
    public const string Interpreter = "interpreter";

    /// <summary>True where <paramref name="engine"/> exists; else says so.</summary>
    public static bool Exists(string engine, TextWriter error)
    {
        if (engine == Interpreter)
            return true;
        error.WriteLine($"fastxen: there is no engine '{engine}' for bare programs: use '{Interpreter}'");
        return false;
    }
}
