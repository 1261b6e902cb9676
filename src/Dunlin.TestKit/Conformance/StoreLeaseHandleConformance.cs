using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Scheduling;
using Dunlin.Topics;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Dunlin.TestKit.Conformance;

/// <summary>Specifies the required behaviour of <see cref="ILeases"/> and <c>unit.Leases</c> on each store: queue, losses with their
/// reason, and transactions.</summary>
public abstract class StoreLeaseHandleConformance : LeaseHandleConformance
{
    private static readonly LeaseSettings Ann = new() { Owner = new LeaseOwner("ann", "Ann", "session-ann") };
    private static readonly LeaseSettings Bob = new() { Owner = new LeaseOwner("bob", "Bob", "session-bob") };

    private readonly QueueAnnouncer _announcer = new();
    private readonly List<TimerWheel> _wheels = [];
    private LeaseService? _service;
    private StoreLeases? _leases;

    private LeaseService Service => _service ??= NewService();

    private StoreLeases Leases => _leases ??= new StoreLeases(Service, Store, Time, NullLogger<StoreLeases>.Instance);

    /// <inheritdoc/>
    protected override ValueTask<Lease?> TryAcquireAsync(ResourceName resource, LeaseDuration duration, LeaseSettings? settings) =>
        Leases.TryAcquireAsync(resource, duration, settings, Cancellation);

    /// <inheritdoc/>
    protected override void OnDisposing() => _wheels.ForEach(wheel => wheel.Dispose());

    /// <summary>Checks that waiting calls are granted the lease in the order of their arrival.</summary>
    [Fact]
    public async Task Waiting_calls_are_granted_in_the_order_in_which_they_came()
    {
        var first = await HoldAsync();
        var second = await WaitAsync(1);
        var third = await WaitAsync(2);
        await first.ReleaseAsync(Cancellation);
        var next = await GrantedAsync(second);
        Assert.False(third.IsCompleted);
        await next.DisposeAsync();
        var last = await GrantedAsync(third);
        Assert.True(last.FencingToken > next.FencingToken && next.FencingToken > first.FencingToken);
        Assert.Equal(Duration, last.ExpiresAt - await NowAsync());
    }

    /// <summary>Checks that a free lease is granted without waiting.</summary>
    [Fact]
    public async Task A_free_lease_is_granted_without_waiting()
    {
        var lease = await Leases.AcquireAsync(File, Duration, cancellationToken: Cancellation);
        Assert.Equal(lease.FencingToken, (await Leases.FindAsync(File, Cancellation))!.FencingToken);
    }

    /// <summary>Checks that a waiting call is granted when another node's lease expires.</summary>
    [Fact]
    public async Task A_waiting_call_is_granted_when_the_lease_of_another_node_expires()
    {
        var (other, wheel) = NewNode();
        var holder = await other.AcquireAsync(RequestOf("lease-of-another-node", "eve"), cancellationToken: Cancellation);
        var waiting = await WaitAsync(1);
        // The timer wheel of this node does not schedule the other node's leases, but its poll detects the free lease.
        wheel.Dispose();
        Time.Advance(Duration + TimeSpan.FromSeconds(1));
        await Service.Watches.PollAsync();
        var lease = await GrantedAsync(waiting);
        Assert.True(lease.FencingToken > holder.Lease.FencingToken);
    }

