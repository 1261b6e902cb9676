using Dunlin.Backplane;
using Dunlin.TestKit.Conformance;

namespace Dunlin.Core.Tests.Backplane;

public sealed class InProcessBackplaneTests : BackplaneConformance
{
    private readonly InProcessBackplane _backplane = new();

    internal override ValueTask<IBackplane> ConnectAsync(IBackplaneNode node)
    {
        _backplane.Attach(node);
        return new(_backplane);
    }

    public override ValueTask DisposeAsync() => default;
}
