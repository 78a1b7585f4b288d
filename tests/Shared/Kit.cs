namespace FastXen.Tests;

/// <summary>The repository, and the guest kit beside it.</summary>
internal static class Kit
{
    /// <summary>The repository's root: where FastXen.sln is.</summary>
    public static string Repository { get; } = FindRepository();

    /// <summary>The kit's folder: FASTXEN_KIT, or ../shared/kit beside the repository.</summary>
    public static string Folder { get; } =
        Environment.GetEnvironmentVariable("FASTXEN_KIT") is { Length: > 0 } named ? named : Path.GetFullPath(Path.Combine(Repository, "..", "shared", "kit"));

    /// <summary>Whether the kit is there.</summary>
    public static bool IsPresent => File.Exists(Path.Combine(Folder, "vmlinux.gz"));

    /// <summary>A file of the kit.</summary>
    public static string PathOf(string name) => Path.Combine(Folder, name);

    private static string FindRepository()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "FastXen.sln"))) return folder.FullName;
        }
        throw new InvalidOperationException("the tests do not run inside of the repository");
    }
}

/// <summary>A test that needs the guest kit; skipped where there is none.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class KitFactAttribute : FactAttribute
{
    public KitFactAttribute()
    {
        if (!Kit.IsPresent) Skip = "no kit";
    }
}
