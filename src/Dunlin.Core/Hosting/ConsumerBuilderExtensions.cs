using System.Diagnostics.CodeAnalysis;
using Dunlin.Cluster;
using Dunlin.Consumers;
using Dunlin.Hosting;
using Dunlin.Journal;
using Dunlin.Scheduling;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds event consumers.</summary>
public static class ConsumerBuilderExtensions
{
    /// <summary>Adds a consumer, which processes the stored events of some topics in order, with a durable cursor. All nodes that add the
    /// same
    /// group share the cursor, and one of them processes its events at a time.</summary>
    /// <typeparam name="TConsumer">The consumer. Each batch gets its own instance in its own service scope, so it may use scoped services
    /// such
    /// as a <c>DbContext</c>. A consumer without constructor parameters, or registered as a singleton, has one instance.</typeparam>
    /// <param name="builder">The builder.</param>
    /// <param name="group">The name of the group: 1 to 100 letters, digits and the characters <c>. - _ /</c>. It identifies the
    /// cursor.</param>
    /// <param name="configure">Sets the options of this group: at least <see cref="EventConsumerOptions.Patterns"/>.</param>
    /// <returns>The builder.</returns>
    /// <exception cref="ArgumentException">The name is not valid.</exception>
    public static DunlinBuilder AddEventConsumer<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TConsumer>(
        this DunlinBuilder builder,
        string group,
        Action<EventConsumerOptions> configure
    )
        where TConsumer : class, IEventConsumer
    {
        ArgumentNullException.ThrowIfNull(configure);
        ConsumerGroup.CheckName(group);
        var services = builder.Services;
        services.AddValidatedOptions<EventConsumerOptions, EventConsumerOptionsValidator>(group).Configure(configure);
        ServiceScopes.AddDefault<TConsumer>(services);
        services.AddSingleton(provider => new ConsumerRegistration(
            new ConsumerGroup(group, provider.GetRequiredService<IOptionsMonitor<EventConsumerOptions>>().Get(group)),
            ServiceScopes.IsSingleton<TConsumer>(services)
                ? provider.GetRequiredService<TConsumer>()
                : new ScopedEventConsumer<TConsumer>(provider.GetRequiredService<IServiceScopeFactory>())
        ));
        return builder.AddEventConsumers();
    }

    /// <summary>Adds the worker and the access to all groups, without a consumer.</summary>
    internal static DunlinBuilder AddEventConsumers(this DunlinBuilder builder)
    {
        var services = builder.Services;
        services.TryAddSingleton<ConsumerInstruments>();
        services.AddHostedSingleton(provider => new EventConsumerWorker(
            new ConsumerNode(
                provider.GetRequiredService<IStore>(),
                provider.GetRequiredService<IJournal>(),
                provider.GetRequiredService<StoreClock>(),
                provider.GetRequiredService<ConsumerInstruments>(),
                provider.GetRequiredService<ILogger<EventConsumerWorker>>()
            )
            {
                IsAlone = provider.GetService<SharedStore>() is null,
                Loops = provider.GetRequiredService<BackgroundLoops>(),
            },
            provider.GetRequiredService<CommitFeed>(),
            provider.GetServices<ConsumerRegistration>()
        ));
        services.TryAddSingleton(provider => new EventConsumers(
            provider.GetRequiredService<IStore>(),
            provider.GetRequiredService<IJournal>(),
            provider.GetService<EventConsumerWorker>()
        ));
        return builder;
    }
}
