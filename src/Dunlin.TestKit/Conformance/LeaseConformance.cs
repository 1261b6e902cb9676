using System.Collections.Concurrent;
using System.Text.Json;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Scheduling;
using Dunlin.Topics;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Dunlin.TestKit.Conformance;

/// <summary>Specifies the required behaviour of leases on each back end: one holder, fencing tokens, and an announcement of each
/// end.</summary>
public abstract partial class LeaseConformance : ConformanceSuite
{
    private const string IdA = "lease-id-of-a",
        IdB = "lease-id-of-b",
        IdC = "lease-id-of-c";

    private static readonly ResourceName File = ResourceName.Parse("files/1");
    private static readonly LeaseOwner Ann = new("ann", "Ann", "session-ann", null, "device-ann");
    private static readonly LeaseOwner Bob = new("bob", "Bob", "session-bob", null, "device-bob");
    private static readonly LeaseOwner Cat = new("cat", "Cat", "session-cat", null, "device-cat");

    private static readonly LeaseDuration HalfMinute = LeaseDuration.FromSeconds(30);

    private LeaseService? _leases;
    private TimerWheel? _wheel;

    private LeaseService Leases => _leases ??= NewService();

    /// <summary>Checks that a resource has one holder, and that a second request returns the holder and the expiry.</summary>
    [Fact]
    public async Task G3_A_resource_has_one_holder_and_the_second_is_told_who_and_until_when()
    {
        var a = await AcquireAsync(IdA, Ann);
        Assert.Equal(LeaseStatus.Granted, a.Status);
        var b = await AcquireAsync(IdB, Bob);
        Assert.Equal((LeaseStatus.Held, "ann", a.Lease.ExpiresAt), (b.Status, b.Lease.Owner!.UserId, b.Lease.ExpiresAt));
    }

    /// <summary>Checks that a repeated request returns the same grant.</summary>
    [Fact]
    public async Task A_lost_reply_repeated_gives_the_same_grant()
    {
        var first = await AcquireAsync(IdA, Ann);
        Time.Advance(TimeSpan.FromSeconds(3));
        var again = await AcquireAsync(IdA, Ann);
        Assert.Equal(
            (LeaseStatus.Same, first.Lease.FencingToken, first.Lease.ExpiresAt),
            (again.Status, again.Lease.FencingToken, again.Lease.ExpiresAt)
        );
    }

    /// <summary>Checks that a lease id is useless to another user.</summary>
    [Fact]
    public async Task A_lease_id_in_the_hands_of_another_user_opens_nothing()
    {
        await AcquireAsync(IdA, Ann);
        Assert.Equal(LeaseStatus.Held, (await AcquireAsync(IdA, Bob)).Status);
        await LostAsync(LeaseEnd.Unknown, () => Leases.RenewAsync(new LeaseClaim(File, IdA, "bob")).AsTask());
        Assert.False(await Leases.ReleaseAsync(new LeaseClaim(File, IdA, "bob")));
        Assert.Equal(LeaseStatus.Held, (await AcquireAsync(IdB, Bob)).Status);
    }

    /// <summary>Checks that a claim can be checked without an exception, in a unit of work and in a read scope.</summary>
    [Fact]
    public async Task A_check_of_a_claim_returns_why_it_does_not_hold()
    {
        var claim = Claim(await AcquireAsync(IdA, Ann));
        Assert.Null(await LossAsync(claim));
        Assert.Equal(
            LeaseEnd.Unknown,
            await LossAsync(claim with { FencingToken = FencingToken.FromInt64(claim.FencingToken!.Value.Number + 1) })
        );
        Assert.Equal(LeaseEnd.Unknown, await LossAsync(claim with { UserId = "bob" }));
        await Leases.ReleaseAsync(claim, cancellationToken: Cancellation);
        Assert.Equal(LeaseEnd.Released, await LossAsync(claim));
        var malformed = await Assert.ThrowsAsync<DunlinException>(async () => await LossAsync(claim with { LeaseId = "short" }));
        Assert.Equal(ErrorCode.InvalidField, malformed.Code);
    }

