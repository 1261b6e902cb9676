using System.Globalization;
using System.Net;
using Dunlin.Apps.Common;

namespace Dunlin.Server;

/// <summary>What the server itself is told; the options of the engine have sections of their own (<see cref="ServerOptions"/>). From the
/// least to the most decisive: a file, the environment, the command line.</summary>
internal sealed record ServerSettings
{
    public const string Root = SettingSections.Root;

    public required IPAddress Address { get; init; }

    public required int Port { get; init; }

    /// <summary>Full path of the data folder.</summary>
    public required string Data { get; init; }

    public string? Store { get; init; }

    public string? Redis { get; init; }

    /// <exception cref="InvalidOperationException">A value cannot be used; the message names the setting.</exception>
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

    /// <summary>
    /// Creates the data folder, readable by the server's user only: it holds the database and the signing key.
    /// </summary>
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
