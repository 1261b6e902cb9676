using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Topics;

namespace Dunlin.TestKit.Conformance;

/// <content>Lists that are filtered before they are limited, validation of all requests, and bounded queues.</content>
public abstract partial class LeaseConformance
{
    /// <summary>Returns invalid lease ids and durations with the field at fault.</summary>
    public static TheoryData<string, int, string> BadRequests() =>
        new()
        {
            { "short", 30, "leaseId" },
            { "has a space in it", 30, "leaseId" },
            { new string('a', 65), 30, "leaseId" },
            { "", 30, "leaseId" },
            { IdA, 0, "seconds" },
            { IdA, -1, "seconds" },
            { IdA, 3_601, "seconds" },
            { IdA, int.MaxValue, "seconds" },
        };

    /// <summary>Checks that invalid lease ids and durations are refused inside and outside a unit of work.</summary>
    [Theory]
    [MemberData(nameof(BadRequests))]
    public async Task A_bad_lease_id_or_duration_is_refused_in_a_unit_of_work_and_outside(string leaseId, int seconds, string field)
    {
        LeaseRequest Request() => new(File, leaseId, Ann, LeaseDuration.FromSeconds(seconds));
        var claim = new LeaseClaim(File, leaseId, "ann");
        Func<Task>[] ways =
        [
            () => Leases.AcquireAsync(Request(), cancellationToken: Cancellation).AsTask(),
            () => Store.WriteAsync((unit, ct) => unit.Leases.AcquireAsync(Request(), cancellationToken: ct), Cancellation).AsTask(),
            () => Leases.PreemptAsync(Request(), "urgent", TimeSpan.Zero, cancellationToken: Cancellation).AsTask(),
            () => Leases.RenewAsync(claim, LeaseDuration.FromSeconds(seconds), cancellationToken: Cancellation).AsTask(),
            () =>
                Store
                    .WriteAsync(
                        (unit, ct) => unit.Leases.RenewAsync(claim, LeaseDuration.FromSeconds(seconds), cancellationToken: ct),
                        Cancellation
                    )
                    .AsTask(),
        ];
        Func<Task>[] byId =
        [
            () => Leases.ReleaseAsync(claim, cancellationToken: Cancellation).AsTask(),
            () => Store.WriteAsync((unit, ct) => unit.Leases.ReleaseAsync(claim, cancellationToken: ct), Cancellation).AsTask(),
            () => Leases.HandOffAsync(claim, null, cancellationToken: Cancellation).AsTask(),
            () => Store.WriteAsync((unit, ct) => unit.Leases.HandOffAsync(claim, cancellationToken: ct), Cancellation).AsTask(),
            () =>
                Store
                    .WriteAsync(
                        async (unit, ct) =>
                        {
                            await unit.Leases.RequireAsync(claim, ct);
                        },
                        Cancellation
                    )
                    .AsTask(),
        ];
        foreach (var way in field == "leaseId" ? [.. ways, .. byId] : ways)
        {
            var error = await Assert.ThrowsAsync<DunlinException>(way);
            Assert.Equal((ErrorCode.InvalidField, field), (error.Code, error.Field));
        }
        Assert.Empty((await Leases.ListAsync(new LeaseQuery(), Cancellation)).Leases);
    }

    /// <summary>Checks that requests without resource or user are refused by all verbs.</summary>
    [Fact]
    public async Task A_request_without_a_resource_or_user_is_refused_whichever_way_it_comes()
    {
        Func<Task>[] ways =
        [
            () => Leases.AcquireAsync(new LeaseRequest(default, IdA, Ann, HalfMinute), cancellationToken: Cancellation).AsTask(),
            () =>
                Store
                    .WriteAsync(
                        (unit, ct) => unit.Leases.AcquireAsync(new LeaseRequest(default, IdA, Ann, HalfMinute), cancellationToken: ct),
                        Cancellation
                    )
                    .AsTask(),
            () =>
                Store
                    .WriteAsync(
                        (unit, ct) =>
                            unit.Leases.AcquireAsync(
                                new LeaseRequest(File, IdA, new LeaseOwner("", ""), HalfMinute),
                                cancellationToken: ct
                            ),
                        Cancellation
                    )
                    .AsTask(),
            () => Store.WriteAsync((unit, ct) => unit.Leases.ForceReleaseAsync(default, cancellationToken: ct), Cancellation).AsTask(),
            () =>
                Leases
                    .PreemptAsync(new LeaseRequest(File, IdA, Ann, HalfMinute), "", TimeSpan.Zero, cancellationToken: Cancellation)
                    .AsTask(),
            () =>
                Leases
                    .PreemptAsync(
                        new LeaseRequest(File, IdA, Ann, HalfMinute),
                        "urgent",
                        TimeSpan.FromSeconds(-1),
                        cancellationToken: Cancellation
                    )
                    .AsTask(),
        ];
        foreach (var way in ways)
            Assert.Contains(
                (await Assert.ThrowsAsync<DunlinException>(way)).Code,
                new[] { ErrorCode.InvalidField, ErrorCode.InvalidResource }
            );
    }

