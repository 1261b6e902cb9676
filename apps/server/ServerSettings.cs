using System.Globalization;
using System.Net;
using Dunlin.Apps.Common;

namespace Dunlin.Server;

/// <summary>
/// The settings of the server itself; <see cref="ServerOptions"/> has the options of the engine. The environment overrides the file, and
/// the command line overrides both.
/// </summary>
internal sealed record ServerSettings
{
    public const string Root = SettingSections.Root;

    public required IPAddress Address { get; init; }

    public required int Port { get; init; }

    /// <summary>Full path of the data folder.</summary>
    public required string Data { get; init; }

    public string? Store { get; init; }

    public string? Redis { get; init; }

    /// <summary>Full path of the file with settings; null for none.</summary>
    public string? File { get; init; }

    /// <summary>Reads the settings.</summary>
    /// <exception cref="InvalidOperationException">A value is invalid; the message names the setting.</exception>
    public static ServerSettings From(IConfiguration configuration)
    {
        var section = configuration.GetSection(Root);
        return new ServerSettings
        {
            Address = AddressOf(section["Address"] ?? "127.0.0.1"),
            Port =
                int.TryParse(section["Port"] ?? "5090", NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port <= 65_535
                    ? port
                    : throw new InvalidOperationException($"Dunlin:Port must be a number from 0 to 65535, not '{section["Port"]}'."),
            Data = Path.GetFullPath(section["Data"] is { Length: > 0 } data ? data : "data"),
            Store = section["Store"] is { Length: > 0 } store ? store : null,
            Redis = section["Redis"] is { Length: > 0 } redis ? redis : null,
        };
    }

    /// <summary>Creates the data folder, readable by the server's user only: it contains the database and the signing key.</summary>
    public void MakeFolder()
    {
        if (OperatingSystem.IsWindows() || Directory.Exists(Data))
            Directory.CreateDirectory(Data);
        else
            Directory.CreateDirectory(Data, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private static IPAddress AddressOf(string text) =>
        text == "localhost" ? IPAddress.Loopback
        : AddressText.TryParse(text, out var address) ? address
        : throw new InvalidOperationException($"Dunlin:Address must be an IP address such as 127.0.0.1 or 0.0.0.0, not '{text}'.");
}
