using Dunlin.Apps.Common;

namespace Dunlin.Server;

/// <summary>
/// Sections of the configuration that are options of the engine, by name; <c>docs/reference/configuration.md</c> has them all.
/// </summary>
internal static class ServerOptions
{
    private static readonly SettingSections All = new SettingSections(
        "this server",
        "Address",
        "Port",
        "Data",
        "Store",
        "Redis",
        "TrustedProxies",
        "Metrics",
        "MetricsAddress"
    ).WithEngine();

    public static IReadOnlyDictionary<string, Type> Sections => All.Types;

    /// <exception cref="InvalidOperationException">A setting is not known, or has a value of the wrong kind.</exception>
    public static void Add(IServiceCollection services, IConfiguration configuration) => All.Bind(services, configuration);
}