    /// <summary>Checks that a waiting call keeps its place longer than <see cref="LeaseOptions.WaitTimeout"/>.</summary>
    [Fact]
    public async Task A_waiting_call_keeps_its_place_longer_than_the_wait_timeout()
    {
        var interval = Service.Options.WaitTimeout / 3;
        var probe = new TimerProbe(Time, interval);
        var waiters = new StoreLeases(Service, Store, probe, NullLogger<StoreLeases>.Instance);
        var holder = await Leases.AcquireAsync(File, Service.Options.MaxDuration, cancellationToken: Cancellation);
        // A request stands first in the queue and is not repeated: only it loses its place.
        await Service.AcquireAsync(RequestOf("lease-of-silence", "eve") with { Wait = true }, cancellationToken: Cancellation);
        var first = waiters.AcquireAsync(File, Duration, Ann, Cancellation).AsTask();
        await ArmedAsync(probe, 1);
        var second = waiters.AcquireAsync(File, Duration, Bob, Cancellation).AsTask();
        await ArmedAsync(probe, 1);
        for (var i = 0; i < 5; i++)
        {
            Time.Advance(interval);
            await ArmedAsync(probe, 2);
        }
        var lease = (await Leases.FindAsync(File, Cancellation))!;
        Assert.Equal(2, lease.Waiting);
        Assert.Equal(["ann", "bob"], lease.Waiters.Select(waiter => waiter.UserId));
        await holder.ReleaseAsync(Cancellation);
        var next = await GrantedAsync(first);
        Assert.False(second.IsCompleted);
        await next.DisposeAsync();
        await GrantedAsync(second);
    }

    /// <summary>Checks that a cancelled call leaves the queue.</summary>
    [Fact]
    public async Task A_cancelled_wait_leaves_the_queue()
    {
        var first = await HoldAsync();
        using var cancel = new CancellationTokenSource();
        var second = await WaitAsync(1, cancel.Token);
        var third = await WaitAsync(2);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        Assert.Equal(1, (await Leases.FindAsync(File, Cancellation))!.Waiting);
        await first.ReleaseAsync(Cancellation);
        await GrantedAsync(third);
    }

