using System.Globalization;
using Dunlin.Server.Tests.Support;
using Dunlin.TestKit;
using Dunlin.TestKit.Servers;

namespace Dunlin.Server.Tests;

/// <summary>Two server processes on one PostgreSQL deliver a webhook; the sending one is killed.</summary>
[Trait("Store", "own")]
public sealed class WebhookNodesTests
{
    private const int Topics = 4;
    private const int EventsEach = 15;

    /// <summary>The number of messages after which the receiver holds its answers back, so that the kill meets requests.</summary>
    private const int Held = 10;

    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);

    [Fact]
    public async Task Kill_9_of_the_sender_loses_no_message_and_keeps_the_order()
    {
        await using var postgres = await PostgresServer.StartNewAsync();
        await using var receiver = await WebhookReceiver.StartAsync();
        receiver.Answer = async (context, _) =>
        {
            if (receiver.All.Count > Held)
                await _released.Task.WaitAsync(context.RequestAborted);
        };
        await using var first = await StartAsync(postgres);
        await using var second = await StartAsync(postgres);
        var (status, answer) = await Calls.SendAsync(
            first.Address,
            Mint.Backend(),
            HttpMethod.Post,
            "/dunlin/v1/webhooks",
            new
            {
                id = "shop",
                url = receiver.Url,
                patterns = new[] { "orders/*" },
            }
        );
        Assert.True(status == 201, $"{status}: {answer}");
        await Eventually.TrueAsync(() => IsSender(first) || IsSender(second));
        var (sender, other) = IsSender(first) ? (first, second) : (second, first);
        Assert.False(IsSender(other));

        await PublishAsync(sender, 1);
        await Eventually.TrueAsync(() => receiver.All.Count > Held);
        await sender.KillAsync();
        await PublishAsync(other, 1 + EventsEach);
        _released.SetResult();
        await other.WhenSeenAsync("claimed the consumer group 'webhooks/shop'");
        // A repeated message has the id of the first one.
        await Eventually.TrueAsync(
            () => Distinct(receiver).Count == 2 * Topics * EventsEach,
            () => string.Create(CultureInfo.InvariantCulture, $"{Distinct(receiver).Count} messages")
        );
        foreach (var topic in Distinct(receiver).GroupBy(static message => message.Topic))
            Assert.Equal(Enumerable.Range(1, 2 * EventsEach), topic.Select(static message => message.Number));
        Assert.True(receiver.All.Count > receiver.Accepted.Count, "The kill met no request.");
        await Eventually.TrueAsync(async () => await WaitingAsync(other) == 0);
    }

    private static List<WebhookReceiver.Message> Distinct(WebhookReceiver receiver) =>
        [.. receiver.Accepted.DistinctBy(static message => message.Id)];

    private static bool IsSender(ServerProgram server) =>
        server.Output.Contains("claimed the consumer group 'webhooks/shop'", StringComparison.Ordinal);

    private static async Task<int> WaitingAsync(ServerProgram server)
    {
        var (_, answer) = await Calls.SendAsync(server.Address, Mint.Backend(), HttpMethod.Get, "/dunlin/v1/webhooks/shop");
        return answer.GetProperty("waiting").GetInt32();
    }

    private static async Task PublishAsync(ServerProgram server, int start)
    {
        for (var number = start; number < start + EventsEach; number++)
        for (var topic = 1; topic <= Topics; topic++)
            await Calls.PublishAsync(server.Address, Mint.Backend(), $"orders/{topic.ToString(CultureInfo.InvariantCulture)}", number);
    }

    private static async Task<ServerProgram> StartAsync(PostgresServer postgres)
    {
        var server = new ServerProgram();
        server.Settings["Dunlin__Tokens__SigningKey"] = Mint.KeyText;
        server.Settings["Dunlin__Webhooks__Networks__0"] = "127.0.0.0/8";
        server.Settings["Dunlin__Webhooks__ClaimDuration"] = "00:00:03";
        server.Settings["Dunlin__Webhooks__PollInterval"] = "00:00:00.200";
        server.Settings["Logging__LogLevel__Dunlin"] = "Information";
        await server.StartAsync("--webhooks", "--store", postgres.ConnectionString);
        return server;
    }
}