    /// <summary>Checks that each grant has a larger fencing token than all earlier grants of all resources.</summary>
    [Fact]
    public async Task G3_Every_grant_raises_the_fence_in_all_resources()
    {
        var random = TestSeed.NewRandom(out _);
        var last = default(FencingToken);
        for (var i = 0; i < 100; i++)
        {
            var resource = ResourceName.Parse($"files/{random.Next(5)}");
            var answer = await Leases.AcquireAsync(
                new LeaseRequest(resource, $"lease-id-{i:000}-x", Ann, HalfMinute),
                cancellationToken: Cancellation
            );
            if (answer.Status == LeaseStatus.Granted)
            {
                Assert.True(answer.Lease.FencingToken > last, $"{answer.Lease.FencingToken} after {last}");
                last = answer.Lease.FencingToken;
            }
            if (random.Next(2) == 0)
                await Leases.ReleaseAsync(new LeaseClaim(resource, await HolderIdAsync(resource), "ann"), cancellationToken: Cancellation);
        }
    }

    /// <summary>Checks that each of a thousand concurrent pairs of requests grants exactly one lease.</summary>
    [Fact]
    public async Task G3_A_thousand_rounds_of_two_acquirers_grant_exactly_one_each()
    {
        for (var round = 0; round < 1_000; round++)
        {
            var resource = ResourceName.Parse($"race/{round}");
            var both = await Task.WhenAll(
                Task.Run(async () =>
                    await Leases.AcquireAsync(new LeaseRequest(resource, IdA, Ann, HalfMinute), cancellationToken: Cancellation)
                ),
                Task.Run(async () =>
                    await Leases.AcquireAsync(new LeaseRequest(resource, IdB, Bob, HalfMinute), cancellationToken: Cancellation)
                )
            );
            Assert.Equal(1, both.Count(a => a.Status == LeaseStatus.Granted));
            Assert.Equal(1, both.Count(a => a.Status == LeaseStatus.Held));
        }
    }

    /// <summary>Checks that a renewal moves the expiry and never acquires a lease.</summary>
    [Fact]
    public async Task Renewing_moves_the_expiry_and_never_acquires()
    {
        var a = await AcquireAsync(IdA, Ann, seconds: 30);
        Time.Advance(TimeSpan.FromSeconds(20));
        var renewed = await Leases.RenewAsync(Claim(a), cancellationToken: Cancellation);
        Assert.Equal(a.Lease.ExpiresAt + TimeSpan.FromSeconds(20), renewed.Lease.ExpiresAt);
        Assert.Equal(a.Lease.FencingToken, renewed.Lease.FencingToken);
        Time.Advance(TimeSpan.FromSeconds(31));
        await LostAsync(LeaseEnd.Expired, () => Leases.RenewAsync(Claim(a)).AsTask());
        Assert.Equal(LeaseStatus.Granted, (await AcquireAsync(IdB, Bob)).Status);
        await LostAsync(LeaseEnd.Expired, () => Leases.RenewAsync(Claim(a)).AsTask());
    }

    /// <summary>Checks that a holder whose lease has expired cannot write, even if the resource is free again.</summary>
    [Fact]
    public async Task G3_An_expired_holder_cannot_write_even_if_the_resource_is_free_again()
    {
        var a = await AcquireAsync(IdA, Ann, seconds: 10);
        Time.Advance(TimeSpan.FromSeconds(11));
        await LostAsync(LeaseEnd.Expired, () => WriteAsync(a));
        var b = await AcquireAsync(IdB, Bob, seconds: 10);
        await LostAsync(LeaseEnd.Expired, () => WriteAsync(a));
        await WriteAsync(b);
        await Leases.ReleaseAsync(new LeaseClaim(File, IdB, "bob"), cancellationToken: Cancellation);
        await LostAsync(LeaseEnd.Released, () => WriteAsync(b));
        await LostAsync(LeaseEnd.Unknown, () => WriteAsync(a));
        // A new grant to the same holder has a new token: the old token stays stale.
        var again = await AcquireAsync(IdA, Ann, seconds: 10);
        await LostAsync(LeaseEnd.Unknown, () => WriteAsync(a));
        await WriteAsync(again);
        Assert.Equal(2, (await ReadAllAsync(0, "written")).Count);
    }

