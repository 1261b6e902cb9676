namespace Dunlin.Host.Tests.Deploy;

/// <summary>What may be said to the host in its environment.</summary>
internal static class KnownSettings
{
    private const string Prefix = "Dunlin__";

    // What belongs to the runtime and not to the host.
    private static readonly string[] Foreign = ["ASPNETCORE_ENVIRONMENT", "DOTNET_gcServer"];

    /// <summary>The names among these that nobody reads.</summary>
    public static IEnumerable<string> Unknown(IEnumerable<string> names) =>
        names.Where(name =>
            !Foreign.Contains(name, StringComparer.Ordinal)
            && !(
                name.StartsWith(Prefix, StringComparison.Ordinal)
                && HostApplication.Settings.Names.Contains(name[Prefix.Length..].Split("__")[0])
            )
        );
}
