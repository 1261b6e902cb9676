using System.CommandLine;
using System.CommandLine.Invocation;
using Dunlin.Server.Commands.Webhooks;

namespace Dunlin.Server.Commands;

/// <summary>The tree of commands, and the options that all of them share. These may precede or follow the command.</summary>
internal static class CommandLine
{
    private static readonly Option<string?> Address = Setting("--address", "IP address to listen on (default 127.0.0.1; Dunlin__Address)");
    private static readonly Option<string?> Port = Setting("--port", "Port; 0 takes a free one (default 5090; Dunlin__Port)");
    private static readonly Option<string?> Data = Setting(
        "--data",
        "Folder of the SQLite file and the signing key (default ./data; Dunlin__Data)"
    );
    private static readonly Option<string?> Store = Setting(
        "--store",
        "PostgreSQL connection string (default: SQLite in the data folder; Dunlin__Store)"
    );
    private static readonly Option<string?> Redis = Setting("--redis", "Redis host:port, for lower latency between nodes (Dunlin__Redis)");
    private static readonly Option<bool> Mercure = new("--mercure")
    {
        Description = "Answer the Mercure protocol too (Dunlin__Mercure__Enabled; needs Dunlin__Mercure__Issuers__0__...)",
        Recursive = true,
    };
    private static readonly Option<bool> Streams = new("--streams")
    {
        Description = "Answer the Durable Streams protocol too, below /streams (Dunlin__DurableStreams__Enabled)",
        Recursive = true,
    };
    private static readonly Option<bool> Webhooks = new("--webhooks")
    {
        Description = "Deliver events to webhooks, managed below /dunlin/v1/webhooks (Dunlin__Webhooks__Enabled)",
        Recursive = true,
    };
    private static readonly Option<bool> Yjs = new("--yjs")
    {
        Description = "Store and merge collaborative documents of Yjs too, below /api/yjs (Dunlin__Yjs__Enabled)",
        Recursive = true,
    };
    private static readonly Option<string?> File = Setting(
        "--config",
        "JSON file with settings; the environment and these options win over it"
    );
    private static readonly Option<string> Format = new("--output")
    {
        Description = "Format of results: text or json",
        Recursive = true,
        HelpName = "text|json",
        DefaultValueFactory = _ => "text",
    };

    /// <summary>Gets the tree. Parsing does not change it, so that runs may be concurrent.</summary>
    public static RootCommand Root { get; } = Create();

    private static RootCommand Create()
    {
        Format.AcceptOnlyFromAmong("text", "json");
        var root = new RootCommand(
            "Dunlin: event streams, leases and presence over plain HTTP. Every command: docs/reference/command-line.md. "
                + "Every setting: docs/reference/configuration.md."
        );
        root.With(Address, Port, Data, Store, Redis, Mercure, Streams, Webhooks, Yjs, File, Format).Runs(ServeCommand.RunAsync);
        root.With(
            ServeCommand.Create(),
            CheckCommand.Create(),
            TokenCommand.Create(),
            PublishCommand.Create(),
            TailCommand.Create(),
            LeasesCommand.Create(),
            ConnectionsCommand.Create(),
            RevokeCommand.Create(),
            WebhooksCommand.Create(),
            JournalCommand.Create(),
            SqlCommand.Create(),
            MoveCommand.Create(),
            BackupCommand.Create(),
            RestoreCommand.Create(),
            DoctorCommand.Create(),
            BenchCommand.Create(),
            CompletionCommand.Create()
        );
        return root;
    }

    /// <summary>Parses the arguments and runs the command.</summary>
    /// <param name="arguments">The arguments of the program.</param>
    /// <param name="output">Receives the results; null for the standard output.</param>
    /// <param name="error">Receives errors and progress; null for the standard error.</param>
    /// <param name="cancellationToken">Interrupts the command, like Ctrl+C.</param>
    /// <returns>One of <see cref="ExitCodes"/>.</returns>
    public static async Task<int> RunAsync(
        IReadOnlyList<string> arguments,
        TextWriter? output = null,
        TextWriter? error = null,
        CancellationToken cancellationToken = default
    )
    {
        // publish reads @FILE itself: System.CommandLine would replace it by arguments.
        var given = Root.Parse(arguments, new ParserConfiguration { ResponseFileTokenReplacer = null });
        var configuration = new InvocationConfiguration { Output = output ?? Console.Out, Error = error ?? Console.Error };
        // The host handles signals. System.CommandLine would end the process two seconds after SIGTERM, before all streams are closed.
        if (given.CommandResult.Command is RootCommand or { Name: ServeCommand.Name })
            configuration.ProcessTerminationTimeout = null;
        if (given.Action is not ParseErrorAction)
            return await given.InvokeAsync(configuration, cancellationToken);
        foreach (var fault in given.Errors)
            await configuration.Error.WriteLineAsync($"dunlin: {fault.Message}");
        await configuration.Error.WriteLineAsync($"        '{Path(given.CommandResult.Command)} --help' lists the arguments.");
        return ExitCodes.Usage;
    }

    public static CommandOutput OutputOf(ParseResult given)
    {
        var (output, error) = (given.InvocationConfiguration.Output, given.InvocationConfiguration.Error);
        return new CommandOutput(
            output,
            error,
            given.GetValue(Format) == "json",
            ReferenceEquals(output, Console.Out) && !Console.IsOutputRedirected,
            ReferenceEquals(error, Console.Error) && !Console.IsErrorRedirected
        );
    }

    /// <summary>Builds the application from the options and the configuration, without starting it.</summary>
    public static WebApplication Build(ParseResult given, Action<IServiceCollection>? configure = null)
    {
        var settings = new Dictionary<string, string?>(StringComparer.Ordinal);
        foreach (
            var (option, name) in ((Option<string?>, string)[])
                [(Address, "Address"), (Port, "Port"), (Data, "Data"), (Store, "Store"), (Redis, "Redis")]
        )
        {
            if (given.GetValue(option) is { } value)
                settings[name] = value;
        }
        if (given.GetValue(Mercure))
            settings["Mercure:Enabled"] = "true";
        if (given.GetValue(Streams))
            settings["DurableStreams:Enabled"] = "true";
        if (given.GetValue(Webhooks))
            settings["Webhooks:Enabled"] = "true";
        if (given.GetValue(Yjs))
            settings["Yjs:Enabled"] = "true";
        return ServerApplication.Build(settings, given.GetValue(File), configure);
    }

    /// <summary>Builds the application without log lines, for commands whose output is read by people or scripts.</summary>
    public static WebApplication BuildSilently(ParseResult given) =>
        Build(given, services => services.AddLogging(logging => logging.ClearProviders()));

    private static string Path(Command command) =>
        command.Parents.OfType<Command>().FirstOrDefault() is { } parent and not RootCommand ? $"{Path(parent)} {command.Name}"
        : command is RootCommand ? "dunlin"
        : $"dunlin {command.Name}";

    private static Option<string?> Setting(string name, string description) =>
        new(name)
        {
            Description = description,
            Recursive = true,
            HelpName = name[2..],
        };
}
