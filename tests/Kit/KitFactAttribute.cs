namespace FastXen.Tests;

/// <summary>A test that needs the guest kit (a kernel, an initial RAM disk, vectors); skipped where the kit is not installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class KitFactAttribute : FactAttribute
{
    public KitFactAttribute()
    {
        if (!Directory.Exists(Kit.Root))
        {
            Skip = "skipped: no kit";
        }
    }
}

/// <summary>Where the guest kit is: $FASTXEN_KIT, or the place where the project's machines have it.</summary>
public static class Kit
{
    public static string Root { get; } = Environment.GetEnvironmentVariable("FASTXEN_KIT") ?? "/work/shared/kit";

    public static string File(string name) => Path.Combine(Root, name);
}
