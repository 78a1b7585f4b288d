using System.Diagnostics.CodeAnalysis;
using CommandLine;
using CommandLine.Text;
using FastXen.Bare;
using FastXen.Commands;
using FastXen.Control;
using FastXen.Loader;

namespace FastXen.CommandLine;

/// <summary>The command line of <c>fastxen</c>.</summary>
public static class CommandLineInterface
{
    private static readonly Type[] Verbs =
    [
        typeof(RunOptions),
        typeof(ServeOptions),
        typeof(ListOptions),
        typeof(ConsoleOptions),
        typeof(CreateOptions),
        typeof(ShutdownOptions),
        typeof(RebootOptions),
        typeof(DestroyOptions),
        typeof(PauseOptions),
        typeof(UnpauseOptions),
        typeof(VcpuListOptions),
        typeof(VcpuPinOptions),
        typeof(VcpuSetOptions),
        typeof(SaveOptions),
        typeof(RestoreOptions),
        typeof(MemSetOptions),
        typeof(XenstoreOptions),
        typeof(SchedCreditOptions),
        typeof(DumpCoreOptions),
        typeof(TopOptions),
        typeof(RenameOptions),
        typeof(DomidOptions),
        typeof(DomnameOptions),
        typeof(UptimeOptions),
        typeof(InfoOptions),
        typeof(DmesgOptions),
        typeof(CheckOptions),
        typeof(DisassembleOptions),
        typeof(VectorsOptions),
        typeof(ExecOptions),
        typeof(TraceOptions),
    ];

    /// <summary>Parses the arguments, runs the command, and returns the process's exit code.</summary>
    // The parser builds option objects by reflection: their members must survive trimming.
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(RunOptions))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(ServeOptions))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(ListOptions))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(ConsoleOptions))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(CreateOptions))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(ShutdownOptions))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(RebootOptions))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(DestroyOptions))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(RenameOptions))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(TopOptions))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(DumpCoreOptions))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(SaveOptions))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(RestoreOptions))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(MemSetOptions))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(XenstoreOptions))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(SchedCreditOptions))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(VcpuSetOptions))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(VcpuPinOptions))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(VcpuListOptions))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(UnpauseOptions))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(PauseOptions))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(DomidOptions))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(DomnameOptions))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(UptimeOptions))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(InfoOptions))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(DmesgOptions))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(CheckOptions))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(DisassembleOptions))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(VectorsOptions))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(ExecOptions))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(TraceOptions))]
    public static int Run(string[] args)
    {
        ArgumentOrder order = new(args);
        using Parser parser = new(static settings =>
        {
            settings.HelpWriter = null;
            settings.AllowMultiInstance = true;
        });
        ParserResult<object> result = parser.ParseArguments(order.Arguments, Verbs);
        if (result.Tag == ParserResultType.Parsed && order.WithoutValue is { } option) return Refuse($"option '{option}' needs a value", args);
        try
        {
            return result.Value switch
            {
                RunOptions options => RunCommand.Run(options),
                ServeOptions options => ServeCommand.Run(options),
                ListOptions options => ControlCommands.List(options),
                ConsoleOptions options => ConsoleCommand.Run(options),
                CreateOptions options => ControlCommands.Create(options),
                ShutdownOptions options => ControlCommands.Shutdown(options),
                RebootOptions options => ControlCommands.Reboot(options),
                DestroyOptions options => ControlCommands.Destroy(options),
                PauseOptions options => ControlCommands.Pause(options),
                UnpauseOptions options => ControlCommands.Unpause(options),
                VcpuListOptions options => ControlCommands.VcpuList(options),
                VcpuPinOptions options => ControlCommands.VcpuPin(options),
                VcpuSetOptions options => ControlCommands.VcpuSet(options),
                SaveOptions options => ControlCommands.Save(options),
                RestoreOptions options => ControlCommands.Restore(options),
                MemSetOptions options => ControlCommands.MemSet(options),
                XenstoreOptions options => XenstoreCommand.Run(options),
                SchedCreditOptions options => ControlCommands.SchedCredit(options),
                DumpCoreOptions options => ControlCommands.DumpCore(options),
                TopOptions options => TopCommand.Run(options),
                RenameOptions options => ControlCommands.Rename(options),
                DomidOptions options => ControlCommands.Domid(options),
                DomnameOptions options => ControlCommands.Domname(options),
                UptimeOptions options => ControlCommands.Uptime(options),
                InfoOptions options => ControlCommands.Info(options),
                DmesgOptions options => ControlCommands.Dmesg(options),
                CheckOptions options => CheckCommand.Run(options),
                DisassembleOptions options => DisassembleCommand.Run(options),
                VectorsOptions options => VectorRunner.Run([.. options.Files], options.Engine ?? BareEngine.Interpreter, Console.Out, Console.Error),
                ExecOptions options => BareProgramRunner.Run(options.File, options.Engine ?? BareEngine.Interpreter, Console.In, Console.Out, Console.Error),
                TraceOptions options => TraceCommand.Run(options),
                _ => Explain(result, [.. result.Errors], args),
            };
        }
        catch (Exception e) when (e is LoadException or ControlException)
        {
            Console.Error.WriteLine($"fastxen: {e.Message}");
            return ExitCode.BadInput;
        }
    }

    private static int Explain(ParserResult<object> result, Error[] errors, string[] args)
    {
        if (errors.IsVersion())
        {
            Console.Out.WriteLine(HeadingInfo.Default);
            return ExitCode.Success;
        }
        if (errors.IsHelp())
        {
            Console.Out.WriteLine(Help(result, errors[0] is HelpVerbRequestedError { Matched: false }));
            return ExitCode.Success;
        }
        if (errors[0] is NoVerbSelectedError)
        {
            Console.Error.WriteLine(Help(result, listCommands: true));
            return ExitCode.BadInput;
        }
        return Refuse(Sentence(errors[0]), errors[0] is BadVerbSelectedError ? [] : args);
    }

    private static int Refuse(string sentence, string[] args)
    {
        string hint = args.Length == 0 ? "fastxen --help" : $"fastxen {args[0]} --help";
        Console.Error.WriteLine($"fastxen: {sentence}; see '{hint}'");
        return ExitCode.BadInput;
    }

    private static string Sentence(Error error) => error switch
    {
        BadVerbSelectedError { Token: var verb } => $"there is no command '{verb}'",
        UnknownOptionError { Token: var option } => $"there is no option '{(option.Length == 1 ? "-" : "--")}{option}'",
        MissingValueOptionError { NameInfo.LongName: var option } => $"option '--{option}' needs a value",
        RepeatedOptionError { NameInfo.LongName: var option } => $"option '--{option}' is there twice",
        MissingRequiredOptionError { NameInfo: var name } when name.LongName.Length > 0 => $"option '--{name.LongName}' is missing",
        MissingRequiredOptionError => "the file to work on is missing",
        NamedError { NameInfo.LongName: { Length: > 0 } option } => $"the value of option '--{option}' is not usable",
        _ => "the command line is not usable",
    };

    private static string Help(ParserResult<object> result, bool listCommands)
    {
        HelpText help = HelpText.AutoBuild(result, static text =>
        {
            text.AdditionalNewLineAfterOption = false;
            text.MaximumDisplayWidth = 120;
            text.Copyright = "";
            return text;
        }, static example => example, verbsIndex: listCommands, maxDisplayWidth: 120);
        return help.ToString().TrimEnd();
    }
}
