using Dunlin.Apps.Common;

namespace Dunlin.Server;

/// <summary>
/// The sections of the configuration that map to options of the engine. <c>docs/reference/configuration.md</c> lists them.
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
    )
        .WithEngine()
        .WithHooks()
        .WithMercure()
        .WithDurableStreams()
        .WithWebhooks()
        .WithYjs();

    public static IReadOnlyDictionary<string, Type> Sections => All.Types;

    /// <summary>Validates the settings and binds the sections.</summary>
    /// <exception cref="InvalidOperationException">A setting is unknown, or its value has the wrong type.</exception>
    public static void Add(IServiceCollection services, IConfiguration configuration) => All.Bind(services, configuration);
}
