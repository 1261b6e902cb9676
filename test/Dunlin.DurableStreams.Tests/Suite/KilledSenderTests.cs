using System.Net.Http.Headers;
using System.Text;
using Dunlin.DurableStreams.Tests.Support;
using Dunlin.TestKit.Servers;

namespace Dunlin.DurableStreams.Tests.Suite;

/// <summary>A node that is killed while it sends a webhook.</summary>
public sealed class KilledSenderTests
{
    [Fact]
    public async Task Another_node_repeats_the_webhook_of_a_killed_one()
    {
        await using var receiver = await Receiver.StartAsync();
        // The first request is never answered, so its node still sends when it is killed.
        receiver.Answer = context =>
            receiver.Received == 1 ? Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted) : Task.CompletedTask;
        await using var database = await PostgresServer.StartNewAsync();
        DunlinProcess[] nodes = [SuiteRun.Server(), SuiteRun.Server()];
        await using var first = nodes[0];
        await using var second = nodes[1];
        foreach (var node in nodes)
            await node.StartAsync("--store", database.ConnectionString);
        using var client = new HttpClient();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", await SuiteRun.TokenAsync(first));

        await PutAsync(
            client,
            first,
            "__ds/subscriptions/s",
            $"{{\"type\":\"webhook\",\"pattern\":\"a/*\",\"webhook\":{{\"url\":\"{receiver.Url}\"}}}}"
        );
        await PutAsync(client, first, "a/b", "[1]");
        await Poll.UntilAsync(() => receiver.Received == 1, "the first webhook");
        await first.KillAsync();
        await Poll.UntilAsync(() => receiver.Received == 2, "the webhook of the other node");
    }

    private static async Task PutAsync(HttpClient client, DunlinProcess node, string path, string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await client.PutAsync(new Uri(node.Address, "/v1/stream/" + path), content);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }
}
