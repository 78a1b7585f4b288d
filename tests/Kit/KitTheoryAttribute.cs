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
