using System.Globalization;
using System.Net;
using Dunlin.Apps.Common;

namespace Dunlin.Host;

/// <summary>
/// The options of the command line. Each is also a setting <c>Dunlin:...</c> (environment: <c>Dunlin__...</c>). The command line overrides
/// the environment.
/// </summary>
internal sealed record HostSettings
{
    public const string Usage = """
        Usage: start.sh [options]
          --address IP     address to listen on                   (default 127.0.0.1; Dunlin__Address)
          --port N         port; 0 takes a free one               (default 5080; Dunlin__Port)
          --data DIR       where the SQLite file and keys lie     (default ./data; Dunlin__Data)
          --store TEXT     PostgreSQL connection string           (default: SQLite in the data folder; Dunlin__Store)
          --redis H:P      Redis for lower latency between nodes  (Dunlin__Redis)
          --no-demo        no demo accounts and data              (Dunlin__Demo=false)
          --help           this text
        To copy an SQLite file into the empty database of --store: start.sh move --from FILE --store TEXT
        The engine alone, as a server for back ends in any language: start.sh --server --help
        """;

    public IPAddress Address { get; init; } = IPAddress.Loopback;

    public int Port { get; init; } = 5080;

    public string Data { get; init; } = "data";

    public string? Store { get; init; }

    public string? Redis { get; init; }

    /// <summary>Whether to copy <see cref="MoveFrom"/> into <see cref="Store"/> instead of serving.</summary>
    public bool IsMove { get; init; }

    /// <summary>The SQLite file to copy.</summary>
    public string? MoveFrom { get; init; }

    public bool Demo { get; init; } = true;

    public bool ShowHelp { get; init; }

    public string? Error { get; init; }

    public static HostSettings Parse(string[] args)
    {
        var settings = FromEnvironment();
        for (var i = 0; i < args.Length && settings.Error is null; i++)
        {
            settings = args[i] switch
            {
                "--help" or "-h" => settings with { ShowHelp = true },
                "move" => settings with { IsMove = true },
                "--no-demo" => settings with { Demo = false },
                "--address" or "--port" or "--data" or "--store" or "--redis" or "--from" when i + 1 < args.Length => settings.With(
                    args[i],
                    args[++i]
                ),
                "--address" or "--port" or "--data" or "--store" or "--redis" or "--from" => settings with
                {
                    Error = $"{args[i]} needs a value.",
                },
                _ => settings with { Error = $"Unknown option '{args[i]}'." },
            };
        }
        var isMeant = settings.IsMove ? settings is { MoveFrom: not null, Store: not null } : settings.MoveFrom is null;
        return isMeant || settings.Error is not null || settings.ShowHelp
            ? settings
            : settings with
            {
                Error = "move needs --from, the SQLite file, and --store, the empty PostgreSQL database to copy into.",
            };
    }

    private static HostSettings FromEnvironment()
    {
        var settings = new HostSettings();
        foreach (var name in (ReadOnlySpan<string>)["Address", "Port", "Data", "Store", "Redis"])
        {
            if (Variable("Dunlin__" + name) is { Length: > 0 } value)
                settings = settings.With("--" + name.ToLowerInvariant(), value);
        }
        var isProduction = string.Equals(
            Environment.GetEnvironmentVariable("ASPNETCORE_ENVIRONMENT"),
            "Production",
            StringComparison.OrdinalIgnoreCase
        );
        return Variable("Dunlin__Demo") is { Length: > 0 } demo
            ? bool.TryParse(demo, out var on)
                ? settings with
                {
                    Demo = on && !isProduction,
                }
                : settings with
                {
                    Error = "Dunlin__Demo must be true or false.",
                }
            : settings with
            {
                Demo = !isProduction,
            };
    }

    // Compares names without case, as the configuration does. Otherwise a variable could be a known setting and still have no effect.
    private static string? Variable(string name) =>
        Environment
            .GetEnvironmentVariables()
            .Cast<System.Collections.DictionaryEntry>()
            .FirstOrDefault(variable => string.Equals((string)variable.Key, name, StringComparison.OrdinalIgnoreCase))
            .Value as string;

    private HostSettings With(string option, string value) =>
        option switch
        {
            "--address" => AddressText.TryParse(value == "localhost" ? "127.0.0.1" : value, out var address)
                ? this with
                {
                    Address = address,
                }
                : this with
                {
                    Error = $"--address must be an IP address such as 127.0.0.1 or 0.0.0.0, not '{value}'.",
                },
            "--port" => int.TryParse(value, CultureInfo.InvariantCulture, out var port) && port is >= 0 and <= 65_535
                ? this with
                {
                    Port = port,
                }
                : this with
                {
                    Error = $"--port must be a number from 0 to 65535, not '{value}'.",
                },
            "--data" => this with { Data = value },
            "--store" => this with { Store = value },
            "--from" => this with { MoveFrom = value },
            _ => this with { Redis = value },
        };
}
