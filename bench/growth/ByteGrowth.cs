using System.Globalization;
using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Topics;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Bench.Growth;

/// <summary>Measures events of growing size: append, and resume of 200 of them.</summary>
internal sealed class ByteGrowth(GrowthDatabase database, Report report)
{
    private const int Events = 200;

    private readonly Meter _meter = new(database);

    public async Task RunAsync(long[] sizes)
    {
        var node = await database.StartAsync();
        var journal = node.Services.GetRequiredService<IJournal>();
        foreach (var size in sizes)
        {
            var topic = TopicName.Parse(string.Create(CultureInfo.InvariantCulture, $"bytes/{size}"));
            var draft = new EventDraft(topic, "bench.event", JournalGrowth.Data((int)size));
            report.Add("append, 1 writer", size, await _meter.RepeatAsync(200, _ => journal.AppendAsync(draft).AsTask()));
            report.Add(
                "append, 64 writers",
                size,
                await _meter.RoundsAsync(
                    7,
                    64 * 8,
                    () =>
                        Task.WhenAll(
                            Enumerable
                                .Range(0, 64)
                                .Select(_ =>
                                    Task.Run(async () =>
                                    {
                                        for (var i = 0; i < 8; i++)
                                            await journal.AppendAsync(draft);
                                    })
                                )
                        )
                )
            );
            report.Add("resume of 200 events, each", size, await _meter.RoundsAsync(30, Events, () => ReadAsync(journal, topic)));
        }
        await GrowthDatabase.StopAsync(node);
    }

    private static async Task ReadAsync(IJournal journal, TopicName topic)
    {
        var (after, count) = (0L, 0);
        while (count < Events)
        {
            var page = await journal.ReadAsync(new JournalQuery(after, [topic], Events - count), default);
            foreach (var entry in page.Events)
                FrameWriter.Encode(entry.Position, frame => WireFormats.Named.Write(entry, frame));
            (after, count) = (page.Through, count + page.Events.Count);
        }
    }
}