    /// <summary>Checks that a cancelled call acquires nothing.</summary>
    [Fact]
    public async Task A_cancelled_call_acquires_nothing()
    {
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            Leases.TryAcquireAsync(File, Duration, null, cancelled.Token).AsTask()
        );
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Leases.AcquireAsync(File, Duration, null, cancelled.Token).AsTask());
        Assert.Null(await Leases.FindAsync(File, Cancellation));
    }

    /// <summary>Checks that a full queue refuses a waiting call.</summary>
    [Fact]
    public async Task A_full_queue_refuses_a_waiting_call()
    {
        await HoldAsync();
        for (var i = 1; i <= Service.Options.MaxWaitersPerUser; i++)
            await WaitAsync(i);
        var full = await Assert.ThrowsAsync<DunlinException>(() => Leases.AcquireAsync(File, Duration, null, Cancellation).AsTask());
        Assert.Equal(ErrorCode.QueueFull, full.Code);
    }

    /// <summary>Checks that a preempted handle is lost at once.</summary>
    [Fact]
    public async Task A_preempted_handle_is_lost_at_once()
    {
        var lease = await HoldAsync();
        var result = await PreemptAsync(TimeSpan.Zero);
        Assert.Equal(LeaseEnd.Preempted, await LossAsync(lease));
        Assert.False(await lease.ReleaseAsync(Cancellation));
        Assert.Equal(result.Lease.FencingToken, (await Leases.FindAsync(File, Cancellation))!.FencingToken);
    }

    /// <summary>Checks that a handle preempted with a grace period is lost at the deadline.</summary>
    [Fact]
    public async Task A_handle_preempted_with_a_grace_is_lost_at_the_deadline()
    {
        var lease = await HoldAsync(new LeaseSettings { AutoRenew = true });
        await PreemptAsync(TimeSpan.FromSeconds(9));
        await WhenAsync(() => lease.IsEnding);
        Assert.Equal(TimeSpan.FromSeconds(9), lease.ExpiresAt - await NowAsync());
        await lease.RenewAsync(cancellationToken: Cancellation);
        Time.Advance(TimeSpan.FromSeconds(8));
        Assert.False(lease.Lost.IsCancellationRequested);
        Time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(LeaseEnd.Preempted, await LossAsync(lease));
    }

    /// <summary>Checks that a hand-off grants the lease to the waiter with a larger token.</summary>
    [Fact]
    public async Task A_preemption_in_a_unit_of_work_takes_effect_with_its_commit()
    {
        var lease = await HoldAsync(Ann);
        await Assert.ThrowsAsync<FormatException>(() =>
            Store
                .WriteAsync(
                    async (unit, ct) =>
                    {
                        var own = await PreemptInAsync(unit, TimeSpan.Zero, ct);
                        await unit.Leases.RequireAsync(own.Claim!, ct);
                        throw new FormatException();
                    },
                    Cancellation
                )
                .AsTask()
        );
        await WriteAsync(lease);
        Assert.Null(lease.LossReason);
        var result = await Store.WriteAsync((unit, ct) => PreemptInAsync(unit, TimeSpan.Zero, ct), Cancellation);
        Assert.Equal(LeaseEnd.Preempted, await LossAsync(lease));
        await AssertLostAsync(() => WriteAsync(lease));
        var next = await Leases.AttachAsync(result.Claim!, cancellationToken: Cancellation);
        Assert.True(next.FencingToken > lease.FencingToken);
        await WriteAsync(next);
    }

    /// <summary>Checks that a preemption with a grace in a unit of work lets the holder finish.</summary>
    [Fact]
    public async Task A_preemption_with_a_grace_in_a_unit_of_work_lets_the_holder_finish()
    {
        var lease = await HoldAsync(Ann);
        var result = await Store.WriteAsync((unit, ct) => PreemptInAsync(unit, TimeSpan.FromSeconds(9), ct), Cancellation);
        Assert.Equal((LeaseStatus.Queued, null), (result.Status, result.Claim));
        await WhenAsync(() => lease.IsEnding);
        await WriteAsync(lease);
        Time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(LeaseEnd.Preempted, await LossAsync(lease));
        var granted = await Service.AcquireAsync(RequestOf("lease-of-preemptor", "eve"), cancellationToken: Cancellation);
        Assert.Equal(LeaseStatus.Same, granted.Status);
    }

    /// <summary>Checks that a malformed preemption in a unit of work is refused.</summary>
    [Theory]
    [InlineData("", 0)]
    [InlineData("urgent", -1)]
    [InlineData("urgent", 301)]
    public async Task A_malformed_preemption_in_a_unit_of_work_is_refused(string reason, int graceSeconds)
    {
        var lease = await HoldAsync(Ann);
        var request = RequestOf("lease-of-preemptor", "eve");
        var grace = TimeSpan.FromSeconds(graceSeconds);
        var refused = await Assert.ThrowsAsync<DunlinException>(() =>
            Store.WriteAsync((unit, ct) => unit.Leases.PreemptAsync(request, reason, grace, cancellationToken: ct), Cancellation).AsTask()
        );
        Assert.Equal(ErrorCode.InvalidField, refused.Code);
        await WriteAsync(lease);
    }

    /// <summary>Checks that a hand-off grants the lease to the waiter with a larger token.</summary>
    [Fact]
    public async Task A_hand_off_moves_the_lease_to_the_waiter_with_a_larger_token()
    {
        var lease = await HoldAsync();
        var nobody = await Assert.ThrowsAsync<DunlinException>(() => lease.HandOffAsync(cancellationToken: Cancellation).AsTask());
        Assert.Equal((ErrorCode.Conflict, false), (nobody.Code, lease.Lost.IsCancellationRequested));
        var ann = await WaitAsync(1, settings: Ann);
        var bob = await WaitAsync(2, settings: Bob);
        await lease.HandOffAsync("bob", Cancellation);
        Assert.Equal(LeaseEnd.HandedOff, await LossAsync(lease));
        var next = await GrantedAsync(bob);
        Assert.True(next.FencingToken > lease.FencingToken);
        Assert.False(ann.IsCompleted);
        await AssertLostAsync(() => lease.HandOffAsync(cancellationToken: Cancellation).AsTask());
        await next.HandOffAsync(cancellationToken: Cancellation);
        await GrantedAsync(ann);
    }

    /// <summary>Checks that a handle is lost when its lease is released by another caller.</summary>
    [Fact]
    public async Task A_handle_is_lost_when_its_lease_is_released_elsewhere()
    {
        var lease = await HoldAsync();
        await Service.ReleaseAsync(lease.Claim, cancellationToken: Cancellation);
        Assert.Equal(LeaseEnd.Released, await LossAsync(lease));
    }

    /// <summary>Checks that a handle is lost when its owner's session ends.</summary>
    [Fact]
    public async Task A_handle_is_lost_when_the_session_of_its_owner_ends()
    {
        var lease = await HoldAsync(Ann);
        await Service.EndSessionAsync("session-ann", LeaseEnd.SignedOut, cancellationToken: Cancellation);
        Assert.Equal(LeaseEnd.SignedOut, await LossAsync(lease));
    }

    /// <summary>Checks that the poll detects a loss that another node has caused.</summary>
    [Fact]
    public async Task A_loss_that_another_node_causes_is_noticed_by_the_poll()
    {
        var (other, _) = NewNode();
        var lease = await HoldAsync();
        await other.PreemptAsync(RequestOf("lease-of-another-node", "eve"), "urgent", TimeSpan.Zero, cancellationToken: Cancellation);
        Assert.False(lease.Lost.IsCancellationRequested);
        Time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(LeaseEnd.Preempted, await LossAsync(lease));
    }

    /// <summary>Checks that the poll starts again for a handle that is opened after all others were closed.</summary>
    [Fact]
    public async Task The_poll_starts_again_after_the_last_handle_was_closed()
    {
        var (other, _) = NewNode();
        for (var i = 0; i < 10; i++)
        {
            await (await HoldAsync()).DisposeAsync();
            Time.Advance(TimeSpan.FromSeconds(2)); // the poll finds no handle
        }
        var lease = await HoldAsync();
        await other.PreemptAsync(RequestOf("lease-of-another-node", "eve"), "urgent", TimeSpan.Zero, cancellationToken: Cancellation);
        Time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(LeaseEnd.Preempted, await LossAsync(lease));
    }

    /// <summary>Checks that a renewal after a loss reports the reason.</summary>
    [Fact]
    public async Task A_handle_that_renews_after_a_loss_learns_the_reason()
    {
        var (other, _) = NewNode();
        var lease = await HoldAsync();
        await other.PreemptAsync(RequestOf("lease-of-another-node", "eve"), "urgent", TimeSpan.Zero, cancellationToken: Cancellation);
        await AssertLostAsync(() => lease.RenewAsync(cancellationToken: Cancellation).AsTask());
        Assert.Equal(LeaseEnd.Preempted, await LossAsync(lease));
    }

    /// <summary>Checks that an expired handle can neither write nor end the next holder's lease.</summary>
    [Fact]
    public async Task G3_An_expired_handle_can_neither_write_nor_end_the_next_lease()
    {
        var stale = await HoldAsync(Ann);
        await WriteAsync(stale);
        Time.Advance(Duration + TimeSpan.FromSeconds(1));
        await LossAsync(stale);
        await AssertLostAsync(() => WriteAsync(stale));
        var next = await HoldAsync(Bob);
        await AssertLostAsync(() => WriteAsync(stale));
        Assert.False(await stale.ReleaseAsync(Cancellation));
        await WriteAsync(next);
        Assert.Equal(2, (await ReadAllAsync(0, "written")).Count);
    }

    /// <summary>Checks that lease changes roll back with their unit of work.</summary>
    [Fact]
    public async Task G1_Changes_of_leases_roll_back_with_their_unit_of_work()
    {
        var held = await HoldAsync();
        var other = ResourceName.Parse("files/2");
        await Assert.ThrowsAsync<FormatException>(() =>
            Store
                .WriteAsync(
                    async (unit, ct) =>
                    {
                        Assert.NotNull(await unit.Leases.TryAcquireAsync(other, Duration, cancellationToken: ct));
                        Assert.NotNull(await unit.Leases.FindAsync(other, ct));
                        Assert.True(await unit.Leases.ReleaseAsync(held.Claim, cancellationToken: ct));
                        throw new FormatException();
                    },
                    Cancellation
                )
                .AsTask()
        );
        Assert.Null(await Leases.FindAsync(other, Cancellation));
        await WriteAsync(held);
        await held.RenewAsync(cancellationToken: Cancellation);
        Assert.Null(held.LossReason);
    }

    /// <summary>Checks that a lease acquired in a unit of work becomes a handle after the commit.</summary>
    [Fact]
    public async Task A_lease_that_a_unit_of_work_acquired_becomes_a_handle_after_the_commit()
    {
        _ = Service;
        var result = await Store.WriteAsync((unit, ct) => unit.Leases.TryAcquireAsync(File, Duration, cancellationToken: ct), Cancellation);
        Assert.Null(await TryAcquireAsync(File, Duration, null));
        Assert.Null(await Store.WriteAsync((unit, ct) => unit.Leases.TryAcquireAsync(File, Duration, cancellationToken: ct), Cancellation));
        var lease = await Leases.AttachAsync(result!.Claim!, cancellationToken: Cancellation);
        Assert.Equal(
            (result.Lease.FencingToken, result.Lease.ExpiresAt, result.LeaseId),
            (lease.FencingToken, lease.ExpiresAt, lease.Claim.LeaseId)
        );
        await lease.DisposeAsync();
        await AssertLostAsync(() => Leases.AttachAsync(result.Claim!, cancellationToken: Cancellation).AsTask());
        Assert.Null(await Leases.FindAsync(File, Cancellation));
    }

    /// <summary>Checks that a handle follows the lease changes of committed units of work.</summary>
    [Fact]
    public async Task A_handle_follows_what_units_of_work_commit()
    {
        var lease = await HoldAsync();
        Time.Advance(TimeSpan.FromSeconds(10));
        var renewed = await Store.WriteAsync(
            (unit, ct) => unit.Leases.RenewAsync(lease.Claim, TimeSpan.FromSeconds(60), cancellationToken: ct),
            Cancellation
        );
        await Service.Watches.PollAsync();
        Assert.Equal(renewed.Lease.ExpiresAt, lease.ExpiresAt);
        var waiting = await WaitAsync(1);
        await Store.WriteAsync((unit, ct) => unit.Leases.HandOffAsync(lease.Claim, cancellationToken: ct), Cancellation);
        Assert.Equal(LeaseEnd.HandedOff, await LossAsync(lease));
        await GrantedAsync(waiting);
    }

    /// <summary>Checks that another user's lease id and a wrong token are refused.</summary>
    [Fact]
    public async Task Another_users_lease_id_and_a_wrong_token_claim_nothing()
    {
        var lease = await HoldAsync(Ann);
        LeaseClaim[] wrong =
        [
            lease.Claim with
            {
                UserId = "bob",
            },
            lease.Claim with
            {
                FencingToken = lease.FencingToken.Number + 1,
            },
            lease.Claim with
            {
                LeaseId = "lease-id-of-nobody",
            },
        ];
        foreach (var claim in wrong)
        {
            Assert.False(await Service.ReleaseAsync(claim, cancellationToken: Cancellation));
            await AssertLostAsync(() => Service.RenewAsync(claim, cancellationToken: Cancellation).AsTask());
            await AssertLostAsync(() => Leases.AttachAsync(claim, cancellationToken: Cancellation).AsTask());
            await AssertLostAsync(() =>
                Store.WriteAsync(async (unit, ct) => await unit.Leases.RequireAsync(claim, ct), Cancellation).AsTask()
            );
        }
        await WriteAsync(lease);
    }

    private LeaseService NewService()
    {
        var wheel = new TimerWheel(Time);
        _wheels.Add(wheel);
        var service = new LeaseService(
            Store,
            [new LeaseAnnouncerRule("files", _announcer)],
            wheel,
            Options.Create(new LeaseOptions()),
            new LeaseInstruments(new TestMeters()),
            NullLogger<LeaseService>.Instance
        );
        Store.UseLeases(service);
        return service;
    }

    /// <summary>Creates another node on the same store, which does not notify the handles of this node.</summary>
    private (LeaseService Service, TimerWheel Wheel) NewNode()
    {
        var service = NewService();
        var wheel = _wheels[^1];
        // The units of the store belong to the node of the test.
        _leases = null;
        _service = NewService();
        return (service, wheel);
    }

    private static LeaseRequest RequestOf(string leaseId, string userId) => new(File, leaseId, new LeaseOwner(userId, userId), Duration);

    private ValueTask<LeaseResult> PreemptAsync(TimeSpan grace) =>
        Service.PreemptAsync(RequestOf("lease-of-preemptor", "eve"), "urgent", grace, cancellationToken: Cancellation);

    private static ValueTask<LeaseResult> PreemptInAsync(IUnitOfWork unit, TimeSpan grace, CancellationToken cancellationToken) =>
        unit.Leases.PreemptAsync(RequestOf("lease-of-preemptor", "eve"), "urgent", grace, cancellationToken: cancellationToken);

    /// <summary>Completes when this number of calls has polled and waits for the next poll.</summary>
    private static async Task ArmedAsync(TimerProbe probe, int calls)
    {
        for (var i = 0; i < calls; i++)
            await probe.ArmedAsync().WaitAsync(TimeSpan.FromSeconds(20), Cancellation);
    }

    /// <summary>Starts a call that waits, and returns when the queue has this length.</summary>
    private async Task<Task<Lease>> WaitAsync(int queued, CancellationToken cancellationToken = default, LeaseSettings? settings = null)
    {
        var waiting = Leases
            .AcquireAsync(File, Duration, settings, cancellationToken == default ? Cancellation : cancellationToken)
            .AsTask();
        await _announcer.WhenQueuedAsync(queued).WaitAsync(TimeSpan.FromSeconds(20), Cancellation);
        return waiting;
    }

    private static Task<Lease> GrantedAsync(Task<Lease> waiting) => waiting.WaitAsync(TimeSpan.FromSeconds(20), Cancellation);

    private ValueTask<DateTimeOffset> NowAsync() => Store.ReadAsync((scope, _) => new ValueTask<DateTimeOffset>(scope.Now), Cancellation);

    private Task WriteAsync(Lease lease) =>
        Store
            .WriteAsync(
                async (unit, ct) =>
                {
                    await unit.Leases.RequireAsync(lease, ct);
                    await unit.AppendAsync(Draft("written"), ct);
                },
                Cancellation
            )
            .AsTask();

    /// <summary>An announcer without events, because handles do not depend on events. It reports queued waiters to the test.</summary>
    private sealed class QueueAnnouncer : ILeaseAnnouncer
    {
        private readonly Lock _gate = new(); // guards the fields below
        private readonly List<(int Count, TaskCompletionSource Reached)> _barriers = [];
        private int _queued;

        public Task WhenQueuedAsync(int count)
        {
            lock (_gate)
            {
                if (_queued >= count)
                    return Task.CompletedTask;
                var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                _barriers.Add((count, reached));
                return reached.Task;
            }
        }

        public ValueTask AnnounceAsync(LeaseChange change, IUnitOfWork unit, CancellationToken cancellationToken)
        {
            if (change.Kind != LeaseChangeKind.Queued)
                return default;
            lock (_gate)
            {
                _queued++;
                foreach (var (count, reached) in _barriers)
                {
                    if (_queued >= count)
                        reached.TrySetResult();
                }
            }
            return default;
        }
    }
}
