using Dunlin.Core.Tests.Journal;
using Dunlin.Journal;
using Dunlin.TestKit;
using Dunlin.TestKit.Conformance;

namespace Dunlin.Core.Tests.Access;

public sealed class InMemoryRevocationTests : RevocationConformance
{
    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        InMemoryBackend.CreateAsync(time, retention);
}