    /// <summary>Checks that each end of a lease is announced with its reason.</summary>
    [Fact]
    public async Task G1_Every_end_is_announced_with_its_reason_whatever_its_cause()
    {
        var expired = await AcquireAsync(IdA, Ann, seconds: 5);
        Time.Advance(TimeSpan.FromSeconds(7));
        await WhenFreeAsync(File);
        await AcquireAsync(IdA, Ann);
        await Leases.ReleaseAsync(new LeaseClaim(File, IdA, "ann"), cancellationToken: Cancellation);
        await AcquireAsync(IdB, Bob);
        await Leases.EndSessionAsync("session-bob", LeaseEnd.SignedOut, cancellationToken: Cancellation);
        var taken = await AcquireAsync(IdA, Ann);
        await Leases.PreemptAsync(new LeaseRequest(File, IdC, Cat, HalfMinute), "urgent", TimeSpan.Zero, cancellationToken: Cancellation);
        Assert.Equal(
            ["expired", "released", "signedOut", "taken"],
            (await EventsAsync("lease.released")).Select(e => e.GetProperty("reason").GetString())
        );
        Assert.Equal(5, (await EventsAsync("lease.granted")).Count);
        Assert.True(taken.Lease.FencingToken > expired.Lease.FencingToken);
        Assert.DoesNotContain(
            await ReadAllAsync(),
            e => JsonDocument.Parse(e.Data).RootElement.GetRawText().Contains("lease-id", StringComparison.Ordinal)
        );
    }

    /// <summary>Checks that waiters are granted the lease in first-in, first-out order, without waiters that have left.</summary>
    [Fact]
    public async Task Waiters_are_served_first_in_first_out_and_one_who_leaves_is_skipped()
    {
        var a = await AcquireAsync(IdA, Ann);
        Assert.Equal((LeaseStatus.Queued, 1), Place(await AcquireAsync(IdB, Bob, wait: true)));
        Assert.Equal((LeaseStatus.Queued, 2), Place(await AcquireAsync(IdC, Cat, wait: true)));
        Assert.Equal((LeaseStatus.Queued, 1), Place(await AcquireAsync(IdB, Bob, wait: true)));
        await Leases.ReleaseAsync(new LeaseClaim(File, IdB, "bob"), cancellationToken: Cancellation);
        await Leases.ReleaseAsync(new LeaseClaim(File, IdA, "ann"), cancellationToken: Cancellation);
        var c = await AcquireAsync(IdC, Cat, wait: true);
        Assert.Equal(LeaseStatus.Same, c.Status);
        Assert.True(c.Lease.FencingToken > a.Lease.FencingToken);
    }

    /// <summary>Checks that the queue is limited, and that a waiter who does not repeat its request leaves it.</summary>
    [Fact]
    public async Task The_queue_is_bounded_and_a_waiter_who_does_not_ask_again_leaves_it()
    {
        await AcquireAsync(IdA, Ann, seconds: 3_600);
        for (var i = 0; i < Leases.Options.MaxWaiters; i++)
            await AcquireAsync($"waiter-id-{i:000}", Bob with { UserId = $"user-{i}" }, wait: true);
        var full = await Assert.ThrowsAsync<DunlinException>(() => AcquireAsync(IdC, Cat, wait: true));
        Assert.Equal(ErrorCode.QueueFull, full.Code);
        Time.Advance(Leases.Options.WaitTimeout + TimeSpan.FromSeconds(1));
        Assert.Equal((LeaseStatus.Queued, 1), Place(await AcquireAsync(IdC, Cat, wait: true)));
    }

    /// <summary>Checks that a hand-off grants the lease to the named waiter only if that user waits.</summary>
    [Fact]
    public async Task A_hand_off_goes_to_the_waiter_named_and_to_nobody_who_does_not_wait()
    {
        var a = await AcquireAsync(IdA, Ann);
        var nobody = await Assert.ThrowsAsync<DunlinException>(() => Leases.HandOffAsync(Claim(a), null).AsTask());
        Assert.Equal(ErrorCode.Conflict, nobody.Code);
        await AcquireAsync(IdB, Bob, wait: true);
        await AcquireAsync(IdC, Cat, wait: true);
        await Leases.HandOffAsync(Claim(a), "cat", cancellationToken: Cancellation);
        Assert.Equal(LeaseStatus.Same, (await AcquireAsync(IdC, Cat)).Status);
        await LostAsync(LeaseEnd.HandedOff, () => WriteAsync(a));
        Assert.Equal((LeaseStatus.Queued, 1), Place(await AcquireAsync(IdB, Bob, wait: true)));
    }

