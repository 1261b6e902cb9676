using Dunlin.Fanout;
using Dunlin.Inspector.Cluster;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;

namespace Dunlin.Inspector.Topics;

/// <summary>Serves <c>GET api/topics</c>: topics and patterns with their readers, and with rates while the node samples.</summary>
internal sealed class TopicViews(EventFanout fanout, TopicRates rates, NodeQueries nodes) : IHostedService
{
    private const int MaxOfOtherNode = 500;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        nodes.Answer("topics", InspectorJson.Default.TopicQuery, InspectorJson.Default.TopicList, query => Own(query));
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task ServeAsync(HttpContext context)
    {
        var query = new TopicQuery(QueryText.Number(context, "limit", 500, 1, 10_000), QueryText.Of(context, "q"));
        var own = Own(query);
        var others = await nodes.AskAsync(
            "topics",
            query with
            {
                Limit = Math.Min(query.Limit, MaxOfOtherNode),
            },
            InspectorJson.Default.TopicQuery,
            InspectorJson.Default.TopicList,
            context.RequestAborted
        );
        var rows = own.Topics.ToDictionary(row => row.Topic, StringComparer.Ordinal);
        foreach (var row in others.Answers.SelectMany(answer => answer.Topics))
            // Every node measures all committed events, so rates are not added up. Readers are.
            rows[row.Topic] = rows.TryGetValue(row.Topic, out var known)
                ? known with
                {
                    Readers = known.Readers + row.Readers,
                    Rate = Math.Max(known.Rate, row.Rate),
                    Bytes = Math.Max(known.Bytes, row.Bytes),
                }
                : row;
        await context.Response.WriteAsJsonAsync(
            new TopicList(Sorted(rows.Values, query.Limit), Math.Max(own.Total, rows.Count), own.Unmeasured, others.Silent),
            InspectorJson.Default.TopicList,
            cancellationToken: context.RequestAborted
        );
    }

    private TopicList Own(TopicQuery query)
    {
        var readers = new Dictionary<string, TopicRow>(StringComparer.Ordinal);
        foreach (var connection in fanout.All())
        {
            foreach (var topic in connection.Topics)
                Count(readers, topic.Value, isPattern: false);
            foreach (var pattern in connection.Patterns)
                Count(readers, pattern.Text, isPattern: true);
        }
        rates.AddTo(readers);
        var matching = readers.Values.Where(row => QueryText.Matches(row.Topic, query.Text)).ToList();
        return new TopicList(Sorted(matching, query.Limit), matching.Count, rates.Unmeasured, []);
    }

    private static void Count(Dictionary<string, TopicRow> rows, string name, bool isPattern)
    {
        if (rows.TryGetValue(name, out var row))
            row.Readers++;
        else
            rows.Add(name, new TopicRow(name) { IsPattern = isPattern, Readers = 1 });
    }

    private static List<TopicRow> Sorted(IEnumerable<TopicRow> rows, int limit) =>
        [
            .. rows.OrderByDescending(row => row.Rate)
                .ThenByDescending(row => row.Readers)
                .ThenBy(row => row.Topic, StringComparer.Ordinal)
                .Take(limit),
        ];
}

internal sealed record TopicQuery(int Limit, string? Text = null);

internal sealed record TopicList(IReadOnlyList<TopicRow> Topics, int Total, long Unmeasured, IReadOnlyList<string> Silent);

/// <summary>A topic or pattern. Rates are events and bytes for each second.</summary>
internal sealed record TopicRow(string Topic)
{
    public bool IsPattern { get; init; }

    public int Readers { get; set; }

    public double Rate { get; init; }

    public double Bytes { get; init; }

    public DateTimeOffset? LastAt { get; init; }

    public string? LastType { get; init; }
}
