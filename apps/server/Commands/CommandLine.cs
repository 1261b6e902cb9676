using System.CommandLine;
using Dunlin.Apps.Common;

namespace Dunlin.Server;

/// <summary>
/// The commands: none (serve), <c>token</c>, <c>check</c> and <c>move</c>. Options of the server may precede or follow the command.
/// </summary>
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
    private static readonly Option<string?> File = Setting(
        "--config",
        "JSON file with settings; the environment and these options win over it"
    );

    public static RootCommand Create()
    {
        var root = new RootCommand(
            "Dunlin: event streams, leases and presence over plain HTTP. Every setting: docs/reference/configuration.md."
        );
        foreach (var option in (Option[])[Address, Port, Data, Store, Redis, File])
            root.Options.Add(option);
        root.SetAction(
            (given, cancellationToken) =>
                ProgramRun.GuardedAsync(async () =>
                {
                    await using var app = Build(given);
                    var settings = app.Services.GetRequiredService<ServerSettings>();
                    await ProgramRun.ServeAsync(app, settings.Address, settings.Port, settings.MakeFolder);
                })
        );
        root.Subcommands.Add(TokenCommand.Create());
        root.Subcommands.Add(CheckCommand.Create());
        root.Subcommands.Add(MoveCommand.Create());
        return root;
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
        return ServerApplication.Build(settings, given.GetValue(File), configure);
    }

    private static Option<string?> Setting(string name, string description) =>
        new(name)
        {
            Description = description,
            Recursive = true,
            HelpName = name[2..],
        };
}
