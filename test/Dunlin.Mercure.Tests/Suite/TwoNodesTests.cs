using System.Net.ServerSentEvents;
using System.Text.Json;
using Dunlin.Cluster;
using Dunlin.Mercure.Subscriptions;
using Dunlin.TestKit;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Mercure.Tests.Suite;

/// <summary>Subscriptions of several nodes: each lists those of all, and a killed node has none.</summary>
public sealed class TwoNodesTests(PostgresHubTests.Database database) : IClassFixture<PostgresHubTests.Database>
{
    private static readonly string Root = HubNodes.Path + "/subscriptions";

    private async Task<HubNodes> StartAsync()
    {
        var connection = await database.NewSchemaAsync();
        return await HubNodes.StartAsync(
            (dunlin, _) => dunlin.AddPostgres(connection),
            two: true,
            static options => options.Subscriptions = true
        );
    }

    private static string Token(HubNodes hub) => Tokens.Sign(Tokens.Claims(hub.Time, Tokens.Detail("subscribe", ["*"])));

    private static Task<EventStreamReader<SseItem<string>>> OpenAsync(DunlinTestHost node, string query, string? token = null)
    {
        var client = node.Client();
        if (token is not null)
            client.DefaultRequestHeaders.Add("Authorization", $"Bearer {token}");
        return client.OpenStreamAsync($"{HubNodes.Path}?{query}", static item => item);
    }

    private static async Task<string[]> ListAsync(HubNodes hub, DunlinTestHost node)
    {
        using var answer = await hub.SendAsync(node, new HttpRequestMessage(HttpMethod.Get, Root), Token(hub));
        using var json = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        return
        [
            .. json.RootElement.GetProperty("subscriptions").EnumerateArray().Select(one => one.GetProperty("match").GetString()!).Order(),
        ];
    }

    private static Task KnowAsync(HubNodes hub) =>
        hub.UntilAsync(
            () =>
                Task.FromResult(
                    hub.First.Get<ClusterQuery>().Others == 1
                        && hub.Second.Get<ClusterQuery>().Others == 1
                        && hub.First.Get<SubscriptionTracker>().Knows(hub.Second.Get<ClusterQuery>().NodeId)
                ),
            TimeSpan.FromMilliseconds(100),
            "the nodes know each other"
        );

    [Fact]
    public async Task Both_nodes_list_the_subscriptions_of_both()
    {
        await using var hub = await StartAsync();
        await using var first = await OpenAsync(hub.First, "match=a");
        await using var second = await OpenAsync(hub.Second, "match=b");
        foreach (var node in (DunlinTestHost[])[hub.First, hub.Second])
            await hub.UntilAsync(
                async () => (await ListAsync(hub, node)).SequenceEqual(["a", "b"]),
                TimeSpan.FromMilliseconds(100),
                "both subscriptions are listed"
            );
    }

    [Fact]
    public async Task A_new_node_lists_the_subscriptions_that_began_before_it()
    {
        await using var hub = await StartAsync();
        await using var first = await OpenAsync(hub.First, "match=a");
        await hub.Second.RestartAsync();
        await hub.UntilAsync(
            async () => (await ListAsync(hub, hub.Second)).SequenceEqual(["a"]),
            TimeSpan.FromMilliseconds(100),
            "the copy of the first node is complete"
        );
    }

    [Fact]
    public async Task Subscriptions_of_a_node_taken_for_dead_end_once_and_close()
    {
        await using var hub = await StartAsync();
        await KnowAsync(hub);
        await using var watcher = await OpenAsync(hub.First, "match=*", Token(hub));
        await watcher.NextAsync();
        await using var lost = await OpenAsync(hub.Second, "match=b");
        Assert.Contains("\"match\":\"b\"", (await watcher.NextAsync()).Data, StringComparison.Ordinal);

        hub.Second.Get<ClusterQuery>().End();
        await hub.UntilAsync(() => Task.FromResult(watcher.Waiting > 0), TimeSpan.FromMilliseconds(250), "the end is published");
        var end = (await watcher.NextAsync()).Data;
        Assert.Contains("\"match\":\"b\"", end, StringComparison.Ordinal);
        Assert.Contains("\"active\":false", end, StringComparison.Ordinal);
        Assert.DoesNotContain("b", await ListAsync(hub, hub.First));
        await lost.Ended.WaitAsync(TimeSpan.FromSeconds(30));
        await hub.PublishAsync(("topic", "a"), ("data", "marker"));
        Assert.Equal("marker", (await watcher.NextAsync()).Data);
    }

    [Fact]
    public async Task A_node_that_stops_reports_the_end_of_its_subscriptions()
    {
        await using var hub = await StartAsync();
        await using var watcher = await OpenAsync(hub.First, "match=*", Token(hub));
        await watcher.NextAsync();
        await using var reader = await OpenAsync(hub.Second, "match=b");
        await watcher.NextAsync();
        await hub.Second.StopAsync();
        Assert.Contains("\"active\":false", (await watcher.NextAsync()).Data, StringComparison.Ordinal);
    }
}