    /// <summary>Checks that a preemption for the queue gives the holder its grace, then serves the first waiter.</summary>
    [Fact]
    public async Task A_preemption_for_the_queue_serves_the_first_waiter_after_the_grace()
    {
        var claim = new LeaseClaim(File, Request("ann", 1).LeaseId, "ann", (await WaitAsync("ann", 1)).Lease.FencingToken);
        await WaitAsync("bob", 2);
        Assert.True(await PreemptForQueueAsync(TimeSpan.FromSeconds(10)));
        // A renewal does not move the deadline.
        await Leases.RenewAsync(claim, cancellationToken: Cancellation);
        Time.Advance(TimeSpan.FromSeconds(11));
        var lost = await Assert.ThrowsAsync<DunlinException>(async () => await Leases.RenewAsync(claim, cancellationToken: Cancellation));
        Assert.Equal(ErrorCode.LeaseLost, lost.Code);
        Assert.Equal(LeaseStatus.Same, (await WaitAsync("bob", 2)).Status);
    }

    /// <summary>Checks that a preemption for an empty queue frees the resource at once, and does nothing to a free one.</summary>
    [Fact]
    public async Task A_preemption_for_an_empty_queue_frees_the_resource()
    {
        await WaitAsync("ann", 1);
        Assert.True(await PreemptForQueueAsync(TimeSpan.Zero));
        Assert.False(await PreemptForQueueAsync(TimeSpan.Zero));
        Assert.Empty((await Leases.ListAsync(new LeaseQuery(), Cancellation)).Leases);
        var released = Assert.Single(await EventsAsync("lease.released"));
        Assert.Equal(("taken", "urgent"), (released.GetProperty("reason").GetString(), released.GetProperty("text").GetString()));
    }

    /// <summary>Checks that filtered rows do not shorten a page of a list.</summary>
    [Fact]
    public async Task Rows_of_others_never_leave_a_page_of_a_list_short()
    {
        const int strangers = 1_100,
            own = 7;
        await HoldAsync("a-stranger", strangers);
        await HoldAsync("own", own);
        await HoldAsync("z-stranger", 3);
        static ValueTask<bool> IsOwn(LeaseInfo row, CancellationToken ct) =>
            new(row.Resource.Value.Contains("own", StringComparison.Ordinal));

        var whole = await Leases.ListPageAsync(new LeaseQuery(), IsOwn, Cancellation);
        Assert.Equal((own, null), (whole.Leases.Count, whole.Next));
        var pages = new List<string>();
        string? after = null;
        do
        {
            var page = await Leases.ListPageAsync(new LeaseQuery(Limit: 3, After: after), IsOwn, Cancellation);
            Assert.InRange(page.Leases.Count, page.Next is null ? 0 : 3, 3);
            Assert.Equal(page.Next ?? page.Leases.LastOrDefault()?.Resource.Value, page.Leases.LastOrDefault()?.Resource.Value);
            pages.AddRange(page.Leases.Select(row => row.Resource.Value));
            after = page.Next;
        } while (after is not null);
        Assert.Equal(whole.Leases.Select(row => row.Resource.Value), pages);
        Assert.Equal(strangers + own + 3, (await Leases.ListAsync(new LeaseQuery(), Cancellation)).Leases.Count);
        Assert.Equal(strangers, (await Leases.ListAsync(new LeaseQuery("a-stranger", Limit: 10), Cancellation)).Leases.Count);
    }

    /// <summary>Checks that a queue is limited in total and per user, including waiting preemptions.</summary>
    [Fact]
    public async Task A_queue_is_limited_in_total_and_per_user_including_preemptions()
    {
        await AcquireAsync(IdA, Ann, seconds: 300);
        for (var i = 0; i < Leases.Options.MaxWaitersPerUser; i++)
            Assert.Equal(LeaseStatus.Queued, (await WaitAsync("bob", i)).Status);
        var own = await QueueFullAsync(() => WaitAsync("bob", 99));
        Assert.Equal(Leases.Options.MaxWaitersPerUser, own.Extensions["limit"]);
        // A repeated request keeps its position.
        Assert.Equal(LeaseStatus.Queued, (await WaitAsync("bob", 0)).Status);
        await QueueFullAsync(() => PreemptAsync("bob", 99));

        for (var i = Leases.Options.MaxWaitersPerUser; i < Leases.Options.MaxWaiters; i++)
            Assert.Equal(LeaseStatus.Queued, (await WaitAsync($"user-{i}", i)).Status);
        var all = await QueueFullAsync(() => WaitAsync("cat", 99));
        Assert.Equal(Leases.Options.MaxWaiters, all.Extensions["limit"]);
        for (var i = 0; i < 3; i++)
            await QueueFullAsync(() => PreemptAsync("admin", 100 + i));
        var row = Assert.Single((await Leases.ListAsync(new LeaseQuery(), Cancellation)).Leases);
        Assert.Equal((Leases.Options.MaxWaiters, false, "ann"), (row.Waiting, row.IsEnding, row.Owner!.UserId));
        // A preemption without grace needs no position in the queue.
        Assert.Equal(
            LeaseStatus.Granted,
            (await Leases.PreemptAsync(Request("admin", 100), "urgent", TimeSpan.Zero, cancellationToken: Cancellation)).Status
        );
    }

