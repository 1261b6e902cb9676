using System.Globalization;
using System.Text;
using Dunlin.DurableStreams;
using Dunlin.Hosting;
using Dunlin.Postgres;
using Dunlin.Relational;
using Dunlin.Sqlite;
using Dunlin.Topics;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Server.Tests.Support;

/// <summary>A store with durable streams of every kind, without a server.</summary>
internal sealed class StreamedStore : IAsyncDisposable
{
    private static readonly TopicName Notes = TopicName.Parse("streams/notes");
    private static readonly TopicName Branch = TopicName.Parse("streams/branch");
    private static readonly TopicName Twig = TopicName.Parse("streams/twig");
    private static readonly TopicName Done = TopicName.Parse("streams/done");
    private static readonly TopicName Old = TopicName.Parse("streams/old");
    private static readonly TopicName Empty = TopicName.Parse("streams/empty");

    private readonly ServiceProvider _services;

    private StreamedStore(ServiceProvider services, RelationalStore store, DurableStreamReader reader) =>
        (_services, Store, Reader) = (services, store, reader);

    public RelationalStore Store { get; }

    private DurableStreamReader Reader { get; }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Opens an SQLite file, or a database of PostgreSQL if the place is a connection string.</summary>
    public static async Task<StreamedStore> OpenAsync(string place)
    {
        var services = new ServiceCollection();
        var dunlin = services.AddDunlin();
        var isFile = place.EndsWith(".db", StringComparison.Ordinal);
        _ = isFile ? dunlin.AddSqlite(place) : dunlin.AddPostgres(place);
        var provider = services.BuildServiceProvider();
        RelationalStore store = isFile ? provider.GetRequiredService<SqliteStore>() : provider.GetRequiredService<PostgresStore>();
        await store.OpenAsync(Cancel);
        return new StreamedStore(provider, store, provider.GetRequiredService<DurableStreamReader>());
    }

    /// <summary>Creates streams: with producers, closed, expiring, trimmed, empty, forked, and deleted under their forks.</summary>
    public async Task FillAsync()
    {
        await CreateAsync(Notes, new StreamSettings { ContentType = "text/plain", TimeToLive = TimeSpan.FromDays(30) });
        await AppendAsync(Notes, "one ", new StreamProducer("writer", 3, 0));
        var second = await AppendAsync(Notes, "two ", new StreamProducer("writer", 3, 1));
        await AppendAsync(Notes, new string('x', 150_000));
        await CreateAsync(Branch, new StreamSettings { ForkOf = new StreamForkPoint(Notes, second) });
        await AppendAsync(Branch, "branch");
        var inside = await Reader.ResolveAsync(new StreamForkPoint(Branch, 0) { SubOffset = 3 }, Cancel);
        await CreateAsync(Twig, new StreamSettings { ForkOf = inside });
        await AppendAsync(Twig, "twig");
        await Store.WriteAsync((unit, ct) => unit.Streams.DeleteAsync(Branch, ct), Cancel);
        var expiry = new DateTimeOffset(2100, 1, 1, 0, 0, 0, TimeSpan.Zero);
        await CreateAsync(Done, new StreamSettings { ContentType = "application/json", ExpiresAt = expiry });
        await AppendAsync(Done, "{\"a\":1}", new StreamProducer("closer", 1, 0), closes: true);
        await CreateAsync(Old, new StreamSettings { ContentType = "application/octet-stream" });
        var gone = await AppendAsync(Old, "gone");
        await AppendAsync(Old, "kept");
        await Store.WriteAsync((unit, ct) => unit.Streams.TrimAsync(Old, gone, ct), Cancel);
        await Store.TrimAsync(Cancel);
        await CreateAsync(Empty, new StreamSettings { ContentType = "text/plain" });
    }

    /// <summary>Returns the state and the data of all streams, with their offsets.</summary>
    public async Task<string> DescribeAsync()
    {
        var text = new StringBuilder();
        foreach (var topic in (TopicName[])[Notes, Branch, Twig, Done, Old, Empty])
        {
            var stream = await Reader.FindAsync(topic, Cancel);
            text.Append(
                CultureInfo.InvariantCulture,
                $"{topic}: {stream?.ContentType} tail {stream?.Tail} closed {stream?.IsClosed} deleted {stream?.IsDeleted} "
            );
            text.Append(CultureInfo.InvariantCulture, $"from {stream?.TrimmedThrough} ttl {stream?.TimeToLive} ");
            var page = stream is { IsDeleted: false } ? await Reader.ReadAsync(stream, -1, 1024 * 1024, Cancel) : null;
            foreach (var item in page?.Items ?? [])
                text.Append(CultureInfo.InvariantCulture, $"[{item.Offset} {Encoding.UTF8.GetString(item.Data.Span)}]");
            text.AppendLine();
        }
        return text.ToString();
    }

    /// <summary>Writes on, as clients do that do not know that the store has moved.</summary>
    public async Task ContinueAsync()
    {
        Assert.Equal(StreamOutcome.Duplicate, await TryAsync(Notes, "two ", new StreamProducer("writer", 3, 1)));
        Assert.Equal(StreamOutcome.SequenceGap, await TryAsync(Notes, "four", new StreamProducer("writer", 3, 3)));
        Assert.Equal(StreamOutcome.StaleEpoch, await TryAsync(Notes, "two ", new StreamProducer("writer", 2, 0)));
        Assert.Equal(StreamOutcome.Appended, await TryAsync(Notes, "three", new StreamProducer("writer", 3, 2)));
        Assert.Equal(StreamOutcome.Closed, await TryAsync(Done, "1", null, "application/json"));
        Assert.Equal(StreamOutcome.Duplicate, await TryAsync(Done, "{\"a\":1}", new StreamProducer("closer", 1, 0), "application/json"));
        Assert.Equal(StreamOutcome.Deleted, await TryAsync(Branch, "x", null));
        Assert.Equal(StreamOutcome.Appended, await TryAsync(Empty, "first", null));
        // Retention keeps the events of streams, and those that forks inherited.
        await Store.TrimAsync(Cancel);
        Assert.Contains("[", (await DescribeAsync()).Split('\n')[2], StringComparison.Ordinal);
        // The last fork takes its deleted source with it.
        await Store.WriteAsync((unit, ct) => unit.Streams.DeleteAsync(Twig, ct), Cancel);
        Assert.Null(await Reader.FindAsync(Branch, Cancel));
    }

    public async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        await _services.DisposeAsync();
    }

    private async Task CreateAsync(TopicName topic, StreamSettings settings)
    {
        var result = await Store.WriteAsync((unit, ct) => unit.Streams.CreateAsync(topic, settings, ct), Cancel);
        Assert.Equal(StreamOutcome.Created, result.Outcome);
    }

    private async Task<long> AppendAsync(TopicName topic, string text, StreamProducer? producer = null, bool closes = false)
    {
        var append = new StreamAppend
        {
            Messages = [Encoding.UTF8.GetBytes(text)],
            Producer = producer,
            Closes = closes,
        };
        var result = await Store.WriteAsync((unit, ct) => unit.Streams.AppendAsync(topic, append, ct), Cancel);
        return result.Stream!.Tail;
    }

    private async Task<StreamOutcome> TryAsync(TopicName topic, string text, StreamProducer? producer, string? type = null)
    {
        var append = new StreamAppend
        {
            Messages = [Encoding.UTF8.GetBytes(text)],
            Producer = producer,
            ContentType = type,
        };
        return (await Store.WriteAsync((unit, ct) => unit.Streams.TryAppendAsync(topic, append, ct), Cancel)).Outcome;
    }
}
