using Dunlin.Diagnostics;
using Dunlin.Leases;
using Dunlin.Topics;

namespace Dunlin.TestKit.Conformance;

/// <content>Lists that are filtered before they are cut, requests that are checked whichever way they come, queues that are
/// bounded.</content>
public abstract partial class LeaseConformance
{
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

    [Theory]
    [MemberData(nameof(BadRequests))]
    public async Task A_bad_lease_id_or_duration_is_refused_in_a_unit_of_work_and_outside(string leaseId, int seconds, string field)
    {
        var request = new LeaseRequest(File, leaseId, Ann, seconds);
        var claim = new LeaseClaim(File, leaseId, "ann");
        Func<Task>[] ways =
        [
            () => Leases.AcquireAsync(request, cancellationToken: Cancellation).AsTask(),
            () => Store.WriteAsync((unit, ct) => Leases.AcquireAsync(unit, request, cancellationToken: ct), Cancellation).AsTask(),
            () => Leases.TakeAsync(request, "urgent", 0, cancellationToken: Cancellation).AsTask(),
            () => Leases.RenewAsync(claim, seconds, cancellationToken: Cancellation).AsTask(),
        ];
        Func<Task>[] byId =
        [
            () => Leases.ReleaseAsync(File, leaseId, "ann", cancellationToken: Cancellation).AsTask(),
            () =>
                Store
                    .WriteAsync((unit, ct) => Leases.ReleaseAsync(unit, File, leaseId, "ann", cancellationToken: ct), Cancellation)
                    .AsTask(),
            () => Leases.HandOffAsync(claim, null, cancellationToken: Cancellation).AsTask(),
        ];
        foreach (var way in field == "leaseId" ? [.. ways, .. byId] : ways)
        {
            var error = await Assert.ThrowsAsync<DunlinException>(way);
            Assert.Equal((ErrorCode.InvalidField, field), (error.Code, error.Field));
        }
        Assert.Empty((await Leases.ListAsync(new LeaseQuery(), Cancellation)).Rows);
    }

    [Fact]
    public async Task A_request_without_a_resource_or_user_is_refused_whichever_way_it_comes()
    {
        Func<Task>[] ways =
        [
            () => Leases.AcquireAsync(new LeaseRequest(default, IdA, Ann, 30), cancellationToken: Cancellation).AsTask(),
            () =>
                Store
                    .WriteAsync(
                        (unit, ct) => Leases.AcquireAsync(unit, new LeaseRequest(default, IdA, Ann, 30), cancellationToken: ct),
                        Cancellation
                    )
                    .AsTask(),
            () =>
                Store
                    .WriteAsync(
                        (unit, ct) =>
                            Leases.AcquireAsync(unit, new LeaseRequest(File, IdA, new LeaseOwner("", ""), 30), cancellationToken: ct),
                        Cancellation
                    )
                    .AsTask(),
            () => Store.WriteAsync((unit, ct) => Leases.ForceReleaseAsync(unit, default, cancellationToken: ct), Cancellation).AsTask(),
            () => Leases.TakeAsync(new LeaseRequest(File, IdA, Ann, 30), "", 0, cancellationToken: Cancellation).AsTask(),
            () => Leases.TakeAsync(new LeaseRequest(File, IdA, Ann, 30), "urgent", -1, cancellationToken: Cancellation).AsTask(),
        ];
        foreach (var way in ways)
            Assert.Contains(
                (await Assert.ThrowsAsync<DunlinException>(way)).Code,
                new[] { ErrorCode.InvalidField, ErrorCode.InvalidResource }
            );
    }