    /// <summary>Checks that the end of a session releases its leases beyond the first page.</summary>
    [Fact]
    public async Task The_end_of_a_session_releases_more_leases_than_one_page_holds()
    {
        await HoldAsync("many", 250);
        await Leases.EndSessionAsync(Ann.SessionId!, LeaseEnd.SignedOut, cancellationToken: Cancellation);
        Assert.Empty((await Leases.ListAsync(new LeaseQuery(), Cancellation)).Leases);
    }

    /// <summary>Checks that a lease is lost at the instant of its expiry, at which the next one may get it.</summary>
    [Fact]
    public async Task G3_A_lease_is_lost_at_the_instant_of_its_expiry()
    {
        await HoldAsync("instant", 1); // for an hour, and without a timer that ends it
        var claim = new LeaseClaim(ResourceName.Parse("instant/00000"), IdA, Ann.UserId);
        Time.Advance(TimeSpan.FromMinutes(59));
        Assert.Null(await LossAsync(claim));
        Time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(LeaseEnd.Expired, await LossAsync(claim));
    }

    /// <summary>Checks that a preemption never extends the lease that it ends.</summary>
    [Fact]
    public async Task A_grace_longer_than_the_rest_of_the_lease_extends_nothing()
    {
        var a = await AcquireAsync(IdA, Ann, seconds: 5);
        Assert.Equal(LeaseStatus.Queued, (await PreemptAsync("bob", 1)).Status);
        Assert.Equal(a.Lease.ExpiresAt, Assert.Single((await Leases.ListAsync(new LeaseQuery(), Cancellation)).Leases).ExpiresAt);
        Time.Advance(TimeSpan.FromSeconds(6));
        await LostAsync(LeaseEnd.Preempted, () => WriteAsync(a));
    }

    /// <summary>Checks that a waiter that preempts leaves its former place in the queue.</summary>
    [Fact]
    public async Task A_waiter_that_preempts_has_one_place_in_the_queue()
    {
        await AcquireAsync(IdA, Ann, seconds: 300);
        await WaitAsync("cat", 1);
        await WaitAsync("bob", 2);
        Assert.Equal((LeaseStatus.Queued, 1), Place(await PreemptAsync("bob", 2)));
        Assert.Equal(2, Assert.Single((await Leases.ListAsync(new LeaseQuery(), Cancellation)).Leases).Waiting);
    }

    private async Task HoldAsync(string prefix, int count)
    {
        foreach (var chunk in Enumerable.Range(0, count).Chunk(100))
        {
            await Store.WriteAsync(
                async (unit, ct) =>
                {
                    foreach (var i in chunk)
                        await unit.LeaseTable.SaveAsync(
                            new LeaseRow(ResourceName.Parse($"{prefix}/{i:00000}"))
                            {
                                FencingToken = i + 1,
                                LeaseId = IdA,
                                Owner = Ann,
                                ExpiresAt = unit.Now.AddHours(1),
                                Seconds = 3_600,
                            },
                            ct
                        );
                    return true;
                },
                Cancellation
            );
        }
    }

    private static LeaseRequest Request(string user, int number) =>
        new(File, $"lease-id-{number:000}-x", new LeaseOwner(user, user, $"session-{user}"), HalfMinute, Wait: true);

    private Task<LeaseResult> WaitAsync(string user, int number) =>
        Leases.AcquireAsync(Request(user, number), cancellationToken: Cancellation).AsTask();

    private Task<LeaseResult> PreemptAsync(string user, int number) =>
        Leases.PreemptAsync(Request(user, number), "urgent", TimeSpan.FromSeconds(60), cancellationToken: Cancellation).AsTask();

    private ValueTask<bool> PreemptForQueueAsync(TimeSpan grace) =>
        Store.WriteAsync((unit, ct) => unit.Leases.PreemptAsync(File, "urgent", grace, cancellationToken: ct), Cancellation);

    private static async Task<DunlinException> QueueFullAsync(Func<Task> act)
    {
        var error = await Assert.ThrowsAsync<DunlinException>(act);
        Assert.Equal(ErrorCode.QueueFull, error.Code);
        Assert.NotNull(error.RetryAfter);
        return error;
    }
}
