namespace FastXen.Tests;

/// <summary>The guests of native/, which './build.sh guests' assembles.</summary>
public static class Guests
{
    /// <summary>Waits for its power button, and wakes up once a second.</summary>
    public static string Idle => Path("idle");

    /// <summary>Works and checks its work, and prints a line about it many times a second.</summary>
    public static string Worker => Path("worker");

    /// <summary>Takes its tour and powers off.</summary>
    public static string Demo => Path("demo");

    /// <summary>The kernel of our own on the Xen interface (and on the platform), as it is in the repository.</summary>
    public static string Xenguest => System.IO.Path.Combine(Kit.Repository, "native", "xenguest", "xenguest.elf");

    private static string Path(string name)
    {
        string file = System.IO.Path.Combine(Kit.Repository, "out", "guests", name);
        return File.Exists(file) ? file : throw new FileNotFoundException($"{file} is missing: run './build.sh guests'");
    }
}
