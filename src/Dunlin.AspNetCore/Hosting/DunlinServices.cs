using Dunlin.Access;
using Dunlin.Hosting;
using Dunlin.Leases;
using Dunlin.Limits;
using Dunlin.Presence;
using Dunlin.Problems;
using Dunlin.Publishing;
using Dunlin.Streams;
using Dunlin.Streams.Combined;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds Dunlin to an ASP.NET Core application.</summary>
public static class DunlinServices
{
    /// <summary>Adds the engine and its HTTP endpoints, and sets the options that apply to the whole node.</summary>
    /// <param name="services">The services of the application.</param>
    /// <param name="configure">Sets options. Wrong values stop the start of the host.</param>
    public static DunlinBuilder AddDunlin(this IServiceCollection services, Action<DunlinOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        services.AddOptions<DunlinOptions>().Configure(configure);
        return services.AddDunlin();
    }

    /// <summary>Adds the engine and its HTTP endpoints. Add a back end to the result, and map them with <c>app.MapDunlin()</c>.</summary>
    public static DunlinBuilder AddDunlin(this IServiceCollection services)
    {
        services.AddOptions<DunlinOptions>().ValidateDataAnnotations().ValidateOnStart();
        if (!services.Any(service => service.ServiceType == typeof(DunlinOptionsMap)))
        {
            services.AddSingleton<DunlinOptionsMap>();
            DunlinOptionsMap.Apply(services);
        }
        services.AddOptions<EventStreamOptions>().ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<PublishOptions>().ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<ProblemOptions>().ValidateDataAnnotations().ValidateOnStart();
        services.TryAddSingleton<StreamLimits>();
        services.TryAddSingleton(provider => new EventStreams(
            provider.GetRequiredService<Dunlin.Fanout.EventFanout>(),
            provider.GetRequiredService<Dunlin.Topics.AccessPolicies>(),
            provider.GetRequiredService<StreamLimits>(),
            provider.GetRequiredService<IOptions<EventStreamOptions>>(),
            provider.GetService<Revocations>()
        ));
        services.TryAddSingleton<UserRates>();
        services.TryAddSingleton<InnerRequests>();
        services.TryAddEnumerable(
            ServiceDescriptor.Singleton<IStartupFilter, InnerRequests>(provider => provider.GetRequiredService<InnerRequests>())
        );
        services.TryAddSingleton<CombinedStreams>();
        services.TryAddSingleton<PublishRate>();
        services.TryAddSingleton<PublishEndpoint>();
        services.TryAddSingleton<JournalEndpoint>();
        services.TryAddSingleton<LeaseEndpoints>();
        services.TryAddSingleton<PresenceEndpoint>();
        services.AddHostedSingleton<StatsEndpoint>();
        services.TryAddSingleton<UserEndpoints>();
        return services.AddDunlinCore();
    }
}
