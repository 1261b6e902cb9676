using System.Text;
using System.Text.Json;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Simulation.Nodes;
using Dunlin.Simulation.Storage;
using Dunlin.Topics;

namespace Dunlin.Simulation.Clients;

/// <summary>Ends rights of users: the row of the right and the announcement commit together.</summary>
internal sealed class SimRights(SimCluster cluster, IReadOnlyList<string> users, IReadOnlyList<TopicName> topics)
{
    public async Task RunAsync(int count)
    {
        for (var number = 0; number < count; number++)
        {
            await cluster.World.DelayAsync(cluster.World.Upto(TimeSpan.FromSeconds(30)));
            var user = users[cluster.World.Random.Next(users.Count)];
            var topic = topics[cluster.World.Random.Next(topics.Count)];
            if (cluster.Pick() is not { } node)
                continue;
            try
            {
                await node.CallAsync(() => EndAsync(node, user, topic));
                cluster.World.Trace.Add(cluster.World.Time, "rights", $"{user} may no longer read {topic}");
            }
            catch (Exception failed) when (failed is DunlinException or RequestLostException)
            {
                cluster.World.Trace.Add(cluster.World.Time, "rights", $"unknown whether {user} may read {topic}: {failed.Message}");
            }
        }
    }

    private static async Task<bool> EndAsync(SimNode node, string user, TopicName topic)
    {
        await node.Get<IStore>()
            .WriteAsync(
                async (unit, ct) =>
                {
                    var row = JsonSerializer.Serialize($"{user} {topic.Value}");
                    await unit.AppendAsync(new EventDraft(TopicName.Of("rights"), SimDatabase.RightEnded, Encoding.UTF8.GetBytes(row)), ct);
                    await unit.RightsChangedAsync(user, ct);
                }
            );
        return true;
    }
}
