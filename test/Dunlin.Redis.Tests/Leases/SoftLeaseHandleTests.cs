using Dunlin.Hosting;
using Dunlin.InMemory;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Redis.Leases;
using Dunlin.TestKit;
using Dunlin.TestKit.Conformance;
using Dunlin.TestKit.Servers;
using Dunlin.Topics;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Dunlin.Redis.Tests.Leases;

/// <summary>Handles of soft leases. The clock of the handle is manual, that of Redis is real.</summary>
public sealed class SoftLeaseHandleTests : LeaseHandleConformance
{
    private RedisServer? _redis;
    private RedisSoftLeases? _leases;

    protected override async ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention)
    {
        var (feed, clock) = (new CommitFeed(), new StoreClock(time));
        var store = new InMemoryStore(feed, clock, Options.Create(retention));
        _redis = await RedisServer.StartNewAsync();
        _leases = new RedisSoftLeases(
            Options.Create(new SoftLeaseOptions { Configuration = _redis.Endpoint, Timeout = TimeSpan.FromMinutes(1) }),
            store,
            time,
            NullLogger<RedisSoftLeases>.Instance
        );
        return new StoreUnderTest(store, store, feed, clock, null!, null!, CloseAsync);

        async ValueTask CloseAsync()
        {
            _leases.Dispose();
            await _redis.DisposeAsync();
            store.Dispose();
        }
    }

    protected override ValueTask<Lease?> TryAcquireAsync(ResourceName resource, LeaseDuration duration, LeaseSettings? settings) =>
        _leases!.TryAcquireAsync(resource, duration, settings, Cancellation);

    [Fact]
    public async Task A_handle_is_lost_when_Redis_refuses_its_renewal()
    {
        var lease = await HoldAsync();
        await _redis!.TrySendAsync("FLUSHALL");
        await AssertLostAsync(() => lease.RenewAsync(cancellationToken: Cancellation).AsTask());
        Assert.Equal(LeaseEnd.Unknown, await LossAsync(lease));
        Assert.False(await lease.ReleaseAsync(Cancellation));
    }

    [Fact]
    public async Task A_hand_off_is_refused_without_waiters()
    {
        var lease = await HoldAsync();
        await Assert.ThrowsAsync<NotSupportedException>(() => lease.HandOffAsync(cancellationToken: Cancellation).AsTask());
        await lease.RenewAsync(cancellationToken: Cancellation);
    }
}
