using Dunlin.Fanout;
using Dunlin.Hosting;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Postgres;
using Dunlin.Presence;
using Dunlin.Publishing;
using Dunlin.Redis;
using Dunlin.Security;
using Dunlin.Sqlite;
using Dunlin.Streams;
using Dunlin.Topics;

namespace Dunlin.Server;

/// <summary>Sections of the configuration that are options of the engine, by name; <c>docs/reference/configuration.md</c> has them all.
/// A setting that is misspelt stops the start: one that is passed over could leave open what was meant to be closed.</summary>
internal static class ServerOptions
{
    private static readonly string[] Values = ["Address", "Port", "Data", "Store", "Redis", "TrustedProxies"];

    private static readonly Section[] All =
    [
        Section.Of<AccessTokenOptions>("Tokens"),
        Section.Of<RevocationOptions>("Revocations"),
        Section.Of<OriginOptions>("Origins"),
        Section.Of<StreamOptions>("Streams"),
        Section.Of<PublishOptions>("Publish"),
        Section.Of<LeaseOptions>("Leases"),
        Section.Of<PresenceOptions>("Presence"),
        Section.Of<RetentionOptions>("Retention"),
        Section.Of<FanoutOptions>("Fanout"),
        Section.Of<HostingOptions>("Hosting"),
        Section.Of<SqliteOptions>("Sqlite"),
        Section.Of<PostgresOptions>("Postgres"),
        Section.Of<RedisOptions>("RedisBackplane"),
    ];

    public static IReadOnlyDictionary<string, Type> Sections { get; } = All.ToDictionary(section => section.Name, section => section.Type, StringComparer.OrdinalIgnoreCase);

    /// <exception cref="InvalidOperationException">A setting is not known, or has a value of the wrong kind.</exception>
    public static void Add(IServiceCollection services, IConfiguration configuration)
    {
        var root = configuration.GetSection(ServerSettings.Root);
        foreach (var child in root.GetChildren())
        {
            if (!Sections.ContainsKey(child.Key) && !Values.Contains(child.Key, StringComparer.OrdinalIgnoreCase))
            {
                var known = Values.Concat(Sections.Keys).Order(StringComparer.Ordinal);
                throw new InvalidOperationException($"{child.Path} is not a setting of this server. Settings: {string.Join(", ", known)}.");
            }
        }
        foreach (var section in All)
            section.Bind(services, root);
    }

    private static void Bind<TOptions>(IServiceCollection services, IConfigurationSection root, string name) where TOptions : class, new()
    {
        var section = root.GetSection(name);
        var known = typeof(TOptions).GetProperties(System.Reflection.BindingFlags.Public | System.Reflection.BindingFlags.Instance).Select(property => property.Name).ToList();
        if (section.GetChildren().FirstOrDefault(child => !known.Contains(child.Key, StringComparer.OrdinalIgnoreCase)) is { } unknown)
            throw new InvalidOperationException($"{unknown.Path} is not a setting. {section.Path} has: {string.Join(", ", known)}.");
        // Once now, on an object that nobody uses, so that a wrong setting is found at the start, and by `dunlin check`.
        Bind(section, new TOptions());
        services.Configure<TOptions>(options => Bind(section, options));
    }

    private static void Bind(IConfigurationSection section, object options) =>
        section.Bind(options, static binder => binder.ErrorOnUnknownConfiguration = true);

    /// <summary>One section, with the class that it sets.</summary>
    private sealed record Section(string Name, Type Type, Action<IServiceCollection, IConfigurationSection> Bind)
    {
        public static Section Of<TOptions>(string name) where TOptions : class, new() =>
            new(name, typeof(TOptions), (services, root) => ServerOptions.Bind<TOptions>(services, root, name));
    }
}
