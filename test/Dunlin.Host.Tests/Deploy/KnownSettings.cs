namespace Dunlin.Host.Tests.Deploy;

/// <summary>The environment variables that the host reads.</summary>
internal static class KnownSettings
{
    private const string Prefix = "Dunlin__";

    // Variables of the runtime.
    private static readonly string[] Foreign = ["ASPNETCORE_ENVIRONMENT", "DOTNET_gcServer"];

    /// <summary>Returns the names that nothing reads.</summary>
    public static IEnumerable<string> Unknown(IEnumerable<string> names) =>
        names.Where(name =>
            !Foreign.Contains(name, StringComparer.Ordinal)
            && !(
                name.StartsWith(Prefix, StringComparison.Ordinal)
                && HostApplication.Settings.Names.Contains(name[Prefix.Length..].Split("__")[0])
            )
        );
}
