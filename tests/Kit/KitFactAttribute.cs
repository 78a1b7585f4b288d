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
