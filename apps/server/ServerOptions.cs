using Dunlin.Apps.Common;
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

/// <summary>Sections of the configuration that are options of the engine, by name; <c>docs/reference/configuration.md</c> has them all.</summary>
internal static class ServerOptions
{
    private static readonly SettingSections All = new SettingSections("this server", "Address", "Port", "Data", "Store", "Redis", "TrustedProxies")
        .With<AccessTokenOptions>("Tokens")
        .With<RevocationOptions>("Revocations")
        .With<OriginOptions>("Origins")
        .With<StreamOptions>("Streams")
        .With<PublishOptions>("Publish")
        .With<LeaseOptions>("Leases")
        .With<PresenceOptions>("Presence")
        .With<RetentionOptions>("Retention")
        .With<FanoutOptions>("Fanout")
        .With<HostingOptions>("Hosting")
        .With<SqliteOptions>("Sqlite")
        .With<PostgresOptions>("Postgres")
        .With<RedisOptions>("RedisBackplane");

    public static IReadOnlyDictionary<string, Type> Sections => All.Types;

    /// <exception cref="InvalidOperationException">A setting is not known, or has a value of the wrong kind.</exception>
    public static void Add(IServiceCollection services, IConfiguration configuration) => All.Bind(services, configuration);
}
