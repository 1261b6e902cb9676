using Dunlin.Diagnostics;
using Dunlin.Leases;
using Dunlin.Topics;

namespace Dunlin.TestKit.Conformance;

/// <summary>Specifies the required behaviour of each <see cref="Lease"/>, whether the store or Redis keeps it.</summary>
public abstract class LeaseHandleConformance : ConformanceSuite
{
    /// <summary>The duration of the leases of this suite: 30 seconds.</summary>
    protected static readonly TimeSpan Duration = TimeSpan.FromSeconds(30);

    /// <summary>The resource of this suite.</summary>
    protected static readonly ResourceName File = ResourceName.Parse("files/1");

    /// <summary>Acquires a lease through the interface under test.</summary>
    /// <param name="resource">The resource.</param>
    /// <param name="duration">The duration.</param>
    /// <param name="settings">The settings. Null for the defaults.</param>
    protected abstract ValueTask<Lease?> TryAcquireAsync(ResourceName resource, LeaseDuration duration, LeaseSettings? settings);

    /// <summary>Acquires <see cref="File"/>, which must be free.</summary>
    /// <param name="settings">The settings. Null for the defaults.</param>
    protected async Task<Lease> HoldAsync(LeaseSettings? settings = null)
    {
        var lease = await TryAcquireAsync(File, Duration, settings);
        Assert.NotNull(lease);
        return lease;
    }

    /// <summary>Waits until the handle has lost its lease, and returns the reason.</summary>
    /// <param name="lease">The lease.</param>
    protected static async Task<LeaseEnd?> LossAsync(Lease lease)
    {
        var lost = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = lease.Lost.Register(lost.SetResult);
        await lost.Task.WaitAsync(TimeSpan.FromSeconds(20), Cancellation);
        return lease.LossReason;
    }

    /// <summary>Waits until another thread has made a condition true, for at most 20 seconds.</summary>
    /// <param name="condition">The condition.</param>
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

    /// <summary>Asserts that an action fails because the lease is lost.</summary>
    /// <param name="action">The action.</param>
    protected static async Task AssertLostAsync(Func<Task> action) =>
        Assert.Equal(ErrorCode.LeaseLost, (await Assert.ThrowsAsync<DunlinException>(action)).Code);

    /// <summary>Checks that an attempt returns null until the holder releases the lease.</summary>
    [Fact]
    public async Task Contention_gives_null_until_the_holder_releases()
    {
        var first = await HoldAsync();
        Assert.Null(await TryAcquireAsync(File, Duration, null));
        Assert.True(await first.ReleaseAsync(Cancellation));
        var second = await HoldAsync();
        Assert.True(second.FencingToken > first.FencingToken);
    }

    /// <summary>Checks that disposal releases a lease once and is not reported as a loss.</summary>
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

    /// <summary>Checks that a stale handle can neither renew nor release the next lease.</summary>
    [Fact]
    public async Task G3_A_stale_handle_neither_renews_nor_releases_the_next_lease()
    {
        var settings = new LeaseSettings { LeaseId = "lease-id-of-both" };
        var stale = await HoldAsync(settings);
        await stale.DisposeAsync();
        // The same lease id, granted again: only the token differs.
        var next = await HoldAsync(settings);
        await AssertLostAsync(() => stale.RenewAsync(cancellationToken: Cancellation).AsTask());
        Assert.False(await stale.ReleaseAsync(Cancellation));
        await stale.DisposeAsync();
        await next.RenewAsync(cancellationToken: Cancellation);
        Assert.Null(await TryAcquireAsync(File, Duration, null));
    }

    /// <summary>Checks that a handle is lost at the end of its duration.</summary>
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

    /// <summary>Checks that a renewal can extend and shorten a lease.</summary>
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

    /// <summary>Checks that a row that was read before a renewal changes nothing after it.</summary>
    [Fact]
    public async Task A_row_read_before_a_renewal_does_not_shorten_the_handle()
    {
        var lease = await HoldAsync();
        var (before, turn) = (lease.ExpiresAt, Lease.NextTurn());
        Time.Advance(Duration / 2);
        await lease.RenewAsync(cancellationToken: Cancellation);
        lease.Update(before, isEnding: false, turn);
        Assert.Equal(before + (Duration / 2), lease.ExpiresAt);
    }

    /// <summary>Checks that automatic renewal keeps a lease beyond its duration.</summary>
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

    /// <summary>Checks that a malformed request is refused and acquires nothing.</summary>
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
