using System.Diagnostics.CodeAnalysis;
using Dunlin.Cluster;
using Dunlin.Fanout;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace Dunlin.Hosting;

/// <summary>Registers singletons that are also hosted services.</summary>
internal static class HostedSingletons
{
    /// <summary>
    /// Registers a singleton that is also a hosted service. Idempotent. Keeps an existing registration of <typeparamref name="T"/>.
    /// </summary>
    public static IServiceCollection AddHostedSingleton<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] T>(
        this IServiceCollection services,
        Func<IServiceProvider, T>? create = null
    )
        where T : class, IHostedService
    {
        if (create is null)
            services.TryAddSingleton<T>();
        else
            services.TryAddSingleton(create);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, T>(static provider => provider.GetRequiredService<T>()));
        return services;
    }

    /// <summary>Registers the counts of one kind of stream, keyed by its name. They start with the host. Call it once for each
    /// kind.</summary>
    public static IServiceCollection AddStreamCounts(
        this IServiceCollection services,
        string name,
        Func<EventStreamConnection, bool> isCounted
    )
    {
        services.AddKeyedSingleton(
            name,
            (provider, _) =>
                new StreamCounts(name, isCounted, provider.GetRequiredService<EventFanout>(), provider.GetRequiredService<ClusterQuery>())
        );
        return services.AddSingleton<IHostedService>(provider => provider.GetRequiredKeyedService<StreamCounts>(name));
    }
}
