using Dunlin.Cluster;
using Dunlin.Fanout;
using Dunlin.Hosting;
using Dunlin.Jobs;
using Dunlin.Journal;
using Dunlin.Scheduling;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds handlers of jobs.</summary>
public static class JobBuilderExtensions
{
    /// <summary>Lets <typeparamref name="THandler"/> do the jobs of a type on this node. A node without a handler for a type can
    /// still enqueue such jobs.</summary>
    /// <typeparam name="THandler">Made in a scope for each attempt, so it may take scoped services such as a <c>DbContext</c>. One whose
    /// constructor takes nothing, and one that is registered as a singleton, is one object.</typeparam>
    /// <typeparam name="T">What a job carries.</typeparam>
    /// <param name="builder">The builder.</param>
    /// <param name="type">The name of the type: 1 to 60 letters, digits and <c>.-_</c>.</param>
    /// <param name="configure">Changes the options of this type.</param>
    public static DunlinBuilder AddJobHandler<THandler, T>(this DunlinBuilder builder, string type, Action<JobOptions>? configure = null)
        where THandler : class, IJobHandler<T>
    {
        var services = builder.Services;
        var options = services.AddOptions<JobOptions>(type).ValidateDataAnnotations().ValidateOnStart();
        if (configure is not null)
            options.Configure(configure);
        services.TryAddSingleton<JobInstruments>();
        ServiceScopes.AddDefault<THandler>(services);
        services.AddSingleton(provider =>
            JobType.Of(
                type,
                ServiceScopes.IsSingleton<THandler>(services)
                    ? provider.GetRequiredService<THandler>()
                    : new ScopedJobHandler<THandler, T>(provider.GetRequiredService<IServiceScopeFactory>()) as IJobHandler<T>,
                provider.GetRequiredService<IOptionsMonitor<JobOptions>>().Get(type)
            )
        );
        services.AddHostedSingleton(provider => new JobWorker(
            provider.GetRequiredService<IStore>(),
            provider.GetRequiredService<IJournal>(),
            provider.GetRequiredService<CommitFeed>(),
            provider.GetRequiredService<StoreClock>(),
            provider.GetServices<JobType>(),
            provider.GetRequiredService<JobInstruments>(),
            provider.GetRequiredService<ILogger<JobWorker>>(),
            provider.GetRequiredService<EventFanout>(),
            isAlone: provider.GetService<SharedStore>() is null
        )
        {
            Loops = provider.GetRequiredService<BackgroundLoops>(),
        });
        // Each step of a job is an event that only nodes read, and only to find the job itself.
        services.Configure<RetentionOptions>(retention =>
            retention.Prefixes.TryAdd("records/" + JobSpaces.Root, new RetentionRule { MaxAge = TimeSpan.FromHours(1) })
        );
        return builder;
    }
}
