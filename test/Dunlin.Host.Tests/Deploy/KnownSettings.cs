using System.Text.RegularExpressions;

namespace Dunlin.Host.Tests.Deploy;

/// <summary>What may be said to the host in its environment.</summary>
internal static partial class KnownSettings
{
    // What belongs to the runtime and not to the host.
    private static readonly string[] Foreign = ["ASPNETCORE_ENVIRONMENT", "DOTNET_gcServer"];

    /// <summary>The names among these that nobody reads.</summary>
    public static IEnumerable<string> Unknown(IEnumerable<string> names)
    {
        var apps = Path.Combine(NginxProcess.Root(), "apps");
        string[] folders = [Path.Combine(apps, "host", "server"), Path.Combine(apps, "common")];
        var sources = folders.SelectMany(folder => Directory.EnumerateFiles(folder, "*.cs")).Select(File.ReadAllText).ToList();
        var known = sources.SelectMany(text => Configured().Matches(text)).Select(match => match.Groups[1].Value)
            .Concat(Documented().Matches(HostSettings.Usage).Select(match => match.Groups[1].Value))
            .ToHashSet(StringComparer.Ordinal);
        return names.Where(name => !Foreign.Contains(name, StringComparer.Ordinal)
            && !(name.StartsWith("Dunlin__", StringComparison.Ordinal) && known.Contains(name["Dunlin__".Length..].Split("__")[0])));
    }

    [GeneratedRegex("\"Dunlin:([A-Za-z]+)\"")]
    private static partial Regex Configured();

    [GeneratedRegex("Dunlin__([A-Za-z]+)")]
    private static partial Regex Documented();
}
