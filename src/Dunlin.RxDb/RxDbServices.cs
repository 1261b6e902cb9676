using Dunlin.Hosting;
using Dunlin.Journal;
using Dunlin.RxDb;
using Dunlin.RxDb.Hints;
using Dunlin.RxDb.Pull;
using Dunlin.RxDb.Push;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Extends <see cref="DunlinBuilder"/> with RxDB replication.</summary>
public static class RxDbServices
{
    /// <summary>Adds pull, push and hints. Add collections to the returned builder, and map the endpoints with
    /// <c>app.MapRxDb("/api/sync")</c>.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="configure">Sets options.</param>
    /// <returns>A builder that adds collections.</returns>
    /// <remarks>Several parts of an application may call this; their collections are combined.</remarks>
    public static RxDbBuilder AddRxDb(this DunlinBuilder builder, Action<RxDbOptions>? configure = null)
    {
        var services = builder.Services;
        var options = services.AddValidatedOptions<RxDbOptions, RxDbOptionsValidator>();
        if (configure is not null)
            options.Configure(configure);
        if (services.Any(service => service.ServiceType == typeof(PushService)))
            return new RxDbBuilder(builder);
        builder.AddAccessPolicy<HintAccess>(HintTopics.Root);
        // A hint only says "pull", and a client that connects pulls anyway.
        services.Configure<RetentionOptions>(retention =>
            retention.Prefixes.TryAdd(HintTopics.Root, new RetentionRule { MaxAge = TimeSpan.FromHours(1), MaxCount = 100 })
        );
        services.AddHostedSingleton<RxCollectionSet>();
        services.TryAddSingleton<RxDbInstruments>();
        services.TryAddSingleton(provider => new RxDocuments(
            provider.GetRequiredService<RxCollectionSet>(),
            provider.GetRequiredService<IOptions<RxDbOptions>>()
        ));
        services.TryAddSingleton<PushService>();
        services.TryAddSingleton<PullService>();
        services.AddStreamCounts(HintTopics.CountName, static connection => connection.Topics.Any(HintTopics.IsHint));
        services.TryAddSingleton<HintFeed>();
        return new RxDbBuilder(builder);
    }
}
