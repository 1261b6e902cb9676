using Dunlin.Backplane;
using Dunlin.Hosting;
using Dunlin.Redis;
using Dunlin.Redis.Backplane;
using Dunlin.Redis.Leases;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Redis between the nodes.</summary>
public static class RedisBuilderExtensions
{
    /// <summary>Connects the nodes through this Redis, <c>host:port</c>.</summary>
    public static DunlinBuilder AddRedisBackplane(this DunlinBuilder builder, string configuration) =>
        builder.AddRedisBackplane(options => options.Configuration = configuration);

    /// <summary>Connects the nodes of one store through Redis: what one commits reaches the others without their reading the
    /// store, and transient events and presence reach them sooner. The store stays the truth; a Redis that is away, flushed or failed
    /// over costs latency, and transient events that were under way, and nothing else: meanwhile they go through the store.</summary>
    public static DunlinBuilder AddRedisBackplane(this DunlinBuilder builder, Action<RedisOptions> configure)
    {
        var services = builder.Services;
        services.AddOptions<RedisOptions>().Configure(configure).ValidateDataAnnotations().ValidateOnStart();
        services.TryAddSingleton<RedisBackplane>();
        services.Replace(ServiceDescriptor.Singleton<IBackplane>(provider => provider.GetRequiredService<RedisBackplane>()));
        services.AddHostedSingleton<RedisConnector>();
        return builder;
    }

    /// <summary>Leases in this Redis, <c>host:port</c>, for work that should not be done twice: see <see cref="ISoftLeases"/> for what they
    /// do not promise. The store gives their tokens an epoch.</summary>
    public static DunlinBuilder AddRedisSoftLeases(this DunlinBuilder builder, string configuration) =>
        builder.AddRedisSoftLeases(options => options.Configuration = configuration);

    /// <inheritdoc cref="AddRedisSoftLeases(DunlinBuilder, string)"/>
    public static DunlinBuilder AddRedisSoftLeases(this DunlinBuilder builder, Action<SoftLeaseOptions> configure)
    {
        builder.Services.AddOptions<SoftLeaseOptions>().Configure(configure).ValidateDataAnnotations().ValidateOnStart();
        builder.Services.TryAddSingleton<ISoftLeases, RedisSoftLeases>();
        return builder;
    }
}
