using System.Globalization;
using System.Net;
using System.Net.ServerSentEvents;
using System.Text.Json;
using Dunlin.Server.Tests.Support;
using Dunlin.TestKit;
using Dunlin.TestKit.Servers;

namespace Dunlin.Server.Tests;

/// <summary>Two nodes on one PostgreSQL behind nginx with <c>deploy/nginx.conf</c>: both are the same hub.</summary>
[Trait("Store", "own")]
public sealed class MercureNodesTests(MercureNodesTests.Cluster cluster) : IClassFixture<MercureNodesTests.Cluster>
{
    private const string Hub = "/.well-known/mercure";

    public sealed class Cluster : IAsyncLifetime
    {
        private PostgresServer _postgres = null!;

        internal ServerProgram First { get; private set; } = null!;

        internal ServerProgram Second { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            _postgres = await PostgresServer.StartNewAsync();
            (First, Second) = (MercureTests.Program(_postgres), MercureTests.Program(_postgres));
            foreach (var node in (ServerProgram[])[First, Second])
            {
                node.Settings["Dunlin__TrustedProxies"] = "127.0.0.1";
                await node.StartAsync("--mercure");
            }
        }

        public async ValueTask DisposeAsync()
        {
            await First.DisposeAsync();
            await Second.DisposeAsync();
            await _postgres.DisposeAsync();
        }

        // A proxy for each test: least_conn counts the streams of earlier tests until they are closed.
        internal Task<NginxProcess> StartProxyAsync() => DeployedNginx.StartAsync(First.Port, Second.Port);
    }

    [Fact]
    public async Task History_and_private_filter_are_the_same_at_each_address()
    {
        await using var nginx = await cluster.StartProxyAsync();
        Uri[] addresses = [cluster.First.Address, cluster.Second.Address, nginx.Address, nginx.Address];
        (string? Token, string Expected)[] grants =
        [
            (null, "public"),
            (MercureTests.Token("nodes/none"), "public"),
            (MercureTests.Token("nodes/a"), "public a"),
            (MercureTests.Token("nodes/b"), "public b"),
            (MercureTests.Token(), "public a b"),
        ];
        List<(string Data, string Id)> published = [];
        await PublishRoundAsync();
        List<(string Expected, EventStreamReader<SseItem<string>> Reader)> readers = [];
        HashSet<int> nodes = [];
        foreach (var (token, expected) in grants)
        {
            foreach (var address in addresses)
            {
                var reader = await OpenAsync(address, "match=nodes/a&match=nodes/b&last_event_id=earliest", token);
                readers.Add((expected, reader));
                if (address == nginx.Address)
                    nodes.Add(NodeOf(reader.Response));
            }
        }
        Assert.Equal(2, nodes.Count);
        await PublishRoundAsync();
        foreach (var (expected, reader) in readers)
        {
            var kinds = expected.Split(' ');
            var wanted = published.Where(update => kinds.Contains(update.Data.Split('-')[0])).ToList();
            var updates = await reader.NextAsync(wanted.Count);
            Assert.Equal(wanted, updates.Select(static update => (update.Data, update.EventId!)));
            Assert.Equal(0, reader.Waiting);
            await reader.DisposeAsync();
        }

        // The last update of a round is public: a reader that has it has all that the hub sent before it.
        async Task PublishRoundAsync()
        {
            foreach (
                var (kind, topic) in ((string, string)[])[("a", "nodes/a"), ("public", "nodes/b"), ("b", "nodes/b"), ("public", "nodes/a")]
            )
            {
                foreach (var address in addresses)
                {
                    var data = string.Create(CultureInfo.InvariantCulture, $"{kind}-{published.Count}");
                    published.Add((data, await PublishAsync(address, topic, data, isPrivate: kind != "public")));
                }
            }
        }
    }

    [Fact]
    public async Task Subscription_api_answers_the_same_at_each_address()
    {
        await using var nginx = await cluster.StartProxyAsync();
        Uri[] addresses = [cluster.First.Address, cluster.Second.Address, nginx.Address, nginx.Address];
        var pattern = Uri.EscapeDataString("https://example.com/books/:id");
        await using var first = await OpenAsync(cluster.First.Address, "match=list");
        await using var second = await OpenAsync(cluster.Second.Address, "match=list");
        await using var proxied = await OpenAsync(nginx.Address, $"match_urlpattern={pattern}");
        await EqualAsync("/exact/list", 2);
        await EqualAsync($"/urlpattern/{pattern}", 1);
        await EqualAsync("", null);

        var ids = JsonDocument.Parse((await ListAsync(nginx.Address, $"/urlpattern/{pattern}")).Body).RootElement;
        var id = ids.GetProperty("subscriptions")[0].GetProperty("id").GetString()!;
        var documents = new HashSet<string>(StringComparer.Ordinal);
        foreach (var address in addresses)
        {
            var (status, body) = await GetAsync(address, id, MercureTests.Token());
            Assert.True(status == HttpStatusCode.OK, body);
            documents.Add(body);
            Assert.Equal(HttpStatusCode.Unauthorized, (await GetAsync(address, id, null)).Status);
            Assert.Equal(HttpStatusCode.Forbidden, (await GetAsync(address, id, MercureTests.Token("list"))).Status);
        }
        Assert.Single(documents);

        await second.DisposeAsync();
        await EqualAsync("/exact/list", 1);
        await proxied.DisposeAsync();
        foreach (var address in addresses)
            await Eventually.TrueAsync(async () => (await GetAsync(address, id, MercureTests.Token())).Status == HttpStatusCode.NotFound);

        // Streams of other tests may still be closing, so the whole list is compared until it is equal.
        async Task EqualAsync(string rest, int? count)
        {
            string[] lists = [];
            await Eventually.TrueAsync(
                async () =>
                {
                    lists =
                    [
                        .. (await Task.WhenAll(addresses.Select(address => ListAsync(address, rest)))).Select(static list => list.Body),
                    ];
                    return lists.Distinct(StringComparer.Ordinal).Count() == 1 && (count is null || CountOf(lists[0]) == count);
                },
                () => string.Join('\n', lists)
            );
        }
    }

