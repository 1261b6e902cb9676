using System.Diagnostics.Metrics;
using Dunlin.Journal;
using Dunlin.Sqlite.Tests.Support;
using Dunlin.TestKit;

namespace Dunlin.Sqlite.Tests.Journal;

/// <summary>The work of retention in a store with many topics.</summary>
public sealed class TrimTests
{
    private const int Topics = 300;

    [Fact]
    public async Task A_trim_writes_nothing_for_topics_without_expired_events()
    {
        using var meters = new TestMeters();
        await using var backend = new Backend { Meters = meters };
        backend.Retention.Default.MaxAge = TimeSpan.FromDays(7);
        var store = await backend.OpenAsync();
        for (var i = 0; i < Topics; i++)
            await store.AppendAsync(Backend.Draft("topics/" + i), Backend.Cancellation);
        var commits = 0;
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (ReferenceEquals(instrument.Meter.Scope, meters) && instrument.Name == "dunlin.journal.batch.requests")
                l.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<int>((_, _, _, _) => Interlocked.Increment(ref commits));
        listener.Start();

        Assert.Equal(0, await store.TrimAsync(Backend.Cancellation));
        // One commit removes idempotency keys.
        Assert.Equal(1, commits);

        backend.Time.Advance(TimeSpan.FromDays(8));
        await store.AppendAsync(Backend.Draft("topics/0"), Backend.Cancellation);
        Assert.Equal(Topics, await store.TrimAsync(Backend.Cancellation));
        Assert.Equal(2 + Topics + 1, commits);
        Assert.Single((await store.ReadAsync(new JournalQuery(0, null), Backend.Cancellation)).Events);
    }
}
