using System.Text;
using Dunlin.Diagnostics;
using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Simulation.Nodes;
using Dunlin.Topics;

namespace Dunlin.Simulation.Clients;

/// <summary>Publishes events. With a key it repeats a request until it is acknowledged; without one it tries once.</summary>
internal sealed class SimPublisher(SimCluster cluster, string name, IReadOnlyList<TopicName> topics)
{
    public async Task RunAsync(int count)
    {
        for (var number = 0; number < count; number++)
        {
            await cluster.World.DelayAsync(cluster.World.Upto(TimeSpan.FromSeconds(4)));
            await PublishAsync(number);
        }
    }

    /// <summary>Publishes one event of each topic, until it is acknowledged.</summary>
    public async Task PublishLastAsync()
    {
        foreach (var topic in topics)
            await AppendAsync([Draft(topic, $"{name}-last-{topic.Value}")], [$"{name}-last-{topic.Value}"], new(name, topic.Value));
    }

    private Task PublishAsync(int number)
    {
        var random = cluster.World.Random;
        var ids = Enumerable.Range(0, random.Next(1, 4)).Select(part => $"{name}-{number}-{part}").ToArray();
        var drafts = ids.Select(id => Draft(topics[random.Next(topics.Count)], id)).ToArray();
        if (random.Next(20) == 0 && cluster.Pick() is { } node)
            node.Scheduler.Post(() => node.Get<EventFanout>().PublishTransient(new EventDraft(drafts[0].Topic, "typing", "1"u8.ToArray())));
        return AppendAsync(drafts, ids, random.Next(3) == 0 ? null : new IdempotencyKey(name, $"{number}"));
    }

    private EventDraft Draft(TopicName topic, string id)
    {
        var random = cluster.World.Random;
        var draft = new EventDraft(
            topic,
            "note",
            Encoding.UTF8.GetBytes($$"""{"id":"{{id}}","pad":"{{new string('x', random.Next(300))}}"}""")
        );
        return random.Next(10) switch
        {
            0 => new EventDraft(topic, "note", draft.Data) { AlsoOn = [topics[random.Next(topics.Count)]] },
            1 when !id.Contains("last", StringComparison.Ordinal) => new EventDraft(topic, "note", draft.Data) { IsRestricted = true },
            _ => draft,
        };
    }

    private async Task AppendAsync(EventDraft[] drafts, string[] ids, IdempotencyKey? key)
    {
        foreach (var id in ids)
            cluster.Ledger.OnPublishing(id);
        while (true)
        {
            if (cluster.Pick() is { } node)
            {
                try
                {
                    var positions = await node.CallAsync(() =>
                        node.Get<IJournal>().AppendAsync(drafts, key, CancellationToken.None).AsTask()
                    );
                    for (var i = 0; i < ids.Length; i++)
                        cluster.Ledger.OnPublished(ids[i], positions[i]);
                    cluster.World.Trace.Add(cluster.World.Time, name, $"is told that {ids[0]} is at {positions[0].Offset}");
                    return;
                }
                catch (Exception failed) when (failed is DunlinException or RequestLostException)
                {
                    cluster.World.Trace.Add(cluster.World.Time, name, $"cannot publish {ids[0]}: {failed.Message}");
                    if (key is null)
                        return;
                }
            }
            await cluster.World.DelayAsync(cluster.World.Upto(TimeSpan.FromSeconds(2)));
        }
    }
}