    [Fact]
    public async Task A_stream_stays_open_while_requests_alternate_between_nodes()
    {
        await using var nginx = await cluster.StartProxyAsync();
        await using var one = await OpenAsync(nginx.Address, "match=alternate");
        await using var other = await OpenAsync(nginx.Address, "match=alternate");
        Assert.NotEqual(NodeOf(one.Response), NodeOf(other.Response));
        var nodes = new List<int>();
        for (var i = 0; i < 40; i++)
            await PublishAsync(nginx.Address, "alternate", i.ToString(CultureInfo.InvariantCulture), nodes: nodes);
        Assert.Equal(2, nodes.Distinct().Count());
        foreach (var reader in (EventStreamReader<SseItem<string>>[])[one, other])
        {
            var updates = await reader.NextAsync(40);
            Assert.Equal(Enumerable.Range(0, 40).Select(i => i.ToString(CultureInfo.InvariantCulture)), updates.Select(one => one.Data));
            Assert.True(reader.IsOpen);
            Assert.Equal(0, reader.Waiting);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_reader_of_a_killed_node_resumes_at_the_other(bool hasOwnIds)
    {
        await using var nginx = await cluster.StartProxyAsync();
        var topic = $"resume/{hasOwnIds}";
        var ids = new List<string>();
        await using var reader = await OpenAsync(nginx.Address, $"match={topic}");
        for (var i = 0; i < 5; i++)
            await PublishNextAsync();
        var seen = await reader.NextAsync(3);
        var (killed, alive) =
            cluster.First.Port == NodeOf(reader.Response) ? (cluster.First, cluster.Second) : (cluster.Second, cluster.First);
        await killed.KillAsync();
        try
        {
            await reader.Ended.WaitAsync(TimeSpan.FromSeconds(60));
            for (var i = 0; i < 5; i++)
                await PublishNextAsync();
            await using var resumed = await OpenAsync(nginx.Address, $"match={topic}", lastEventId: seen[^1].EventId);
            Assert.Equal(alive.Port, NodeOf(resumed.Response));
            Assert.Equal(seen[^1].EventId, resumed.Response.Headers.GetValues("Mercure-Last-Event-ID").Single());
            await PublishNextAsync();
            Assert.Equal(ids[3..], (await resumed.NextAsync(8)).Select(static update => update.EventId));
        }
        finally
        {
            await killed.StartAsync("--mercure");
        }
        await using var back = await OpenAsync(killed.Address, $"match={topic}", lastEventId: ids[^3]);
        Assert.Equal(ids[^2..], (await back.NextAsync(2)).Select(static update => update.EventId));

        async Task PublishNextAsync() =>
            ids.Add(
                await PublishAsync(
                    nginx.Address,
                    topic,
                    "x",
                    id: hasOwnIds ? string.Create(CultureInfo.InvariantCulture, $"urn:resume:{ids.Count}") : null
                )
            );
    }

    private static Task<EventStreamReader<SseItem<string>>> OpenAsync(
        Uri address,
        string query,
        string? token = null,
        string? lastEventId = null
    ) => TestClients.New(address, token).OpenStreamAsync($"{Hub}?{query}", static item => item, lastEventId);

    private static async Task<string> PublishAsync(
        Uri address,
        string topic,
        string data,
        bool isPrivate = false,
        string? id = null,
        List<int>? nodes = null
    )
    {
        using var client = TestClients.New(address, MercureTests.Token());
        List<KeyValuePair<string, string>> fields = [new("topic", topic), new("data", data)];
        if (isPrivate)
            fields.Add(new("private", "on"));
        if (id is not null)
            fields.Add(new("id", id));
        using var form = new FormUrlEncodedContent(fields);
        using var answer = await client.PostAsync(new Uri(Hub, UriKind.Relative), form);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, $"{(int)answer.StatusCode} {text}");
        nodes?.Add(NodeOf(answer));
        return text;
    }

    // nginx lists each node that it tried; the last one answered.
    private static int NodeOf(HttpResponseMessage answer) =>
        int.Parse(answer.Headers.GetValues(DeployedNginx.NodeHeader).Single().Split(':')[^1], CultureInfo.InvariantCulture);

    private static Task<(HttpStatusCode Status, string Body)> ListAsync(Uri address, string rest) =>
        GetAsync(address, $"{Hub}/subscriptions{rest}", MercureTests.Token());

    private static int CountOf(string list) =>
        JsonDocument.Parse(list).RootElement.TryGetProperty("subscriptions", out var all) ? all.GetArrayLength() : -1;

    private static async Task<(HttpStatusCode Status, string Body)> GetAsync(Uri address, string path, string? token)
    {
        using var client = TestClients.New(address, token);
        using var answer = await client.GetAsync(new Uri(path, UriKind.Relative));
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }
}