    /// <summary>Checks that the holder can write during the grace period of a preemption, and not after it.</summary>
    [Fact]
    public async Task A_holder_preempted_with_a_grace_can_write_only_until_the_deadline()
    {
        var a = await AcquireAsync(IdA, Ann, seconds: 60);
        await AcquireAsync(IdB, Bob, wait: true);
        var preemption = await Leases.PreemptAsync(
            new LeaseRequest(File, IdC, Cat, HalfMinute),
            "urgent",
            TimeSpan.FromSeconds(10),
            cancellationToken: Cancellation
        );
        Assert.Equal((LeaseStatus.Queued, 1), Place(preemption));
        await WriteAsync(a);
        await Leases.RenewAsync(Claim(a), cancellationToken: Cancellation);
        Time.Advance(TimeSpan.FromSeconds(11));
        await LostAsync(LeaseEnd.Preempted, () => WriteAsync(a));
        Assert.Equal(LeaseStatus.Same, (await AcquireAsync(IdC, Cat)).Status);
        var ending = Assert.Single(await EventsAsync("lease.ending"));
        Assert.Equal("urgent", ending.GetProperty("text").GetString());
    }

    /// <summary>Checks that steps of the wall clock neither grant a lease twice nor end it early.</summary>
    [Fact]
    public async Task A_stepped_wall_clock_neither_grants_twice_nor_ends_a_lease_early()
    {
        var a = await AcquireAsync(IdA, Ann, seconds: 60);
        Time.StepWallClock(TimeSpan.FromHours(2));
        Assert.Equal(LeaseStatus.Held, (await AcquireAsync(IdB, Bob)).Status);
        Time.StepWallClock(TimeSpan.FromHours(-4));
        await WriteAsync(a);
        Time.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal(LeaseStatus.Granted, (await AcquireAsync(IdB, Bob)).Status);
    }

    /// <summary>Checks that a failed transaction changes no lease and announces nothing.</summary>
    [Fact]
    public async Task G1_A_failed_transaction_changes_no_lease_and_announces_nothing()
    {
        await Assert.ThrowsAsync<InvalidOperationException>(() =>
            Store
                .WriteAsync(
                    async (unit, ct) =>
                    {
                        await unit.Leases.AcquireAsync(new LeaseRequest(File, IdA, Ann, HalfMinute), cancellationToken: ct);
                        throw new InvalidOperationException("on purpose");
                    },
                    Cancellation
                )
                .AsTask()
        );
        Assert.Empty(await ReadAllAsync());
        Assert.Equal(LeaseStatus.Granted, (await AcquireAsync(IdB, Bob)).Status);
    }

    /// <summary>Checks that a list includes only leases under its prefix, and matches its position.</summary>
    [Fact]
    public async Task A_snapshot_lists_what_is_held_under_a_prefix_and_not_beside_it()
    {
        foreach (var name in new[] { "a/1", "a/1/x", "a/10", "b" })
            await Leases.AcquireAsync(
                new LeaseRequest(ResourceName.Parse(name), $"lease-{name.Replace('/', '-')}-0000000", Ann, HalfMinute),
                cancellationToken: Cancellation
            );
        await Leases.AcquireAsync(
            new LeaseRequest(ResourceName.Parse("a/1/y"), "lease-that-expires", Ann, LeaseDuration.FromSeconds(1)),
            cancellationToken: Cancellation
        );
        Time.Advance(TimeSpan.FromSeconds(1.5));
        var (rows, _, position, _) = await Leases.ListAsync(new LeaseQuery(Prefix: "a/1"), Cancellation);
        Assert.Equal(["a/1", "a/1/x"], rows.Select(r => r.Resource.Value));
        Assert.True(position.Offset >= 5);
    }

    /// <summary>Checks that a check of a prefix reads all pages of leases.</summary>
    [Fact]
    public async Task A_check_under_a_prefix_reads_more_leases_than_one_page_holds()
    {
        const int many = 1_001;
        await Store.WriteAsync(
            async (unit, ct) =>
            {
                for (var i = 0; i < many; i++)
                    await HoldAsync(unit, $"cases/1/{i:0000}", "ann", ct);
                await HoldAsync(unit, "cases/1/last", "bob", ct);
                await HoldAsync(unit, "cases/10/name", "bob", ct);
            },
            Cancellation
        );
        var held = await Assert.ThrowsAsync<DunlinException>(() => EndUnderAsync("cases/1", "ann"));
        Assert.Equal((ErrorCode.LeaseHeld, "cases/1/last"), (held.Code, held.Extensions["resource"]));
        Assert.Equal(many + 2, await HeldCountAsync());
        await EndUnderAsync("cases/1/last", "bob");
        await EndUnderAsync("cases/1", "ann");
        Assert.Equal(1, await HeldCountAsync());
        await EndUnderAsync("cases", null);
        Assert.Equal(0, await HeldCountAsync());
    }

