namespace FastXen.Tests;

/// <summary>A theory that needs the guest kit; skipped where the kit is not installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class KitTheoryAttribute : TheoryAttribute
{
    public KitTheoryAttribute()
    {
        if (!Directory.Exists(Kit.Root))
        {
            Skip = "skipped: no kit";
        }
    }
}

/// <summary>A theory that needs tools of the host; skipped where they are not installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ToolTheoryAttribute : TheoryAttribute
{
    public ToolTheoryAttribute(params string[] tools)
    {
        if (Array.Find(tools, tool => !Kit.HasTool(tool)) is { } missing)
        {
            Skip = $"skipped: no {missing}";
        }
    }
}
