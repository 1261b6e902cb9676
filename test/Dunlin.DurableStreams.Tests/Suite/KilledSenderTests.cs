using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Text;
using Dunlin.DurableStreams.Tests.Support;
using Dunlin.TestKit.Servers;
using Microsoft.AspNetCore.Http;

namespace Dunlin.DurableStreams.Tests.Suite;

/// <summary>Two nodes that send webhooks, and a node that is killed while it sends one.</summary>
public sealed class KilledSenderTests
{
    private const int Streams = 40;

    [Fact]
    public async Task Another_node_repeats_the_webhook_of_a_killed_one()
    {
        await using var receiver = await Receiver.StartAsync();
        // The first request is never answered, so its node still sends when it is killed.
        receiver.Answer = context => receiver.Received == 1 ? NeverAsync(context) : Task.CompletedTask;
        await using var pair = await Pair.StartAsync();
        await pair.SubscribeAsync("s", receiver.Url);
        // While the second node is suspended, only the first one can send.
        await pair.Second.PauseAsync();
        await pair.PutAsync(pair.First, "a/b", "[1]");
        await Poll.UntilAsync(() => receiver.Received == 1, "the first webhook");
        await pair.First.KillAsync();
        await pair.Second.ContinueAsync();
        await Poll.UntilAsync(() => receiver.Received == 2, "the webhook of the other node");
        Assert.Single(receiver.All.Select(wake => (wake.Id, wake.Generation)).Distinct());
    }

    [Fact]
    public async Task One_node_at_a_time_sends_to_a_receiver_and_nothing_is_lost()
    {
        await using var receiver = await Receiver.StartAsync();
        var open = 0;
        var overlaps = new ConcurrentQueue<int>();
        var seen = new ConcurrentDictionary<string, bool>();
        receiver.Answer = async context =>
        {
            if (Interlocked.Increment(ref open) > 1)
                overlaps.Enqueue(open);
            foreach (var path in Receiver.Of(context).Tails.Keys)
                seen[path] = true;
            await Poll.TurnAsync(); // time for another node to send, if it did
            Interlocked.Decrement(ref open);
            await context.Response.WriteAsync("{\"done\":true}");
        };
        await using var pair = await Pair.StartAsync();
        await pair.SubscribeAsync("s", receiver.Url);
        await Parallel.ForAsync(
            0,
            Streams,
            new ParallelOptions { MaxDegreeOfParallelism = 8 },
            async (i, _) => await pair.PutAsync(i % 2 == 0 ? pair.First : pair.Second, $"a/{i}", "[1]")
        );
        await Poll.UntilAsync(() => seen.Count == Streams, "a wake for each stream");
        Assert.Empty(overlaps);
    }

    private static Task NeverAsync(HttpContext context) =>
        Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted);

    /// <summary>Two nodes on one database.</summary>
    private sealed class Pair : IAsyncDisposable
    {
        private readonly HttpClient _client = new();
        private readonly PostgresServer _database;

        private Pair(PostgresServer database) => _database = database;

        public DunlinProcess First { get; } = SuiteRun.Server();

        public DunlinProcess Second { get; } = SuiteRun.Server();

        public static async Task<Pair> StartAsync()
        {
            var pair = new Pair(await PostgresServer.StartNewAsync());
            await pair.First.StartAsync("--store", pair._database.ConnectionString);
            await pair.Second.StartAsync("--store", pair._database.ConnectionString);
            pair._client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
                "Bearer",
                await SuiteRun.TokenAsync(pair.First)
            );
            return pair;
        }

        public Task SubscribeAsync(string id, string url) =>
            PutAsync(First, "__ds/subscriptions/" + id, $"{{\"type\":\"webhook\",\"pattern\":\"a/*\",\"webhook\":{{\"url\":\"{url}\"}}}}");

        public async Task PutAsync(DunlinProcess node, string path, string body)
        {
            using var content = new StringContent(body, Encoding.UTF8, "application/json");
            using var answer = await _client.PutAsync(new Uri(node.Address, "/v1/stream/" + path), content);
            Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        }

        public async ValueTask DisposeAsync()
        {
            _client.Dispose();
            await First.DisposeAsync();
            await Second.DisposeAsync();
            await _database.DisposeAsync();
        }
    }
}
