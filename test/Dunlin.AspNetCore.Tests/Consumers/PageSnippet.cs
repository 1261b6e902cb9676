using Dunlin.Consumers;
using Dunlin.Hosting;
using Dunlin.Journal;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Dunlin.AspNetCore.Tests.Consumers;

/// <summary>The code of docs/concepts/event-consumers.md.</summary>
internal static class PageSnippet
{
    public static DunlinBuilder Add(DunlinBuilder dunlin)
    {
        // <consumer-registration>
        dunlin.AddEventConsumer<SearchIndexer>(
            "search",
            options =>
            {
                options.Patterns.Add("orders/**");
                options.Start = ConsumerStart.Oldest;
            }
        );
        // </consumer-registration>
        return dunlin;
    }

    public static async Task SaveAsync(IStore store, EventBatch batch, EventDraft total, CancellationToken cancellationToken)
    {
        // <consumer-checkpoint>
        await store.WriteAsync(
            async (unit, ct) =>
            {
                await unit.AppendAsync(total, ct);
                await batch.CheckpointAsync(unit, batch.Through, ct);
            },
            cancellationToken
        );
        // </consumer-checkpoint>
    }

    public static async Task SkipAsync(EventConsumers consumers, DunlinEvent failed, CancellationToken cancellationToken)
    {
        // <consumer-seek>
        await consumers.SeekAsync("search", failed.Position, cancellationToken); // EventConsumers, from the container
        // </consumer-seek>
    }
}

// <consumer>
public sealed class SearchIndexer(SearchIndex index, ILogger<SearchIndexer> logger) : IEventConsumer
{
    public async ValueTask ConsumeAsync(EventBatch batch, CancellationToken cancellationToken)
    {
        await index.UpdateAsync(batch.Events, cancellationToken);
        logger.LogDebug("Indexed {Count} events through {Position}.", batch.Events.Count, batch.Through);
    }

    public ValueTask OnGapAsync(EventGap gap, CancellationToken cancellationToken) => index.RebuildAsync(cancellationToken);
}

// </consumer>

/// <summary>Stands for the search index of the page. Fails while <see cref="Fault"/> is set.</summary>
public sealed class SearchIndex
{
    public System.Collections.Concurrent.ConcurrentQueue<string> Topics { get; } = [];

    public string? Fault { get; set; }

    public ValueTask UpdateAsync(IReadOnlyList<DunlinEvent> events, CancellationToken cancellationToken)
    {
        if (Fault is not null)
            throw new InvalidOperationException(Fault);
        foreach (var entry in events)
            Topics.Enqueue(entry.Topic.Value);
        return default;
    }

    public ValueTask RebuildAsync(CancellationToken cancellationToken) => default;
}
