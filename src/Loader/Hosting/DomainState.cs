namespace FastXen.Loader.Hosting;

/// <summary>What a domain is doing, in Xen's terms.</summary>
public enum DomainState
{
    /// <summary>A processor of it runs, or wants to (r).</summary>
    Running,
    /// <summary>All its processors wait for something (b).</summary>
    Blocked,
    /// <summary>It is paused (p).</summary>
    Paused,
    /// <summary>Its guest was asked to shut down and has not done so yet (s).</summary>
    ShuttingDown,
    /// <summary>It crashed and is kept to be looked at (c).</summary>
    Crashed,
    /// <summary>It is being taken down (d).</summary>
    Dying,
}

/// <summary>How states are printed.</summary>
public static class DomainStates
{
    private const string Letters = "rbpscd";

    /// <summary>Six columns as in xl's list, such as <c>-b----</c>.</summary>
    public static string Flags(this DomainState state) =>
        string.Create(Letters.Length, (int)state, static (columns, index) =>
        {
            columns.Fill('-');
            columns[index] = Letters[index];
        });
}
