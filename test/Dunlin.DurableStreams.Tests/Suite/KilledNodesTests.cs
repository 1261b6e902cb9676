using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Dunlin.DurableStreams.Tests.Support;
using Dunlin.TestKit;
using Dunlin.TestKit.Servers;

namespace Dunlin.DurableStreams.Tests.Suite;

/// <summary>Idempotent producers on two nodes that are killed at random.</summary>
public sealed class KilledNodesTests
{
    private const int Producers = 64;
    private const int Appends = 40;
    private const int Kills = 6;

    [Fact]
    public async Task Producers_lose_and_repeat_nothing_while_nodes_are_killed()
    {
        await using var database = await PostgresServer.StartNewAsync();
        DunlinProcess[] nodes = [SuiteRun.Server(), SuiteRun.Server()];
        await using var first = nodes[0];
        await using var second = nodes[1];
        foreach (var node in nodes)
            await node.StartAsync("--store", database.ConnectionString);
        using var client = new HttpClient();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", await SuiteRun.TokenAsync(first));
        var random = TestSeed.NewRandom(out _);
        (await SendAsync(client, nodes, 0, HttpMethod.Put, null)).Dispose();

        var done = new ConcurrentDictionary<int, int>();
        var producers = Enumerable.Range(0, Producers).Select(id => ProduceAsync(client, nodes, id, done)).ToArray();
        for (var i = 0; i < Kills; i++)
        {
            // Each kill comes when the producers have reached the next part of their work.
            var mark = (i + 1) * Producers * Appends / (Kills + 2);
            await Poll.UntilAsync(() => done.Values.Sum() >= mark, "the producers continue");
            var node = nodes[random.Next(nodes.Length)];
            await node.KillAsync();
            await node.StartAsync("--store", database.ConnectionString);
        }
        await Task.WhenAll(producers);

        var read = await ReadAllAsync(client, nodes);
        Assert.Equal(Producers * Appends, read.Count);
        foreach (var producer in read.GroupBy(pair => pair.Producer))
            Assert.Equal(Enumerable.Range(0, Appends), producer.Select(pair => pair.Sequence));
    }

    private static async Task ProduceAsync(HttpClient client, DunlinProcess[] nodes, int id, ConcurrentDictionary<int, int> done)
    {
        for (var sequence = 0; sequence < Appends; sequence++)
        {
            var at = sequence;
            using var answer = await SendAsync(
                client,
                nodes,
                id + sequence,
                HttpMethod.Post,
                request =>
                {
                    request.Content = new StringContent($"[[{id},{at}]]", Encoding.UTF8, "application/json");
                    request.Headers.Add("Producer-Id", $"p{id}");
                    request.Headers.Add("Producer-Epoch", "0");
                    request.Headers.Add("Producer-Seq", at.ToString(CultureInfo.InvariantCulture));
                }
            );
            done[id] = sequence + 1;
        }
    }

    /// <summary>Sends a request to one node, then to the other, until it is answered.</summary>
    private static async Task<HttpResponseMessage> SendAsync(
        HttpClient client,
        DunlinProcess[] nodes,
        int turn,
        HttpMethod method,
        Action<HttpRequestMessage>? prepare,
        string query = ""
    )
    {
        for (var tries = 0; ; tries++)
        {
            using var request = new HttpRequestMessage(
                method,
                new Uri(nodes[(turn + tries) % nodes.Length].Address, $"/v1/stream/log{query}")
            );
            if (method == HttpMethod.Put)
                request.Content = new ByteArrayContent([]) { Headers = { ContentType = new("application/json") } };
            prepare?.Invoke(request);
            try
            {
                var answer = await client.SendAsync(request);
                if ((int)answer.StatusCode < 500)
                {
                    Assert.True(answer.IsSuccessStatusCode, $"{answer.StatusCode}: {await answer.Content.ReadAsStringAsync()}");
                    return answer;
                }
                answer.Dispose();
            }
            catch (Exception error) when (error is HttpRequestException or SocketException)
            {
                // The node was killed: its answer is unknown, and the producer repeats the append.
            }
            await Poll.TurnAsync();
        }
    }

    private static async Task<List<(int Producer, int Sequence)>> ReadAllAsync(HttpClient client, DunlinProcess[] nodes)
    {
        var read = new List<(int, int)>();
        var offset = "-1";
        while (true)
        {
            using var answer = await SendAsync(client, nodes, read.Count, HttpMethod.Get, null, $"?offset={offset}");
            using var json = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
            read.AddRange(json.RootElement.EnumerateArray().Select(pair => (pair[0].GetInt32(), pair[1].GetInt32())));
            offset = answer.Headers.GetValues("Stream-Next-Offset").Single();
            if (answer.Headers.Contains("Stream-Up-To-Date"))
                return read;
        }
    }
}
