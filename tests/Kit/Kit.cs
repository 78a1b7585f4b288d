namespace FastXen.Tests;

/// <summary>The repository, and the guest kit beside it.</summary>
public static class Kit
{
    /// <summary>The repository's root: where FastXen.sln is.</summary>
    public static string Repository { get; } = FindRepository();

    /// <summary>The kit's folder: $FASTXEN_KIT, or ../shared/kit beside the repository.</summary>
    public static string Root { get; } = FindRoot();

    public static string File(string name) => Path.Combine(Root, name);

    /// <summary>Whether a program is on the path.</summary>
    public static bool HasTool(string name)
        => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(directory => System.IO.File.Exists(Path.Combine(directory, name)));

    private static string FindRoot()
    {
        if (Environment.GetEnvironmentVariable("FASTXEN_KIT") is { Length: > 0 } named)
            return named;
        return Path.GetFullPath(Path.Combine(Repository, "..", "shared", "kit"));
    }

    private static string FindRepository()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (System.IO.File.Exists(Path.Combine(folder.FullName, "FastXen.sln")))
                return folder.FullName;
        }
        throw new InvalidOperationException("the tests do not run inside of the repository");
    }
}
