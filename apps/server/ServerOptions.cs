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

    public static IReadOnlyDictionary<string, Type> Sections { get; } = new Dictionary<string, Type>(StringComparer.OrdinalIgnoreCase)
    {
        ["Tokens"] = typeof(AccessTokenOptions),
        ["Revocations"] = typeof(RevocationOptions),
        ["Origins"] = typeof(OriginOptions),
        ["Streams"] = typeof(StreamOptions),
        ["Publish"] = typeof(PublishOptions),
        ["Leases"] = typeof(LeaseOptions),
        ["Presence"] = typeof(PresenceOptions),
        ["Retention"] = typeof(RetentionOptions),
        ["Fanout"] = typeof(FanoutOptions),
        ["Hosting"] = typeof(HostingOptions),
        ["Sqlite"] = typeof(SqliteOptions),
        ["Postgres"] = typeof(PostgresOptions),
        ["RedisBackplane"] = typeof(RedisOptions),
    };

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
        Bind<AccessTokenOptions>(services, root, "Tokens");
        Bind<RevocationOptions>(services, root, "Revocations");
        Bind<OriginOptions>(services, root, "Origins");
        Bind<StreamOptions>(services, root, "Streams");
        Bind<PublishOptions>(services, root, "Publish");
        Bind<LeaseOptions>(services, root, "Leases");
        Bind<PresenceOptions>(services, root, "Presence");
        Bind<RetentionOptions>(services, root, "Retention");
        Bind<FanoutOptions>(services, root, "Fanout");
        Bind<HostingOptions>(services, root, "Hosting");
        Bind<SqliteOptions>(services, root, "Sqlite");
        Bind<PostgresOptions>(services, root, "Postgres");
        Bind<RedisOptions>(services, root, "RedisBackplane");
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
}
