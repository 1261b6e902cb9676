using Dunlin.Hosting;
using Dunlin.Journal;
using Dunlin.Replicache.Pokes;
using Dunlin.Replicache.Pull;
using Dunlin.Replicache.Push;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Dunlin.Replicache;

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
        services.TryAddSingleton<PokeEndpoints>();
        return new ReplicacheBuilder(builder);
    }
}

/// <summary>What <c>AddReplicache()</c> returns.</summary>
public sealed class ReplicacheBuilder(DunlinBuilder dunlin)
{
    /// <summary>The builder of the engine.</summary>
    public DunlinBuilder Dunlin { get; } = dunlin;

    /// <summary>Adds what the server does for one mutation of the client. It runs inside a unit of work that it must not leave:
    /// everything through <see cref="Mutation.Records"/> and <see cref="Mutation.Unit"/>. It may run more than once before it is
    /// committed, but commits at most once. If it throws, its changes are rolled back and the mutation is done with: the
    /// client's own guess at the result goes away with the next pull.</summary>
    /// <typeparam name="TArgs">The arguments: JSON in web style, strict, with data annotations checked. A mutation whose
    /// arguments do not fit fails.</typeparam>
    /// <param name="name">The name of the mutator in the client.</param>
    /// <param name="run">Does it.</param>
    public ReplicacheBuilder AddMutator<TArgs>(string name, Func<Mutation, TArgs, CancellationToken, ValueTask> run)
        where TArgs : notnull
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        Dunlin.Services.AddSingleton(new Mutator(name, (mutation, args, ct) => run(mutation, ArgsReader.Read<TArgs>(args), ct)));
        return this;
    }
}
