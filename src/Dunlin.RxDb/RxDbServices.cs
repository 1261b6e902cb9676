using Dunlin.Hosting;
using Dunlin.Journal;
using Dunlin.RxDb;
using Dunlin.RxDb.Hints;
using Dunlin.RxDb.Pull;
using Dunlin.RxDb.Push;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds RxDB replication to Dunlin.</summary>
public static class RxDbServices
{
    /// <summary>Adds pull, push and hints; add collections to the result, and map them with <c>app.MapRxDb("/api/sync")</c>.
    /// May be called by several parts of one application: their collections come together.</summary>
    public static RxDbBuilder AddRxDb(this DunlinBuilder builder, Action<RxDbOptions>? configure = null)
    {
        var services = builder.Services;
        var options = services.AddOptions<RxDbOptions>().ValidateDataAnnotations().ValidateOnStart();
        if (configure is not null)
            options.Configure(configure);
        if (services.Any(service => service.ServiceType == typeof(PushService)))
            return new RxDbBuilder(builder);
        builder.AddAccessPolicy<HintAccess>(HintTopics.Root);
        // A hint says "pull": whoever connects pulls anyway.
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
