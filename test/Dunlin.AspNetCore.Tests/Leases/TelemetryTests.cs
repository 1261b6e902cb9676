using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Dunlin.Diagnostics;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.AspNetCore.Tests.Leases;

public sealed class TelemetryTests
{
    [Fact]
    public async Task Streams_and_leases_are_counted_and_traced_without_topics_or_users()
    {
        await using var host = await EngineHost.StartAsync();
        var meters = host.Services.GetRequiredService<IMeterFactory>();
        var counted = new ConcurrentDictionary<string, long>(StringComparer.Ordinal);
        var tags = new ConcurrentBag<string>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Meter.Name.StartsWith("Dunlin", StringComparison.Ordinal) && ReferenceEquals(instrument.Meter.Scope, meters))
                    self.EnableMeasurementEvents(instrument);
            },
        };
        void Count(string name, long value, ReadOnlySpan<KeyValuePair<string, object?>> with)
        {
            foreach (var tag in with)
                tags.Add($"{tag.Key}={tag.Value}");
            counted.AddOrUpdate(name, value, (_, sum) => sum + value);
        }
        listener.SetMeasurementEventCallback<long>((instrument, value, with, _) => Count(instrument.Name, value, with));
        listener.SetMeasurementEventCallback<int>((instrument, value, with, _) => Count(instrument.Name, value, with));
        listener.Start();
        var traced = new ConcurrentBag<Activity>();
        using var tracer = new ActivityListener
        {
            ShouldListenTo = source => source.Name == DunlinActivities.Name,
            Sample = (ref _) => ActivitySamplingResult.AllData,
            ActivityStopped = traced.Add,
        };
        ActivitySource.AddActivityListener(tracer);

        await using var reader = await host.OpenAsync("/dunlin/v1/events?topic=secret-topic", "secret-user");
        await reader.NextAsync();
        await host.PublishAsync("secret-topic", 1, "secret-user");
        await reader.NextAsync();
        using var client = host.Client("secret-user");
        using var lease = await client.PutAsync("/dunlin/v1/leases/f", HttpAssert.Json("""{"leaseId":"lease-id-of-ann"}"""));
        lease.EnsureSuccessStatusCode();
        await host.Fanout.SettledAsync();

        // Delivered live, or by the catch-up of the new stream.
        var received = counted.GetValueOrDefault("dunlin.fanout.delivered") + counted.GetValueOrDefault("dunlin.fanout.caught_up");
        Assert.Equal((1L, 1L, 1L), (counted["dunlin.fanout.connections"], received, counted["dunlin.leases.requests"]));
        Assert.Contains("result=granted", tags);
        Assert.DoesNotContain(tags, tag => tag.Contains("secret", StringComparison.Ordinal));
        // The span of a request ends after its answer. A stopped host has ended all requests.
        await host.StopAsync();
        Assert.Contains(traced, activity => activity.OperationName == "dunlin.publish");
        Assert.DoesNotContain(
            traced.SelectMany(a => a.TagObjects),
            tag => tag.Value?.ToString()?.Contains("secret", StringComparison.Ordinal) == true
        );
    }
}
