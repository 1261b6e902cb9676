using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Http.Json;
using Dunlin.Cluster.Tests.Support;
using Dunlin.Diagnostics;
using Dunlin.Hosting;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.TestKit;
using Dunlin.Topics;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Cluster.Tests;

/// <summary>One trace from the publish request over the commit to the deliveries of two nodes.</summary>
public sealed class TraceTests
{
    private const int Publishes = 20;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Deliveries_of_both_nodes_link_to_the_one_commit_of_many_publishes(bool withRedis)
    {
        using var spans = new SpanLog();
        await using var nodes = await TwoNodes.StartAsync(
            withRedis,
            new ManualTime(),
            (_, services) => new DunlinBuilder(services).AddAccessPolicy<Everything>("traces")
        );
        var alice = await nodes.SignInAsync("alice");
        await using var here = await OpenStream.OpenAsync(alice[0], "/dunlin/v1/events?topic=traces/t");
        await using var there = await OpenStream.OpenAsync(alice[1], "/dunlin/v1/events?topic=traces/t");
        using var client = new Activity("client") { ActivityTraceFlags = ActivityTraceFlags.Recorded }.Start();

        // Holds the writer until all requests wait for it.
        var (held, release) = (new TaskCompletionSource(), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        var holding = nodes
            .Services(0)
            .GetRequiredService<IStore>()
            .WriteAsync(
                async (_, _) =>
                {
                    held.SetResult();
                    await release.Task;
                    return 0;
                }
            )
            .AsTask();
        await held.Task;
        var answers = Enumerable
            .Range(0, Publishes)
            .Select(i =>
                alice[0]
                    .PostAsJsonAsync(
                        "/dunlin/v1/events",
                        new
                        {
                            topic = "traces/t",
                            type = "happened",
                            data = i,
                        }
                    )
            )
            .ToList();
        await WhenQueuedAsync(nodes.Services(0).GetRequiredService<IMeterFactory>());
        release.SetResult();
        await holding;
        foreach (var answer in await Task.WhenAll(answers))
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        await Task.WhenAll(here.WhenAsync("happened", $"{Publishes - 1}"), there.WhenAsync("happened", $"{Publishes - 1}"));

        var published = await spans.WhenAsync(Publishes, span => span.OperationName == "dunlin.publish" && span.TraceId == client.TraceId);
        Assert.Equal(Publishes, published.Count);
        // The span of a request ends after its response was sent.
        var requests = await spans.WhenAsync(
            Publishes,
            span => span.Source.Name == "Microsoft.AspNetCore" && span.TraceId == client.TraceId
        );
        Assert.All(published, span => Assert.Contains(span.ParentSpanId, requests.Select(request => request.SpanId)));

        // One commit for all requests, with its own root span.
        var ids = published.Select(span => span.SpanId).ToHashSet();
        var commit = Assert.Single(
            await spans.WhenAsync(
                1,
                span => span.OperationName == "dunlin.commit" && span.Links.Any(link => ids.Contains(link.Context.SpanId))
            )
        );
        Assert.Equal(ids, commit.Links.Select(link => link.Context.SpanId).ToHashSet());
        Assert.Equal((default, (object)Publishes), (commit.ParentSpanId, commit.GetTagItem("dunlin.events")!));

        // One delivery on each node. Its link tells whether that node made the commit.
        var deliveries = await spans.WhenAsync(
            2,
            span => span.OperationName == "dunlin.deliver" && span.Links.Any(link => link.Context.SpanId == commit.SpanId)
        );
        Assert.Equal(2, deliveries.Count);
        Assert.All(
            deliveries,
            span => Assert.Equal((default, (object)(long)Publishes), (span.ParentSpanId, span.GetTagItem("dunlin.deliveries")!))
        );
        Assert.All(deliveries.SelectMany(span => span.Links), link => Assert.Equal(commit.TraceId, link.Context.TraceId));
        Assert.Equal([false, true], deliveries.Select(span => Assert.Single(span.Links).Context.IsRemote).Order());
    }

    private static async Task WhenQueuedAsync(IMeterFactory meters)
    {
        var waiting = 0;
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Name == "dunlin.journal.queue.length" && ReferenceEquals(instrument.Meter.Scope, meters))
                    self.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<int>((_, value, _, _) => waiting = value);
        listener.Start();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30), TimeProvider.System);
        for (listener.RecordObservableInstruments(); waiting < Publishes; listener.RecordObservableInstruments())
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, patience.Token);
    }

    private sealed class Everything : IAccessPolicy
    {
        public ValueTask<bool> MayReadAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) => new(true);

        public ValueTask<bool> MayPublishAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) => new(true);

        public ValueTask<bool> MayHoldAsync(Caller caller, ResourceName resource, CancellationToken cancellationToken) => new(true);
    }
}
