namespace FastXen.CommandLine;

/// <summary>
/// Brings arguments into the order that the parser needs: the command, what is not an option, the options as <c>--name=value</c>. The parser takes
/// what follows a repeatable option for more of its values, and drops an option that has no value.
/// </summary>
internal sealed class ArgumentOrder
{
    // Options that have no value.
    private static readonly string[] Flags =
        ["--help", "--version", "--stats", "--lockstep", "--perf-map", "--json", "--wait", "--force", "--clear", "--once", "--checkpoint"];

    /// <summary>Sorts the arguments of a command.</summary>
    public ArgumentOrder(string[] args)
    {
        List<string> operands = [];
        List<string> options = [];
        // "help COMMAND" is "COMMAND --help".
        if (args is ["help", var command, ..]) args = [command, "--help"];
        for (int i = 0; i < args.Length; i++)
        {
            string argument = args[i];
            if (!argument.StartsWith("--", StringComparison.Ordinal))
            {
                operands.Add(argument);
            }
            else if (argument.Contains('=') || Array.IndexOf(Flags, argument) >= 0)
            {
                options.Add(argument);
            }
            else if (i + 1 < args.Length && !args[i + 1].StartsWith("--", StringComparison.Ordinal))
            {
                options.Add($"{argument}={args[++i]}");
            }
            else if (argument == "--profile")
            {
                // The one option whose value may be missing.
                options.Add("--profile=-");
            }
            else
            {
                WithoutValue ??= argument;
                options.Add(argument);
            }
        }
        Arguments = [.. operands, .. options];
    }

    /// <summary>The sorted arguments.</summary>
    public string[] Arguments { get; }

    /// <summary>The first option without a value, if there is one: all others have one.</summary>
    public string? WithoutValue { get; }
}