    /// <summary>Checks that ending all leases under a prefix grants none of them to a waiter.</summary>
    [Fact]
    public async Task Ending_a_prefix_serves_nobody_from_its_queues()
    {
        var a = await AcquireAsync(IdA, Ann);
        await AcquireAsync(IdB, Bob, wait: true);
        await EndUnderAsync("files", "ann");
        Assert.Equal(0, await HeldCountAsync());
        await LostAsync(LeaseEnd.Released, () => WriteAsync(a));
        Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(LeaseStatus.Granted, (await AcquireAsync(IdC, Cat)).Status);
    }

    /// <summary>Checks that a lease on a resource that does not exist is not granted, preempted or handed off.</summary>
    [Fact]
    public async Task A_nonexistent_resource_is_not_granted_preempted_or_handed_off()
    {
        var files = new ExistingFiles("files/1", "files/2");
        using var wheel = new TimerWheel(Time);
        var leases = NewService(wheel, new LeaseAnnouncerRule("files", files));
        LeaseRequest Of(string name, string id, LeaseOwner owner, bool wait = false) =>
            new(ResourceName.Parse(name), id, owner, HalfMinute, wait);
        foreach (var name in new[] { "files/01", "files/3", "files/1/x", "files" })
        {
            await NotFoundAsync(() => leases.AcquireAsync(Of(name, IdA, Ann), cancellationToken: Cancellation).AsTask());
            await NotFoundAsync(() =>
                leases.PreemptAsync(Of(name, IdA, Ann), "why", TimeSpan.Zero, cancellationToken: Cancellation).AsTask()
            );
            await NotFoundAsync(() =>
                Store
                    .WriteAsync((unit, ct) => unit.Leases.AcquireAsync(Of(name, IdA, Ann, wait: true), cancellationToken: ct), Cancellation)
                    .AsTask()
            );
        }
        Assert.Empty(files.Announced);

        await leases.AcquireAsync(Of("files/1", IdA, Ann), cancellationToken: Cancellation);
        var second = await leases.AcquireAsync(Of("files/2", IdA, Ann), cancellationToken: Cancellation);
        foreach (var name in new[] { "files/1", "files/2" })
            Assert.Equal(
                LeaseStatus.Queued,
                (await leases.AcquireAsync(Of(name, IdB, Bob, wait: true), cancellationToken: Cancellation)).Status
            );
        files.Existing.Clear();
        await NotFoundAsync(() => leases.HandOffAsync(Claim(second), null, cancellationToken: Cancellation).AsTask());
        await leases.ReleaseAsync(new LeaseClaim(ResourceName.Parse("files/1"), IdA, "ann"), cancellationToken: Cancellation);
        var row = await Store.ReadAsync(
            async (scope, ct) => await scope.LeaseTable.FindAsync(ResourceName.Parse("files/1"), ct),
            Cancellation
        );
        Assert.Equal((null, 0), (row!.LeaseId, row.Waiters.Count));
        Assert.DoesNotContain(files.Announced, change => change.Kind == LeaseChangeKind.Granted && change.Owner.UserId == "bob");
    }

    /// <inheritdoc/>
    protected override void OnDisposing() => _wheel?.Dispose();

    private static (LeaseStatus, int) Place(LeaseResult answer) => (answer.Status, answer.QueuePosition);

    private static LeaseClaim Claim(LeaseResult answer) => answer.Claim!;

    private static async Task LostAsync(LeaseEnd reason, Func<Task> action)
    {
        var lost = await Assert.ThrowsAsync<DunlinException>(action);
        Assert.Equal(ErrorCode.LeaseLost, lost.Code);
        Assert.Equal(LeaseErrors.ReasonText(reason), lost.Extensions["reason"]);
    }

    private LeaseService NewService()
    {
        _wheel = new TimerWheel(Time);
        return NewService(_wheel);
    }

