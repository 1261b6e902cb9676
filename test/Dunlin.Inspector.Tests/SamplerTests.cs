using System.Text.Json;
using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Topics;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Inspector.Tests;

public sealed class SamplerTests
{
    [Fact]
    public async Task Sampling_runs_only_while_a_viewer_looks()
    {
        await using var host = await InspectedHost.StartAsync();
        var timers = host.Time.ActiveTimers;
        Assert.False(host.Sampler.IsRunning);
        await using (var first = await host.WatchAsync())
        await using (var second = await host.WatchAsync())
        {
            await host.SampleAsync(first, _ => true);
            await second.UntilAsync(item => item.EventType == "sample");
            // One timer for both.
            Assert.Equal(timers + 1, host.Time.ActiveTimers);
        }
        await InspectedHost.UntilAsync(() => Task.FromResult(!host.Sampler.IsRunning));
        Assert.Equal(timers, host.Time.ActiveTimers);
        Assert.Empty((await host.GetAsync("topics")).GetProperty("topics").EnumerateArray());
    }

    [Fact]
    public async Task Head_of_the_stream_opens_none_and_leaves_the_connection_free()
    {
        await using var host = await InspectedHost.StartAsync();
        using var client = host.Host.Client("admin");
        for (var i = 0; i < 3; i++)
        {
            using var head = await client.SendAsync(new HttpRequestMessage(HttpMethod.Head, InspectedHost.Base + "stream"));
            Assert.Equal("text/event-stream", head.Content.Headers.ContentType?.MediaType);
        }
        Assert.False(host.Sampler.IsRunning);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_sample_has_the_size_of_the_journal_in_bytes(bool isSqlite)
    {
        var folder = Directory.CreateTempSubdirectory("dunlin-inspector-").FullName;
        await using var host = await InspectedHost.StartAsync(builder =>
        {
            if (isSqlite)
                builder.AddSqlite(Path.Combine(folder, "d.db"));
            else
                builder.AddInMemory();
        });
        await using var viewer = await host.WatchAsync();
        await viewer.UntilAsync(item => item.EventType == "history");
        var empty = Node(await host.SampleAsync(viewer, _ => true)).GetProperty("storedBytes").GetInt64();
        for (var i = 0; i < 20; i++)
            await host.PublishAsync("orders", data: new string('x', 5_000));
        // The size is measured with every tenth sample.
        var grown = await host.SampleAsync(viewer, sample => Node(sample).GetProperty("storedBytes").GetInt64() > empty);
        Assert.InRange(Node(grown).GetProperty("storedBytes").GetInt64(), empty + 90_000, empty + 400_000);
    }

    [Fact]
    public async Task A_sample_counts_connections_events_and_deliveries()
    {
        await using var host = await InspectedHost.StartAsync();
        await using var reader = await host.Host.OpenAsync("/dunlin/v1/events?topic=orders", "bob");
        await InspectedHost.UntilAsync(async () => (await host.GetAsync("connections?state=live")).GetProperty("matching").GetInt32() == 1);
        await using var viewer = await host.WatchAsync();
        await viewer.UntilAsync(item => item.EventType == "history");
        await host.PublishAsync("orders");
        await reader.WhenAsync(seen => seen.Count >= 2);
        // The shard counts after it has written, so the two rates may be in different samples.
        var (events, bytes, delivered, hasLag) = (0.0, 0.0, 0.0, false);
        var sample = await host.SampleAsync(
            viewer,
            sample =>
            {
                events += Node(sample).GetProperty("events").GetDouble();
                bytes += Node(sample).GetProperty("bytes").GetDouble();
                delivered += Node(sample).GetProperty("delivered").GetDouble();
                hasLag |= Node(sample).TryGetProperty("deliveryLag", out var lag) && lag.GetDouble() >= 0;
                return events > 0 && delivered > 0 && hasLag;
            }
        );
        var node = Node(sample);
        Assert.Equal((1.0, 7.0, 1.0), (events, bytes, delivered));
        Assert.Equal(1, node.GetProperty("connections").GetInt32());
        Assert.Equal(1, node.GetProperty("head").GetInt64());
        Assert.Equal(1, node.GetProperty("offset").GetInt64());
        Assert.True(node.GetProperty("memory").GetInt64() > 0, sample.ToString());
    }

    [Fact]
    public async Task A_later_viewer_receives_the_history_first()
    {
        await using var host = await InspectedHost.StartAsync();
        await using var first = await host.WatchAsync();
        await host.SampleAsync(first, _ => true);
        await host.SampleAsync(first, _ => true);
        await using var second = await host.WatchAsync();
        var history = JsonElement.Parse((await second.NextAsync()).Data);
        Assert.Equal(2, history.GetArrayLength());
    }

    [Fact]
    public async Task A_stream_of_samples_ends_after_a_minute()
    {
        await using var host = await InspectedHost.StartAsync();
        await using var viewer = await host.WatchAsync();
        await host.SampleAsync(viewer, _ => true);
        for (var i = 0; i < 70 && viewer.IsOpen; i++)
        {
            host.Time.Advance(TimeSpan.FromSeconds(2));
            var before = viewer.Received.Count;
            await InspectedHost.UntilAsync(() => Task.FromResult(!viewer.IsOpen || viewer.Received.Count > before));
        }
        Assert.False(viewer.IsOpen);
        await InspectedHost.UntilAsync(() => Task.FromResult(!host.Sampler.IsRunning));
    }

    [Fact]
    public async Task A_node_that_does_not_answer_is_named()
    {
        await using var host = await InspectedHost.StartAsync();
        // A node that greets and answers no request. It is forgotten after ten seconds without a greeting.
        var greeting = EventDraft.Of(TopicName.Of("dunlin", "nodes"), "here", new { node = "ghost", id = "" });
        void Greet() => host.Host.Get<EventFanout>().PublishTransient(greeting);
        Greet();
        await using var viewer = await host.WatchAsync();
        await host.SampleAsync(
            viewer,
            sample =>
            {
                Greet();
                return sample.GetProperty("silent").EnumerateArray().Any(name => name.GetString() == "ghost");
            }
        );
        var request = host.GetAsync("connections");
        while (!request.IsCompleted)
        {
            Greet();
            host.Time.Advance(TimeSpan.FromMilliseconds(500));
            await Task.WhenAny(request, Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System));
        }
        Assert.Equal(["ghost"], (await request).GetProperty("silent").EnumerateArray().Select(name => name.GetString()));
    }

    [Fact]
    public async Task A_stopping_host_ends_the_streams_of_viewers()
    {
        await using var host = await InspectedHost.StartAsync();
        await using var viewer = await host.WatchAsync();
        await viewer.NextAsync();
        await host.Host.StopAsync();
        await viewer.Ended;
        Assert.False(viewer.IsOpen);
    }

    private static JsonElement Node(JsonElement sample) => sample.GetProperty("nodes")[0];
}
