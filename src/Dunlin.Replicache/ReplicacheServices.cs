using Dunlin.Hosting;
using Dunlin.Journal;
using Dunlin.Replicache;
using Dunlin.Replicache.Pokes;
using Dunlin.Replicache.Pull;
using Dunlin.Replicache.Push;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds Replicache to Dunlin.</summary>
public static class ReplicacheServices
{
    /// <summary>Adds push, pull and pokes; add mutators to the result, and map them with <c>app.MapReplicache("/api/replicache")</c>.
    /// May be called by several parts of one application: their mutators come together.</summary>
    public static ReplicacheBuilder AddReplicache(this DunlinBuilder builder, Action<ReplicacheOptions>? configure = null)
    {
        var services = builder.Services;
        var options = services.AddOptions<ReplicacheOptions>().ValidateDataAnnotations().ValidateOnStart();
        if (configure is not null)
            options.Configure(configure);
        if (services.Any(service => service.ServiceType == typeof(PushService)))
            return new ReplicacheBuilder(builder);
        builder.AddAccessPolicy<PokeAccess>(PokeTopics.Root);
        // A poke says "pull": the last one is as good as all of them, and whoever connects pulls anyway.
        services.Configure<RetentionOptions>(retention =>
            retention.Prefixes.TryAdd(PokeTopics.Root, new RetentionRule { MaxAge = TimeSpan.FromHours(1), MaxCount = 100 })
        );
        services.TryAddSingleton<MutatorSet>();
        services.TryAddSingleton<ReplicacheInstruments>();
        services.TryAddSingleton<PushService>();
        services.TryAddSingleton<PullService>();
        services.TryAddSingleton<PokeFeed>();
        services.AddStreamCounts(PokeTopics.CountName, static connection => connection.Topics.Any(PokeTopics.IsPoke));
        services.TryAddSingleton<PokeEndpoints>();
        return new ReplicacheBuilder(builder);
    }
}
