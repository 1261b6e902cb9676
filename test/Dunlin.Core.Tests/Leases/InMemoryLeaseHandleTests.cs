using Dunlin.Core.Tests.Journal;
using Dunlin.Journal;
using Dunlin.TestKit;
using Dunlin.TestKit.Conformance;

namespace Dunlin.Core.Tests.Leases;

public sealed class InMemoryLeaseHandleTests : StoreLeaseHandleConformance
{
    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        InMemoryBackend.CreateAsync(time, retention);
}
