namespace FastXen.Tests;

/// <summary>A test that needs the guest kit (a kernel, an initial RAM disk, vectors); skipped where the kit or a tool is not installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class KitFactAttribute : FactAttribute
{
    public KitFactAttribute(params string[] tools)
    {
        if (!Directory.Exists(Kit.Root))
        {
            Skip = "skipped: no kit";
        }
        else if (Array.Find(tools, tool => !Kit.HasTool(tool)) is { } missing)
        {
            Skip = $"skipped: no {missing}";
        }
    }
}

/// <summary>A test that needs tools of the host; skipped where they are not installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ToolFactAttribute : FactAttribute
{
    public ToolFactAttribute(params string[] tools)
    {
        if (Array.Find(tools, tool => !Kit.HasTool(tool)) is { } missing)
        {
            Skip = $"skipped: no {missing}";
        }
    }
}

/// <summary>Where the guest kit is: $FASTXEN_KIT, or the place where the project's machines have it.</summary>
public static class Kit
{
    public static string Root { get; } = Environment.GetEnvironmentVariable("FASTXEN_KIT") ?? "/work/shared/kit";

    public static string File(string name) => Path.Combine(Root, name);

    /// <summary>Whether a program is on the path.</summary>
    public static bool HasTool(string name)
        => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(directory => System.IO.File.Exists(Path.Combine(directory, name)));
}
