using Dunlin.Core.Tests.Fanout;
using Dunlin.Diagnostics;
using Dunlin.Leases;
using Dunlin.TestKit;
using Dunlin.Topics;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Dunlin.Core.Tests.Leases;

/// <summary>The check of an expiry survives a transaction that rolls back. Found by <c>test/Dunlin.Simulation</c>.</summary>
public sealed class LeaseExpiryTests : IDisposable
{
    private static readonly ResourceName File = ResourceName.Parse("files/1");

    private readonly TestNode _node = new();
    private readonly CommitFaults _faults = new();
    private readonly LeaseService _leases;

    public LeaseExpiryTests() =>
        _leases = new LeaseService(
            new FaultyStore(_node.Store, _faults),
            [],
            _node.Wheel,
            Options.Create(new LeaseOptions()),
            new LeaseInstruments(new TestMeters()),
            NullLogger<LeaseService>.Instance
        );

    [Fact]
    public async Task A_refused_release_leaves_the_lease_to_its_expiry()
    {
        var watcher = new TestSink();
        await _node.ConnectAsync(watcher, "leases/files");
        var held = await AcquireAsync("ann");
        _faults.FailNext();
        await Assert.ThrowsAsync<DunlinException>(async () => await _leases.ReleaseAsync(held.Claim!));
        _node.Time.Advance(TimeSpan.FromSeconds(12));
        var frames = await watcher.WhenAsync(f => f.Any(x => x.Name == "lease.released"));
        Assert.Contains("\"expired\"", frames[^1].Data, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refused_renewal_does_not_delay_the_expiry()
    {
        var watcher = new TestSink();
        await _node.ConnectAsync(watcher, "leases/files");
        var held = await AcquireAsync("ann");
        _node.Time.Advance(TimeSpan.FromSeconds(5));
        _faults.FailNext();
        await Assert.ThrowsAsync<DunlinException>(async () => await _leases.RenewAsync(held.Claim!, LeaseDuration.FromSeconds(3_000)));
        _node.Time.Advance(TimeSpan.FromSeconds(7));
        var frames = await watcher.WhenAsync(f => f.Any(x => x.Name == "lease.released"));
        Assert.Contains("\"expired\"", frames[^1].Data, StringComparison.Ordinal);
    }

    public void Dispose() => _node.Dispose();

    private ValueTask<LeaseResult> AcquireAsync(string user) =>
        _leases.AcquireAsync(
            new LeaseRequest(File, $"lease-id-of-{user}", new LeaseOwner(user, user), LeaseDuration.FromSeconds(10), Wait: true)
        );
}
