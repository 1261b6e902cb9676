using System.Globalization;
using Dunlin.Journal;
using Dunlin.Topics;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Bench.Growth;

/// <summary>Measures durable appends of a growing number of nodes on one PostgreSQL, with 64 publishers each. All nodes run in this
/// process, and all delivery of their events to nobody: each node reads the events of the others.</summary>
internal sealed class NodeGrowth(GrowthDatabase database, Report report)
{
    private const int Publishers = 64;
    private const int Each = 100;

    private readonly Meter _meter = new(database);

    public async Task RunAsync(long[] sizes)
    {
        if (!database.IsPostgres)
            throw new ArgumentException("Several nodes need PostgreSQL.");
        foreach (var size in sizes)
        {
            var nodes = new List<WebApplication>();
            for (var i = 0; i < size; i++)
                nodes.Add(await database.StartAsync());
            var journals = nodes.Select(static node => node.Services.GetRequiredService<IJournal>()).ToArray();
            using var commits = new CommitSizes();
            commits.Begin();
            var cost = await _meter.RoundsAsync(
                12,
                (int)size * Publishers * Each,
                () =>
                    Task.WhenAll(
                        journals.SelectMany(static journal => Enumerable.Range(0, Publishers).Select(w => PublishAsync(journal, w)))
                    )
            );
            report.Add("append, 64 publishers at each node", size, cost);
            report.Add("appends a second, all nodes", size, new Cost(1e6 / cost.Median, 1e6 / cost.P90, 0, 0, "/s"));
            report.Add("requests in a commit", size, new Cost(commits.Mean, commits.Mean, 0, 0, "requests"));
            foreach (var node in nodes)
                await GrowthDatabase.StopAsync(node);
        }
    }

    private static Task PublishAsync(IJournal journal, int publisher) =>
        Task.Run(async () =>
        {
            var topic = TopicName.Parse("nodes/" + (publisher % 16).ToString(CultureInfo.InvariantCulture));
            for (var i = 0; i < Each; i++)
                await journal.AppendAsync(new EventDraft(topic, "bench.event", JournalGrowth.Data(200)));
        });
}
