using System.CommandLine;

namespace Dunlin.Server;

/// <summary>The commands: none (serve), <c>token</c> and <c>check</c>. Options of the server stand before or after the command.</summary>
internal static class CommandLine
{
    private static readonly Option<string?> Address = Setting("--address", "IP address to listen on (default 127.0.0.1; Dunlin__Address)");
    private static readonly Option<string?> Port = Setting("--port", "Port; 0 takes a free one (default 5090; Dunlin__Port)");
    private static readonly Option<string?> Data = Setting("--data", "Folder of the SQLite file and the signing key (default ./data; Dunlin__Data)");
    private static readonly Option<string?> Store = Setting("--store", "PostgreSQL connection string (default: SQLite in the data folder; Dunlin__Store)");
    private static readonly Option<string?> Redis = Setting("--redis", "Redis host:port, for lower latency between nodes (Dunlin__Redis)");
    private static readonly Option<string?> File = Setting("--config", "JSON file with settings; the environment and these options win over it");

    public static RootCommand Create()
    {
        var root = new RootCommand("Dunlin: event streams, leases and presence over plain HTTP. Every setting: docs/reference/configuration.md.");
        foreach (var option in (Option[])[Address, Port, Data, Store, Redis, File])
            root.Options.Add(option);
        root.SetAction((given, cancellationToken) => Guarded(async () =>
        {
            await using var app = Build(given);
            Validate(app);
            app.Services.GetRequiredService<ServerSettings>().MakeFolder();
            await app.RunAsync();
        }));
        root.Subcommands.Add(TokenCommand.Create());
        root.Subcommands.Add(CheckCommand.Create());
        return root;
    }

    /// <summary>The application as the options and the configuration say, not started.</summary>
    public static WebApplication Build(ParseResult given, Action<IServiceCollection>? configure = null)
    {
        var settings = new Dictionary<string, string?>(StringComparer.Ordinal);
        foreach (var (option, name) in ((Option<string?>, string)[])[(Address, "Address"), (Port, "Port"), (Data, "Data"), (Store, "Store"), (Redis, "Redis")])
        {
            if (given.GetValue(option) is { } value)
                settings[name] = value;
        }
        return ServerApplication.Build(settings, given.GetValue(File), configure);
    }

    /// <summary>What the host does at its start too, but there it logs a stack trace.</summary>
    /// <exception cref="Microsoft.Extensions.Options.OptionsValidationException">An option has a value that cannot be used.</exception>
    public static void Validate(WebApplication app) => app.Services.GetService<Microsoft.Extensions.Options.IStartupValidator>()?.Validate();

    /// <summary>Runs a command; what its user can put right is said in a line, without a stack trace.</summary>
    public static async Task<int> Guarded(Func<Task> action)
    {
        try
        {
            await action();
            return 0;
        }
        catch (Exception exception) when (Reason(exception) is { } reason)
        {
            await Console.Error.WriteLineAsync($"dunlin: {reason}");
            return 1;
        }
    }

    private static string? Reason(Exception exception) => exception switch
    {
        Microsoft.Extensions.Options.OptionsValidationException wrong => string.Join(Environment.NewLine + "dunlin: ", wrong.Failures),
        AggregateException many => string.Join(Environment.NewLine + "dunlin: ", many.InnerExceptions.Select(inner => Reason(inner) ?? inner.Message)),
        InvalidOperationException or FormatException or ArgumentException or IOException or UnauthorizedAccessException
            or System.Data.Common.DbException or Dunlin.Diagnostics.DunlinException =>
            exception.InnerException is { } cause && exception is InvalidOperationException ? $"{exception.Message} ({cause.Message})" : exception.Message,
        _ => null,
    };

    private static Option<string?> Setting(string name, string description) => new(name) { Description = description, Recursive = true, HelpName = name[2..] };
}
