using Dunlin.Hosting;
using Dunlin.Journal;
using Dunlin.Replicache;
using Dunlin.Replicache.Pokes;
using Dunlin.Replicache.Pull;
using Dunlin.Replicache.Push;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Extends <see cref="DunlinBuilder"/> with Replicache.</summary>
public static class ReplicacheServices
{
    /// <summary>Adds push, pull and pokes. Add mutators to the returned builder, and map the endpoints with
    /// <c>app.MapReplicache("/api/replicache")</c>.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="configure">Sets options.</param>
    /// <returns>A builder that adds mutators.</returns>
    /// <remarks>Several parts of an application may call this; their mutators are combined.</remarks>
    public static ReplicacheBuilder AddReplicache(this DunlinBuilder builder, Action<ReplicacheOptions>? configure = null)
    {
        var services = builder.Services;
        var options = services.AddValidatedOptions<ReplicacheOptions, ReplicacheOptionsValidator>();
        if (configure is not null)
            options.Configure(configure);
        if (services.Any(service => service.ServiceType == typeof(PushService)))
            return new ReplicacheBuilder(builder);
        builder.AddAccessPolicy<PokeAccess>(PokeTopics.Root);
        // A poke only says "pull", so the last one suffices, and a client that connects pulls anyway.
        services.Configure<RetentionOptions>(retention =>
            retention.Prefixes.TryAdd(PokeTopics.Root, new RetentionRule { MaxAge = TimeSpan.FromHours(1), MaxCount = 100 })
        );
        services.TryAddSingleton<MutatorSet>();
        services.TryAddSingleton<ReplicacheInstruments>();
        services.TryAddSingleton<PushService>();
        services.TryAddSingleton<PullService>();
        services.AddHostedSingleton<IdleGroupRemoval>();
        services.TryAddSingleton<PokeFeed>();
        services.AddStreamCounts(PokeTopics.CountName, static connection => connection.Topics.Any(PokeTopics.IsPoke));
        services.TryAddSingleton<PokeEndpoints>();
        return new ReplicacheBuilder(builder);
    }
}
