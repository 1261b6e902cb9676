using Dunlin.Accounts;
using Dunlin.InMemory;
using Dunlin.Journal;
using Dunlin.TestKit;
using Dunlin.TestKit.Conformance;
using Microsoft.Extensions.Options;

namespace Dunlin.Core.Tests.Journal;

public sealed class InMemoryJournalTests : JournalConformance
{
    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        InMemoryBackend.CreateAsync(time, retention);
}

public sealed class InMemoryRetentionTests : RetentionConformance
{
    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        InMemoryBackend.CreateAsync(time, retention);
}

public sealed class InMemoryStoreTests : StoreConformance
{
    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        InMemoryBackend.CreateAsync(time, retention);
}

public sealed class InMemoryLeaseTableTests : LeaseTableConformance
{
    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        InMemoryBackend.CreateAsync(time, retention);
}

public sealed class InMemoryRecordTests : RecordConformance
{
    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        InMemoryBackend.CreateAsync(time, retention);
}

public sealed class InMemoryAccountStoreTests : AccountStoreConformance
{
    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        InMemoryBackend.CreateAsync(time, retention);
}

public sealed class InMemoryStreamTests : StreamConformance
{
    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        InMemoryBackend.CreateAsync(time, retention);
}

public sealed class InMemoryStreamSubscriptionTests : StreamSubscriptionConformance
{
    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        InMemoryBackend.CreateAsync(time, retention);
}

public sealed class InMemoryEventConsumerTests : EventConsumerConformance
{
    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        InMemoryBackend.CreateAsync(time, retention);
}

public sealed class InMemoryWebhookTests : WebhookConformance
{
    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        InMemoryBackend.CreateAsync(time, retention);
}

internal static class InMemoryBackend
{
    public static ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention)
    {
        var (feed, clock, accounts) = (new CommitFeed(), new StoreClock(time), new InMemoryAccountStore());
        var store = new InMemoryStore(feed, clock, Options.Create(retention));
        return new(
            new StoreUnderTest(
                store,
                store,
                feed,
                clock,
                accounts,
                accounts,
                () =>
                {
                    store.Dispose();
                    return default;
                }
            )
        );
    }
}
