using Dunlin.Diagnostics;
using Dunlin.Leases;
using Dunlin.Topics;

namespace Dunlin.TestKit.Conformance;

/// <summary>What a <see cref="Lease"/> owes, whatever keeps the lease: the store, or Redis.</summary>
public abstract class LeaseHandleConformance : ConformanceSuite
{
    /// <summary>The duration of the leases of this suite.</summary>
    protected static readonly TimeSpan Duration = TimeSpan.FromSeconds(30);

    /// <summary>The resource of this suite.</summary>
    protected static readonly ResourceName File = ResourceName.Parse("files/1");

    /// <summary>Acquires through the interface under test.</summary>
    protected abstract ValueTask<Lease?> TryAcquireAsync(ResourceName resource, LeaseDuration duration, LeaseSettings? settings);

    /// <summary>Acquires <see cref="File"/>, which must be free.</summary>
    protected async Task<Lease> HoldAsync(LeaseSettings? settings = null)
    {
        var lease = await TryAcquireAsync(File, Duration, settings);
        Assert.NotNull(lease);
        return lease;
    }

    /// <summary>Completes when the handle has lost its lease.</summary>
    protected static async Task<LeaseEnd?> LossAsync(Lease lease)
    {
        var lost = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = lease.Lost.Register(lost.SetResult);
        await lost.Task.WaitAsync(TimeSpan.FromSeconds(20), Cancellation);
        return lease.LossReason;
    }

    /// <summary>Completes when what another thread does has come true.</summary>
    protected static async Task WhenAsync(Func<bool> condition)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        limit.CancelAfter(TimeSpan.FromSeconds(20));
        while (!condition())
        {
            limit.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    /// <summary>Fails unless the action is refused because the lease is lost.</summary>
    protected static async Task AssertLostAsync(Func<Task> action) =>
        Assert.Equal(ErrorCode.LeaseLost, (await Assert.ThrowsAsync<DunlinException>(action)).Code);

    [Fact]
    public async Task Contention_gives_null_until_the_holder_releases()
    {
        var first = await HoldAsync();
        Assert.Null(await TryAcquireAsync(File, Duration, null));
        Assert.True(await first.ReleaseAsync(Cancellation));
        var second = await HoldAsync();
        Assert.True(second.FencingToken > first.FencingToken);
    }

    [Fact]
    public async Task Disposal_releases_once_and_is_no_loss()
    {
        var lease = await HoldAsync();
        await lease.DisposeAsync();
        await lease.DisposeAsync();
        Assert.False(await lease.ReleaseAsync(Cancellation));
        Assert.Equal((false, null), (lease.Lost.IsCancellationRequested, lease.LossReason));
        await AssertLostAsync(() => lease.RenewAsync(cancellationToken: Cancellation).AsTask());
        await HoldAsync();
    }

    [Fact]
    public async Task G3_A_stale_handle_neither_renews_nor_releases_the_next_lease()
    {
        var settings = new LeaseSettings { LeaseId = "lease-id-of-both" };
        var stale = await HoldAsync(settings);
        await stale.DisposeAsync();
        // The same lease id, granted again: only the token tells them apart.
        var next = await HoldAsync(settings);
        await AssertLostAsync(() => stale.RenewAsync(cancellationToken: Cancellation).AsTask());
        Assert.False(await stale.ReleaseAsync(Cancellation));
        await stale.DisposeAsync();
        await next.RenewAsync(cancellationToken: Cancellation);
        Assert.Null(await TryAcquireAsync(File, Duration, null));
    }

    [Fact]
    public async Task A_handle_is_lost_when_its_duration_is_over()
    {
        var lease = await HoldAsync();
        Time.Advance(Duration - TimeSpan.FromMilliseconds(1));
        Assert.False(lease.Lost.IsCancellationRequested);
        Time.Advance(TimeSpan.FromMilliseconds(2));
        Assert.Equal(LeaseEnd.Expired, await LossAsync(lease));
        await AssertLostAsync(() => lease.RenewAsync(cancellationToken: Cancellation).AsTask());
    }

    [Fact]
    public async Task A_renewal_moves_the_expiry_out_and_in()
    {
        var lease = await HoldAsync();
        var first = lease.ExpiresAt;
        Time.Advance(Duration / 2);
        await lease.RenewAsync(cancellationToken: Cancellation);
        Assert.Equal(first + (Duration / 2), lease.ExpiresAt);
        await lease.RenewAsync(TimeSpan.FromSeconds(5), Cancellation);
        Time.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal(LeaseEnd.Expired, await LossAsync(lease));
    }

    [Fact]
    public async Task Automatic_renewal_keeps_the_lease_beyond_its_duration()
    {
        var lease = await HoldAsync(new LeaseSettings { AutoRenew = true });
        for (var i = 0; i < 10; i++)
        {
            var before = lease.ExpiresAt;
            Time.Advance((Duration / 3) + TimeSpan.FromSeconds(1));
            await WhenAsync(() => lease.ExpiresAt > before);
        }
        Assert.False(lease.Lost.IsCancellationRequested);
        await lease.DisposeAsync();
        var last = lease.ExpiresAt;
        Time.Advance(Duration * 2);
        Assert.Equal((last, false), (lease.ExpiresAt, lease.Lost.IsCancellationRequested));
    }

    [Fact]
    public async Task A_malformed_request_is_refused_and_acquires_nothing()
    {
        Func<Task>[] actions =
        [
            () => TryAcquireAsync(default, Duration, null).AsTask(),
            () => TryAcquireAsync(File, Duration, new LeaseSettings { LeaseId = "short" }).AsTask(),
            () => TryAcquireAsync(File, TimeSpan.Zero, null).AsTask(),
            () => TryAcquireAsync(File, TimeSpan.FromDays(2), null).AsTask(),
        ];
        foreach (var action in actions)
            Assert.Contains(
                (await Assert.ThrowsAsync<DunlinException>(action)).Code,
                new[] { ErrorCode.InvalidField, ErrorCode.InvalidResource }
            );
        await HoldAsync();
    }
}
