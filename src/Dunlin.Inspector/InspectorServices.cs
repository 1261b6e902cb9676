using System.Diagnostics.CodeAnalysis;
using Dunlin.Hosting;
using Dunlin.Inspector;
using Dunlin.Inspector.Cluster;
using Dunlin.Inspector.Connections;
using Dunlin.Inspector.Jobs;
using Dunlin.Inspector.Journal;
using Dunlin.Inspector.Leases;
using Dunlin.Inspector.Pages;
using Dunlin.Inspector.Refusals;
using Dunlin.Inspector.Sampling;
using Dunlin.Inspector.Topics;
using Dunlin.Jobs;
using Dunlin.Journal;
using Dunlin.Problems;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Extends <see cref="DunlinBuilder"/> with the inspector.</summary>
public static class InspectorServices
{
    /// <summary>Adds the inspector. Map it with <c>app.MapDunlinInspector()</c>. A node measures only while somebody looks. It always
    /// remembers its last refusals, closed connections and lease changes, up to <see cref="InspectorOptions.MaxEntries"/> each.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="configure">Sets options. The host does not start with invalid values.</param>
    /// <returns>The same builder.</returns>
    public static DunlinBuilder AddInspector(this DunlinBuilder builder, Action<InspectorOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var services = builder.Services;
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<InspectorOptions>, InspectorOptionsValidator>());
        var options = services.AddOptions<InspectorOptions>().ValidateOnStart();
        if (configure is not null)
            options.Configure(configure);
        if (services.Any(service => service.ServiceType == typeof(Sampler)))
            return builder;
        services.AddSingleton<NodeQueries>();
        services.AddSingleton<TopicRates>();
        services.AddSingleton<SampleEndpoint>();
        services.AddSingleton<JournalViews>();
        services.AddSingleton<LeaseViews>();
        services.AddSingleton(provider => new JobViews(
            provider.GetRequiredService<IStore>(),
            provider.GetRequiredService<ILogger<JobViews>>(),
            provider.GetService<JobTypes>()
        ));
        services.AddSingleton<PageFiles>();
        AddStarted<Sampler>(services);
        AddStarted<TopicViews>(services);
        AddStarted<RefusalLog>(services);
        AddStarted<LeaseHistory>(services);
        AddStarted<ConnectionViews>(services);
        services.AddSingleton<IRefusalObserver>(provider => provider.GetRequiredService<RefusalLog>());
        return builder;
    }

    private static void AddStarted<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] T>(
        IServiceCollection services
    )
        where T : class, IHostedService
    {
        services.AddSingleton<T>();
        services.AddHostedService(provider => provider.GetRequiredService<T>());
    }
}
