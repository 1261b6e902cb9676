using System.Reflection;
using System.Text.Json;

namespace Dunlin.Server.Doctor;

/// <summary>Compares the version of the server, which only administrators see, with that of this program.</summary>
internal static class VersionCheck
{
    private static readonly string Own =
        typeof(VersionCheck).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "";

    /// <summary>Reads the answer of <c>GET stats</c>. Returns null for a caller who is no administrator, and for older servers.</summary>
    public static Finding? Read(string stats)
    {
        try
        {
            using var json = JsonDocument.Parse(stats);
            return json.RootElement.TryGetProperty("version", out var version) && version.GetString() is { } text
                ? Compare(text, Own)
                : null;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    public static Finding Compare(string server, string own) =>
        Compatible(server) == Compatible(own)
            ? Finding.Ok("release", $"The server runs Dunlin {server}, and this program is {own}.")
            : Finding.Warn(
                "release",
                $"The server runs Dunlin {server}, but this program is {own}.",
                "Use the same version of both: docs/guides/upgrade.md."
            );

    // Before 1.0.0 a minor version may break the API.
    private static string Compatible(string version)
    {
        var numbers = version.Split('.', '-');
        return numbers is ["0", var minor, ..] ? $"0.{minor}" : numbers[0];
    }
}
