using Dunlin.Journal;
using Dunlin.TestKit;
using Dunlin.TestKit.Conformance;

namespace Dunlin.Postgres.Tests.WithRedis;

public sealed class TogetherJournalTests : JournalConformance
{
    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        TwoNodes.ForSuiteAsync(time, retention);
}

public sealed class TogetherRetentionTests : RetentionConformance
{
    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        TwoNodes.ForSuiteAsync(time, retention);
}

public sealed class TogetherStoreTests : StoreConformance
{
    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        TwoNodes.ForSuiteAsync(time, retention);
}

public sealed class TogetherLeaseTableTests : LeaseTableConformance
{
    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        TwoNodes.ForSuiteAsync(time, retention);
}

public sealed class TogetherRecordTests : RecordConformance
{
    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        TwoNodes.ForSuiteAsync(time, retention);
}

public sealed class TogetherAccountStoreTests : AccountStoreConformance
{
    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        TwoNodes.ForSuiteAsync(time, retention);
}

public sealed class TogetherLeaseTests : LeaseConformance
{
    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        TwoNodes.ForSuiteAsync(time, retention);
}

public sealed class TogetherJobTests : JobConformance
{
    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        TwoNodes.ForSuiteAsync(time, retention);
}

public sealed class TogetherJobFaultTests : JobFaultConformance
{
    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        TwoNodes.ForSuiteAsync(time, retention);
}

public sealed class TogetherJobNodeTests : JobNodeConformance
{
    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        TwoNodes.ForSuiteAsync(time, retention);
}

public sealed class TogetherJobFairnessTests : JobFairnessConformance
{
    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        TwoNodes.ForSuiteAsync(time, retention);
}

public sealed class TogetherLeaseHandleTests : StoreLeaseHandleConformance
{
    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        TwoNodes.ForSuiteAsync(time, retention);
}
