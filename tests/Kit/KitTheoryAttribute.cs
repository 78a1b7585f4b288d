namespace FastXen.Tests;

/// <summary>As <see cref="KitFactAttribute"/>, for a test with cases.</summary>
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
