using System.Globalization;
using Dunlin.Client.Tests.Support;
using Dunlin.E2E.Tests.Support;
using Dunlin.Server.Tests.Support;

namespace Dunlin.Client.Tests.Recovery;

/// <summary>Subscriptions behind a proxy that holds back responses until they end.</summary>
public sealed class LongPollTests(RunningServer server) : IClassFixture<RunningServer>
{
    private static readonly ProxyFaults Buffering = new() { Buffers = true };

    private static readonly string Token = Mint.User("ann", ("subscribe", "**"), ("publish", "**"));

    [Fact]
    public async Task Events_behind_a_buffering_proxy_arrive_once_and_in_order()
    {
        await using var proxy = await TestProxy.StartAsync(server.Address, Buffering);
        using var reading = NewClient(proxy.Address);
        using var publishing = server.Client(Token);
        await using var reader = Reader.Start(reading, ["polled/a"]);
        await reader.WhenAsync(ConnectionStatus.Live);
        for (var i = 0; i < 50; i++)
            await publishing.PublishAsync(OutgoingEvent.FromJson("polled/a", "e", i.ToString(CultureInfo.InvariantCulture)));
        for (var i = 0; i < 50; i++)
            Assert.Equal($"{i}", (await reader.NextAsync()).GetText());
        // One open, although each poll is a request of its own.
        Assert.All(reader.States, static state => Assert.Equal(1, state.Stream));
    }

    [Fact]
    public async Task Long_subscription_behind_a_buffering_proxy_resumes_after_its_position()
    {
        await using var proxy = await TestProxy.StartAsync(server.Address, Buffering);
        using var reading = NewClient(proxy.Address);
        using var publishing = server.Client(Token);
        // The topics need a form, so that the polls are sent with POST.
        string[] topics = [.. Enumerable.Range(0, 60).Select(static i => $"polled/{new string('b', 60)}/{i}")];
        StreamPosition? position = null;
        await using (var first = Reader.Start(reading, topics))
        {
            await first.WhenAsync(ConnectionStatus.Live);
            await publishing.PublishAsync(OutgoingEvent.FromJson(topics[0], "e", "1"));
            position = (await first.NextAsync()).Position;
        }
        await publishing.PublishAsync(OutgoingEvent.FromJson(topics[59], "e", "2"));
        await using var second = Reader.Start(reading, topics, new SubscribeOptions { After = position });
        Assert.Equal("2", (await second.NextAsync()).GetText());
    }

    [Fact]
    public async Task Refused_topic_behind_a_buffering_proxy_ends_the_subscription()
    {
        await using var proxy = await TestProxy.StartAsync(server.Address, Buffering);
        using var client = NewClient(proxy.Address, Mint.User("ann", ("subscribe", "polled/**")));
        await using var reader = Reader.Start(client, ["secret/a"]);
        var refusal = await Assert.ThrowsAsync<DunlinClientException>(() => reader.Ended.WithinLimit());
        Assert.Equal(403, refusal.Problem.Status);
    }

    private static DunlinClient NewClient(Uri address, string? token = null) =>
        new(new DunlinClientOptions { Address = address, Token = token ?? Token });
}
