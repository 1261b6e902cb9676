using System.Globalization;
using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Topics;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Bench.Growth;

/// <summary>Measures publish and delivery with a growing number of topics. Each topic has one reader, and a reader has up to 100
/// topics.</summary>
internal sealed class TopicGrowth(GrowthDatabase database, Report report)
{
    private const int TopicsOfReader = 100;
    private const int Batch = 100;

    private readonly Meter _meter = new(database);
    private readonly Random _random = new(1);
    private long _stored;

    public async Task RunAsync(long[] sizes)
    {
        var node = await database.StartAsync();
        foreach (var size in sizes)
        {
            await GrowthDatabase.StopAsync(node);
            await FillAsync(size);
            node = await database.StartAsync();
            await MeasureAsync(node, (int)size);
        }
        await GrowthDatabase.StopAsync(node);
    }

    /// <summary>Adds topics as the first event of each leaves them.</summary>
    private async Task FillAsync(long topics)
    {
        await using var connection = await database.ConnectAsync();
        await database.FillAsync(
            connection,
            "INSERT INTO dunlin_topic (name) SELECT 'topics/' || (n / 100) || '/' || n",
            _stored,
            topics - 1
        );
        _stored = topics;
        await database.MaintainAsync(connection);
    }

    private async Task MeasureAsync(WebApplication node, int size)
    {
        var (journal, fanout) = (node.Services.GetRequiredService<IJournal>(), node.Services.GetRequiredService<EventFanout>());
        var deliveries = new Deliveries();
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var first = 0; first < size; first += TopicsOfReader)
            await JoinAsync(fanout, deliveries, Enumerable.Range(first, Math.Min(TopicsOfReader, size - first)));
        await fanout.SettledAsync();
        var memory = (double)(GC.GetTotalMemory(forceFullCollection: true) - before) / size;
        report.Add("memory of a subscribed topic, with its name", size, new Cost(memory, memory, 0, 0, "bytes"));
        report.Add(
            "publish to delivery, one event",
            size,
            await _meter.RepeatAsync(300, _ => deliveries.ExpectAsync(1, () => journal.AppendAsync(Draft(size)).AsTask()))
        );
        report.Add(
            "publish and delivery in arrays of 100",
            size,
            await _meter.RoundsAsync(
                40,
                10 * Batch,
                () =>
                    deliveries.ExpectAsync(
                        10 * Batch,
                        async () =>
                        {
                            for (var i = 0; i < 10; i++)
                                await journal.AppendAsync([.. Enumerable.Range(0, Batch).Select(_ => Draft(size))], null, default);
                        }
                    )
            )
        );
        report.Add("trim without expired events", size, await _meter.RepeatAsync(3, async _ => await journal.TrimAsync(default)));
        report.Add(
            "topics of which a pattern selects 100, resume of 1",
            size,
            await _meter.RepeatAsync(
                40,
                async _ =>
                    await journal.ReadAsync(
                        new JournalQuery(journal.Head.Offset - 1, []) { Patterns = [TopicPattern.Parse("topics/0/*")] },
                        default
                    )
            )
        );
    }

    private static async Task JoinAsync(EventFanout fanout, Deliveries deliveries, IEnumerable<int> topics)
    {
        var request = new ConnectionRequest(new Caller("u", "U"), [.. topics.Select(Topic)], new CountingSink(deliveries));
        await fanout.StartAsync(fanout.Open(request), default, fanout.DeliveredHead);
    }

    private EventDraft Draft(int topics) => new(Topic(_random.Next(topics)), "bench.event", JournalGrowth.Data(100));

    private static TopicName Topic(int number) =>
        TopicName.Parse(string.Create(CultureInfo.InvariantCulture, $"topics/{number / 100}/{number}"));
}

/// <summary>Counts frames that readers received. Thread-safe.</summary>
internal sealed class Deliveries
{
    private TaskCompletionSource? _done;
    private int _missing;

    /// <summary>Completes when <paramref name="publish"/> has completed and this many frames have arrived.</summary>
    public async Task ExpectAsync(int frames, Func<Task> publish)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _done = done;
        Volatile.Write(ref _missing, frames);
        await publish();
        await done.Task;
    }

    public void Add()
    {
        if (Interlocked.Decrement(ref _missing) == 0)
            _done!.TrySetResult();
    }
}

/// <summary>A peer that accepts everything at once.</summary>
internal sealed class CountingSink(Deliveries deliveries) : IFrameSink
{
    public void Write(ReadOnlyMemory<byte> bytes)
    {
        if (!bytes.IsEmpty)
            deliveries.Add();
    }

    public ValueTask<bool> FlushAsync() => new(true);

    public void Abort() { }
}
