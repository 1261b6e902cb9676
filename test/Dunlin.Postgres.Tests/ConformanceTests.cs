using Dunlin.Journal;
using Dunlin.Postgres.Tests.Support;
using Dunlin.TestKit;
using Dunlin.TestKit.Conformance;

namespace Dunlin.Postgres.Tests;

public sealed class PostgresJournalTests : JournalConformance
{
    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        Backend.ForSuiteAsync(time, retention);
}

public sealed class PostgresRetentionTests : RetentionConformance
{
    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        Backend.ForSuiteAsync(time, retention);
}

public sealed class PostgresStoreTests : StoreConformance
{
    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        Backend.ForSuiteAsync(time, retention);
}

public sealed class PostgresLeaseTableTests : LeaseTableConformance
{
    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        Backend.ForSuiteAsync(time, retention);
}

public sealed class PostgresRecordTests : RecordConformance
{
    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        Backend.ForSuiteAsync(time, retention);
}

public sealed class PostgresAccountStoreTests : AccountStoreConformance
{
    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        Backend.ForSuiteAsync(time, retention);
}

public sealed class PostgresLeaseTests : LeaseConformance
{
    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        Backend.ForSuiteAsync(time, retention);
}

public sealed class PostgresJobTests : JobConformance
{
    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        Backend.ForSuiteAsync(time, retention);
}

public sealed class PostgresJobFaultTests : JobFaultConformance
{
    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        Backend.ForSuiteAsync(time, retention);
}

public sealed class PostgresJobNodeTests : JobNodeConformance
{
    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        Backend.ForSuiteAsync(time, retention);
}

public sealed class PostgresJobFairnessTests : JobFairnessConformance
{
    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        Backend.ForSuiteAsync(time, retention);
}

public sealed class PostgresRevocationTests : RevocationConformance
{
    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        Backend.ForSuiteAsync(time, retention);
}

public sealed class PostgresLeaseHandleTests : StoreLeaseHandleConformance
{
    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        Backend.ForSuiteAsync(time, retention);
}

public sealed class PostgresStreamTests : StreamConformance
{
    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        Backend.ForSuiteAsync(time, retention);
}

public sealed class PostgresStreamSubscriptionTests : StreamSubscriptionConformance
{
    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        Backend.ForSuiteAsync(time, retention);
}

public sealed class PostgresEventConsumerTests : EventConsumerConformance
{
    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        Backend.ForSuiteAsync(time, retention);
}

public sealed class PostgresWebhookTests : WebhookConformance
{
    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        Backend.ForSuiteAsync(time, retention);
}
