using System.Diagnostics.CodeAnalysis;
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

/// <summary>Adds job handlers.</summary>
public static class JobBuilderExtensions
{
    /// <summary>
    /// Adds a handler, which runs the jobs of a type on this node. A node without a handler can still enqueue jobs of the type.
    /// </summary>
    /// <typeparam name="THandler">The handler. Each attempt gets its own instance in its own service scope, so it may use scoped services
    /// such as a <c>DbContext</c>. A handler without constructor parameters, or registered as a singleton, has one instance.</typeparam>
    /// <typeparam name="T">The type of the value of the jobs.</typeparam>
    /// <param name="builder">The builder.</param>
    /// <param name="type">The job type: 1 to 60 letters, digits and <c>.-_</c>.</param>
    /// <param name="configure">Changes the options of this type.</param>
    /// <returns>The builder.</returns>
    public static DunlinBuilder AddJobHandler<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] THandler, T>(
        this DunlinBuilder builder,
        string type,
        Action<JobOptions>? configure = null
    )
        where THandler : class, IJobHandler<T>
    {
        var services = builder.Services;
        var options = services.AddValidatedOptions<JobOptions, JobOptionsValidator>(type);
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
        // Each step of a job appends an event that only nodes read, to find the job. Keep these events for a short time.
        services.Configure<RetentionOptions>(retention =>
            retention.Prefixes.TryAdd("records/" + JobSpaces.Root, new RetentionRule { MaxAge = TimeSpan.FromHours(1) })
        );
        return builder;
    }
}
