namespace FastXen.Smp.Tests.Models;

/// <summary>A theory that needs the model checker spin and gcc, which build.sh installs; skipped without them.</summary>
internal sealed class SpinTheoryAttribute : TheoryAttribute
{
    public SpinTheoryAttribute()
    {
        if (!Has("spin") || !Has("gcc"))
            Skip = "needs spin and gcc (Debian packages of these names)";

        static bool Has(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, program)));
    }
}
