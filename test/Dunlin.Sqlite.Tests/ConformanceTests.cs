using Dunlin.Journal;
using Dunlin.Sqlite.Tests.Support;
using Dunlin.TestKit;
using Dunlin.TestKit.Conformance;

namespace Dunlin.Sqlite.Tests;

public sealed class SqliteJournalTests : JournalConformance
{
    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        Backend.ForSuiteAsync(time, retention);
}

public sealed class SqliteRetentionTests : RetentionConformance
{
    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        Backend.ForSuiteAsync(time, retention);
}

public sealed class SqliteStoreTests : StoreConformance
{
    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        Backend.ForSuiteAsync(time, retention);
}

public sealed class SqliteLeaseTableTests : LeaseTableConformance
{
    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        Backend.ForSuiteAsync(time, retention);
}

public sealed class SqliteRecordTests : RecordConformance
{
    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        Backend.ForSuiteAsync(time, retention);
}

public sealed class SqliteAccountStoreTests : AccountStoreConformance
{
    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        Backend.ForSuiteAsync(time, retention);
}

public sealed class SqliteLeaseTests : LeaseConformance
{
    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        Backend.ForSuiteAsync(time, retention);
}

public sealed class SqliteJobTests : JobConformance
{
    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        Backend.ForSuiteAsync(time, retention);
}

public sealed class SqliteJobFaultTests : JobFaultConformance
{
    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        Backend.ForSuiteAsync(time, retention);
}

public sealed class SqliteJobNodeTests : JobNodeConformance
{
    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        Backend.ForSuiteAsync(time, retention);
}

public sealed class SqliteJobFairnessTests : JobFairnessConformance
{
    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        Backend.ForSuiteAsync(time, retention);
}

public sealed class SqliteRevocationTests : RevocationConformance
{
    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        Backend.ForSuiteAsync(time, retention);
}

public sealed class SqliteLeaseHandleTests : StoreLeaseHandleConformance
{
    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        Backend.ForSuiteAsync(time, retention);
}

public sealed class SqliteStreamTests : StreamConformance
{
    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        Backend.ForSuiteAsync(time, retention);
}

public sealed class SqliteStreamSubscriptionTests : StreamSubscriptionConformance
{
    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        Backend.ForSuiteAsync(time, retention);
}

public sealed class SqliteEventConsumerTests : EventConsumerConformance
{
    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        Backend.ForSuiteAsync(time, retention);
}

public sealed class SqliteWebhookTests : WebhookConformance
{
    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        Backend.ForSuiteAsync(time, retention);
}
