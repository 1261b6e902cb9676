using Dunlin.Backplane;
using Dunlin.Hosting;
using Dunlin.Redis;
using Dunlin.Redis.Backplane;
using Dunlin.Redis.Leases;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Extends <see cref="DunlinBuilder"/> with Redis.</summary>
public static class RedisBuilderExtensions
{
    /// <summary>Adds a backplane through Redis.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="configuration">The StackExchange.Redis configuration, for example <c>host:port</c>.</param>
    /// <returns>The same builder.</returns>
    /// <example>
    /// <code>
    /// builder.Services.AddDunlin().AddPostgres(connectionString).AddRedisBackplane("redis:6379");
    /// </code>
    /// </example>
    public static DunlinBuilder AddRedisBackplane(this DunlinBuilder builder, string configuration) =>
        builder.AddRedisBackplane(options => options.Configuration = configuration);

    /// <summary>Adds a backplane through Redis for the nodes of one store. Nodes receive the events of other nodes without reading the
    /// store, and receive transient events and presence sooner.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="configure">Sets options. The host does not start with invalid values.</param>
    /// <returns>The same builder.</returns>
    /// <remarks>The store stays the source of truth. If Redis is unreachable, flushed or failed over, durable events arrive later, and
    /// transient events in transit are lost. Meanwhile transient events go through the store.</remarks>
    public static DunlinBuilder AddRedisBackplane(this DunlinBuilder builder, Action<RedisOptions> configure)
    {
        var services = builder.Services;
        services.AddValidatedOptions<RedisOptions, RedisOptionsValidator>().Configure(configure);
        services.TryAddSingleton<RedisBackplane>();
        services.Replace(ServiceDescriptor.Singleton<IBackplane>(provider => provider.GetRequiredService<RedisBackplane>()));
        services.AddHostedSingleton<RedisConnector>();
        return builder;
    }

    /// <summary>Adds leases in Redis for work that should not be done twice. <see cref="ISoftLeases"/> states their weaker guarantees. The
    /// store provides the epoch of their fencing tokens.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="configuration">The StackExchange.Redis configuration, for example <c>host:port</c>.</param>
    /// <returns>The same builder.</returns>
    public static DunlinBuilder AddRedisSoftLeases(this DunlinBuilder builder, string configuration) =>
        builder.AddRedisSoftLeases(options => options.Configuration = configuration);

    /// <summary>Adds leases in Redis for work that should not be done twice. <see cref="ISoftLeases"/> states their weaker guarantees. The
    /// store provides the epoch of their fencing tokens.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="configure">Sets options. The host does not start with invalid values.</param>
    /// <returns>The same builder.</returns>
    public static DunlinBuilder AddRedisSoftLeases(this DunlinBuilder builder, Action<SoftLeaseOptions> configure)
    {
        builder.Services.AddValidatedOptions<SoftLeaseOptions, SoftLeaseOptionsValidator>().Configure(configure);
        builder.Services.TryAddSingleton<ISoftLeases, RedisSoftLeases>();
        return builder;
    }
}