    [Fact]
    public async Task Rows_of_others_never_leave_a_page_of_a_list_short()
    {
        const int strangers = 1_100,
            own = 7;
        await HoldAsync("a-stranger", strangers);
        await HoldAsync("own", own);
        await HoldAsync("z-stranger", 3);
        static ValueTask<bool> IsOwn(LeaseRow row, CancellationToken ct) =>
            new(row.Resource.Value.Contains("own", StringComparison.Ordinal));

        var whole = await Leases.ListPageAsync(new LeaseQuery(), IsOwn, Cancellation);
        Assert.Equal((own, null), (whole.Rows.Count, whole.Next));
        var pages = new List<string>();
        string? after = null;
        do
        {
            var page = await Leases.ListPageAsync(new LeaseQuery(Limit: 3, After: after), IsOwn, Cancellation);
            Assert.InRange(page.Rows.Count, page.Next is null ? 0 : 3, 3);
            Assert.Equal(page.Next ?? page.Rows.LastOrDefault()?.Resource.Value, page.Rows.LastOrDefault()?.Resource.Value);
            pages.AddRange(page.Rows.Select(row => row.Resource.Value));
            after = page.Next;
        } while (after is not null);
        Assert.Equal(whole.Rows.Select(row => row.Resource.Value), pages);
        Assert.Equal(strangers + own + 3, (await Leases.ListAsync(new LeaseQuery(), Cancellation)).Rows.Count);
        Assert.Equal(strangers, (await Leases.ListAsync(new LeaseQuery("a-stranger", Limit: 10), Cancellation)).Rows.Count);
    }

    [Fact]
    public async Task A_queue_is_bounded_for_all_and_for_each_user_also_for_a_take_with_a_grace()
    {
        await AcquireAsync(IdA, Ann, seconds: 300);
        for (var i = 0; i < Leases.Options.MaxWaitersPerUser; i++)
            Assert.Equal(LeaseResult.Queued, (await WaitAsync("bob", i)).Result);
        var own = await QueueFullAsync(() => WaitAsync("bob", 99));
        Assert.Equal(Leases.Options.MaxWaitersPerUser, own.Extensions["limit"]);
        // Who asks again keeps the place.
        Assert.Equal(LeaseResult.Queued, (await WaitAsync("bob", 0)).Result);
        await QueueFullAsync(() => TakeAsync("bob", 99));

        for (var i = Leases.Options.MaxWaitersPerUser; i < Leases.Options.MaxWaiters; i++)
            Assert.Equal(LeaseResult.Queued, (await WaitAsync($"user-{i}", i)).Result);
        var all = await QueueFullAsync(() => WaitAsync("cat", 99));
        Assert.Equal(Leases.Options.MaxWaiters, all.Extensions["limit"]);
        for (var i = 0; i < 3; i++)
            await QueueFullAsync(() => TakeAsync("admin", 100 + i));
        var row = Assert.Single((await Leases.ListAsync(new LeaseQuery(), Cancellation)).Rows);
        Assert.Equal((Leases.Options.MaxWaiters, false, "ann"), (row.Waiters.Count, row.Ending, row.Owner!.UserId));
        // At once needs no place.
        Assert.Equal(
            LeaseResult.Granted,
            (await Leases.TakeAsync(Request("admin", 100), "urgent", 0, cancellationToken: Cancellation)).Result
        );
    }

    private async Task HoldAsync(string prefix, int count)
    {
        foreach (var chunk in Enumerable.Range(0, count).Chunk(100))
        {
            await Store.WriteAsync(
                async (unit, ct) =>
                {
                    foreach (var i in chunk)
                        await unit.Leases.SaveAsync(
                            new LeaseRow(ResourceName.Parse($"{prefix}/{i:00000}"))
                            {
                                Fence = i + 1,
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
        new(File, $"lease-id-{number:000}-x", new LeaseOwner(user, user, $"session-{user}"), 30, Wait: true);

    private Task<LeaseAnswer> WaitAsync(string user, int number) =>
        Leases.AcquireAsync(Request(user, number), cancellationToken: Cancellation).AsTask();

    private Task<LeaseAnswer> TakeAsync(string user, int number) =>
        Leases.TakeAsync(Request(user, number), "urgent", 60, cancellationToken: Cancellation).AsTask();

    private static async Task<DunlinException> QueueFullAsync(Func<Task> act)
    {
        var error = await Assert.ThrowsAsync<DunlinException>(act);
        Assert.Equal(ErrorCode.QueueFull, error.Code);
        Assert.NotNull(error.RetryAfter);
        return error;
    }
}
