using Dunlin.Consumers;
using Dunlin.Journal;
using Dunlin.TestKit;
using Dunlin.TestKit.Servers;
using Dunlin.Topics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using NATS.Client.Core;
using NATS.Client.JetStream;
using NatsSink;

namespace Dunlin.Guides.Tests.NatsSink;

/// <summary>The example of docs/guides/sinks.md with a real NATS server: nothing is lost, repeated or out of order.</summary>
public sealed class SinkTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dunlin-sink-");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Kills_of_node_and_nats_lose_and_repeat_nothing()
    {
        await using var nats = await NatsServer.StartNewAsync();
        await using var node = new SinkNode(_folder.FullName, nats.Url);
        await node.StartAsync();
        var orders = 0;
        foreach (var (killsNode, killsNats) in new[] { (true, false), (false, true), (true, true) })
        {
            await AddAsync(node);
            if (killsNode)
                await node.KillAsync();
            if (killsNats)
                await nats.KillAsync();
            if (killsNode)
                await node.StartAsync();
            await AddAsync(node);
            if (killsNats)
                await nats.StartAsync();
        }
        Check(await nats.MessagesAsync(JetStreamSink.Stream, orders, Cancellation), orders);

        async Task AddAsync(SinkNode to)
        {
            for (var i = 0; i < 50; i++)
                await to.AddAsync(++orders, Cancellation);
        }
    }

    [Fact]
    public async Task Two_nodes_share_the_sink_over_kills_of_each()
    {
        await using var nats = await NatsServer.StartNewAsync();
        await using var postgres = await PostgresServer.StartNewAsync();
        SinkNode[] nodes =
        [
            new(_folder.FullName, nats.Url, postgres.ConnectionString),
            new(_folder.FullName, nats.Url, postgres.ConnectionString),
        ];
        try
        {
            foreach (var node in nodes)
                await node.StartAsync();
            var orders = 0;
            // One of the two holds the group, so one of the kills takes it from the holder.
            foreach (var (killed, other) in new[] { (nodes[0], nodes[1]), (nodes[1], nodes[0]) })
            {
                for (var i = 0; i < 40; i++)
                    await nodes[i % 2].AddAsync(++orders, Cancellation);
                await killed.KillAsync();
                for (var i = 0; i < 40; i++)
                    await other.AddAsync(++orders, Cancellation);
                Check(await nats.MessagesAsync(JetStreamSink.Stream, orders, Cancellation), orders);
                await killed.StartAsync();
            }
        }
        finally
        {
            foreach (var node in nodes)
                await node.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_second_delivery_of_all_events_adds_no_message()
    {
        await using var nats = await NatsServer.StartNewAsync();
        await using var connection = new NatsConnection(new NatsOpts { Url = nats.Url });
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton<INatsJSContext>(new NatsJSContext(connection));
        builder.Services.AddSingleton<JetStreamSink>();
        builder
            .Services.AddDunlin()
            .AddSqlite(Path.Combine(_folder.FullName, "sink.db"))
            .AddEventConsumer<JetStreamSink>("nats", static options => options.Patterns.Add("orders/**"));
        using var host = builder.Build();
        await host.StartAsync(Cancellation);
        var journal = host.Services.GetRequiredService<IJournal>();
        var consumers = host.Services.GetRequiredService<EventConsumers>();
        while (await consumers.FindAsync("nats", Cancellation) is null)
            await Task.Yield();
        for (var i = 1; i <= 20; i++)
            await journal.AppendAsync(
                [EventDraft.Of(TopicName.Of("orders", $"{i}"), "order.added", new { id = $"{i}" })],
                null,
                Cancellation
            );
        Check(await nats.MessagesAsync(JetStreamSink.Stream, 20, Cancellation), 20);

        await consumers.SeekAsync("nats", journal.Head with { Offset = 0 }, Cancellation);
        while ((await consumers.FindAsync("nats", Cancellation))!.Position != journal.Head)
            await Task.Yield();
        Check(await nats.MessagesAsync(JetStreamSink.Stream, 20, Cancellation), 20);
        await host.StopAsync(Cancellation);
    }

    [Fact]
    public void The_guide_shows_the_code_of_the_example()
    {
        var blocks = Repository.Blocks(Repository.Read("docs/guides/sinks.md"), "csharp");
        Assert.Equal(Repository.Read("examples/nats-sink/JetStreamSink.cs"), blocks[0]);
        Assert.Equal(Repository.Read("examples/nats-sink/Program.cs"), blocks[1]);
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private static void Check(List<(string Id, string Data)> messages, int orders)
    {
        Assert.Equal(Enumerable.Range(1, orders).Select(static id => $$"""{"id":"{{id}}"}"""), messages.Select(static one => one.Data));
        Assert.Distinct(messages.Select(static one => one.Id));
    }
}
