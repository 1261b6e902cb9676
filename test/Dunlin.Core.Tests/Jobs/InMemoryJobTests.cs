using Dunlin.Core.Tests.Journal;
using Dunlin.Journal;
using Dunlin.TestKit;
using Dunlin.TestKit.Conformance;

namespace Dunlin.Core.Tests.Jobs;

public sealed class InMemoryJobTests : JobConformance
{
    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        InMemoryBackend.CreateAsync(time, retention);
}

public sealed class InMemoryJobFaultTests : JobFaultConformance
{
    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        InMemoryBackend.CreateAsync(time, retention);
}

public sealed class InMemoryJobNodeTests : JobNodeConformance
{
    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        InMemoryBackend.CreateAsync(time, retention);
}

public sealed class InMemoryJobFairnessTests : JobFairnessConformance
{
    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        InMemoryBackend.CreateAsync(time, retention);
}
