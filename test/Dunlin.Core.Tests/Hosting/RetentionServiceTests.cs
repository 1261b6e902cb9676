using Dunlin.Core.Tests.Journal;
using Dunlin.Hosting;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.TestKit;
using Dunlin.Topics;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Dunlin.Core.Tests.Hosting;

public sealed class RetentionServiceTests
{
    [Fact]
    public async Task Old_events_and_rows_of_ended_leases_are_removed_together()
    {
        var (time, retention) = (new ManualTime(), new RetentionOptions { EndedLeaseAge = TimeSpan.FromHours(2) });
        await using var backend = await InMemoryBackend.CreateAsync(time, retention);
        var service = new RetentionService(
            backend.Journal,
            backend.Store,
            backend.Clock,
            Options.Create(retention),
            NullLogger<RetentionService>.Instance
        );
        await backend.Journal.AppendAsync(EventDraft.Of(TopicName.Parse("a"), "t", 1), TestContext.Current.CancellationToken);
        await backend.Store.WriteAsync(
            (unit, ct) => unit.LeaseTable.SaveAsync(new LeaseRow(ResourceName.Parse("r")) { EndedAt = unit.Now }, ct),
            TestContext.Current.CancellationToken
        );

        await service.RunOnceAsync(TestContext.Current.CancellationToken);
        Assert.Equal((1, 1), await CountAsync(backend.Journal, backend.Store));
        time.Advance(TimeSpan.FromDays(8));
        await service.RunOnceAsync(TestContext.Current.CancellationToken);
        Assert.Equal((0, 0), await CountAsync(backend.Journal, backend.Store));
    }

    private static async Task<(int Events, int Leases)> CountAsync(IJournal journal, IStore store)
    {
        var page = await journal.ReadAsync(new JournalQuery(0, null), TestContext.Current.CancellationToken);
        var rows = await store.ReadAsync(
            (scope, ct) => scope.LeaseTable.ListAsync(new LeaseQuery(), ct),
            TestContext.Current.CancellationToken
        );
        return (page.Events.Count, rows.Count);
    }
}