    private LeaseService NewService(TimerWheel wheel, params LeaseAnnouncerRule[] announcers)
    {
        var service = new LeaseService(
            Store,
            announcers,
            wheel,
            // One test holds more leases of one user than one page lists.
            Options.Create(new LeaseOptions { MaxPerUser = 2_000 }),
            new LeaseInstruments(new TestMeters()),
            NullLogger<LeaseService>.Instance
        );
        Store.UseLeases(service);
        return service;
    }

    private static async Task NotFoundAsync(Func<Task> action) =>
        Assert.Equal(ErrorCode.NotFound, (await Assert.ThrowsAsync<DunlinException>(action)).Code);

    private async Task HoldAsync(IUnitOfWork unit, string resource, string userId, CancellationToken cancellationToken)
    {
        var request = new LeaseRequest(ResourceName.Parse(resource), $"lease-0001-of-{userId}", new LeaseOwner(userId, userId), HalfMinute);
        await Leases.AcquireInAsync(unit, request, null, cancellationToken);
    }

    private Task EndUnderAsync(string prefix, string? userId) =>
        Store.WriteAsync(async (unit, ct) => await unit.Leases.EndUnderAsync(prefix, userId, cancellationToken: ct), Cancellation).AsTask();

    private ValueTask<string> HolderIdAsync(ResourceName resource) =>
        Store.ReadAsync(async (scope, ct) => (await scope.LeaseTable.FindAsync(resource, ct))!.LeaseId!, Cancellation);

    private ValueTask<int> HeldCountAsync() =>
        Store.ReadAsync(
            async (scope, ct) =>
            {
                var count = 0;
                await foreach (var row in scope.LeaseTable.ListAllAsync(new LeaseQuery(HeldOnly: true, Limit: 7), ct))
                    count += row.IsHeldAt(scope.Now) ? 1 : 0;
                return count;
            },
            Cancellation
        );

    private Task<LeaseResult> AcquireAsync(string id, LeaseOwner owner, int seconds = 30, bool wait = false) =>
        Leases
            .AcquireAsync(new LeaseRequest(File, id, owner, LeaseDuration.FromSeconds(seconds), wait), cancellationToken: Cancellation)
            .AsTask();

    private async Task<LeaseEnd?> LossAsync(LeaseClaim claim)
    {
        var read = await Store.ReadAsync((scope, ct) => scope.Leases.FindLossAsync(claim, ct), Cancellation);
        Assert.Equal(read, await Store.WriteAsync((unit, ct) => unit.Leases.FindLossAsync(claim, ct), Cancellation));
        return read;
    }

    private Task WriteAsync(LeaseResult with) =>
        Store
            .WriteAsync(
                async (unit, ct) =>
                {
                    await unit.Leases.RequireAsync(Claim(with), ct);
                    await unit.AppendAsync(Draft("written"), ct);
                },
                Cancellation
            )
            .AsTask();

    /// <summary>Returns a task that completes when the expiry of the lease is announced.</summary>
    private async Task WhenFreeAsync(ResourceName resource)
    {
        var free = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Subject.Feed.Committed.Subscribe(events =>
        {
            if (events.Any(e => e.Type == "lease.released"))
                free.TrySetResult();
        });
        var row = await Store.ReadAsync(async (scope, ct) => await scope.LeaseTable.FindAsync(resource, ct), Cancellation);
        if (row?.LeaseId is not null)
            await free.Task.WaitAsync(TimeSpan.FromSeconds(20), Cancellation);
    }

    private async Task<List<JsonElement>> EventsAsync(string type) =>
        [.. (await ReadAllAsync(0, "leases/files")).Where(e => e.Type == type).Select(e => JsonDocument.Parse(e.Data).RootElement)];

    /// <summary>An announcer whose files can be locked while they exist.</summary>
    private sealed class ExistingFiles(params string[] names) : ILeaseAnnouncer, ILeaseResources
    {
        public HashSet<string> Existing { get; } = new(names, StringComparer.Ordinal);

        public ConcurrentQueue<LeaseChange> Announced { get; } = [];

        public ValueTask<bool> ExistsAsync(ResourceName resource, IUnitOfWork unit, CancellationToken cancellationToken) =>
            new(Existing.Contains(resource.Value));

        public ValueTask AnnounceAsync(LeaseChange change, IUnitOfWork unit, CancellationToken cancellationToken)
        {
            Announced.Enqueue(change);
            return default;
        }
    }
}
