using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Topics;

namespace Dunlin.TestKit.Conformance;

/// <summary>Specifies the required behaviour of each <see cref="ILeaseTable"/>.</summary>
public abstract class LeaseTableConformance : ConformanceSuite
{
    private static readonly DateTimeOffset Noon = new DateTimeOffset(2030, 1, 1, 12, 0, 0, TimeSpan.Zero).AddTicks(1_234_567);

    /// <summary>Checks that a row is read with the values that were saved.</summary>
    [Fact]
    public async Task A_row_is_read_as_it_was_saved()
    {
        var row = new LeaseRow(ResourceName.Parse("cases/1/name"))
        {
            FencingToken = long.MaxValue - 1,
            LeaseId = "lease-1",
            Owner = new LeaseOwner("u1", "Ünal", "s1", "c1", "d1"),
            AcquiredAt = Noon,
            ExpiresAt = Noon.AddSeconds(30),
            Seconds = 30,
            End = LeaseEnd.Preempted,
            EndedLeaseId = "lease-0",
            EndedAt = Noon.AddTicks(-1),
            Ending = true,
            Waiters =
            [
                new Waiter("lease-2", new LeaseOwner("u2", "\"Bob\"", "s2"), 60, Noon, Noon.AddSeconds(5)),
                new Waiter("lease-3", new LeaseOwner("u3", "Carol", DeviceId: "d3"), 10, Noon.AddTicks(3), Noon.AddSeconds(6)),
            ],
        };
        await SaveAsync(row);
        AssertSame(row, await FindAsync(row.Resource.Value));
        var free = new LeaseRow(row.Resource)
        {
            FencingToken = 5,
            End = LeaseEnd.Expired,
            EndedAt = Noon,
        };
        await SaveAsync(free);
        AssertSame(free, await FindAsync(row.Resource.Value));
    }

    /// <summary>Checks that a unit of work reads its own changes.</summary>
    [Fact]
    public async Task A_unit_of_work_reads_what_it_saved_itself()
    {
        await Store.WriteAsync(
            async (unit, ct) =>
            {
                var name = ResourceName.Parse("a");
                Assert.Null(await unit.LeaseTable.FindAsync(name, ct));
                await unit.LeaseTable.SaveAsync(new LeaseRow(name) { FencingToken = 3 }, ct);
                Assert.Equal(3, (await unit.LeaseTable.FindAsync(name, ct))!.FencingToken);
                Assert.Single(await unit.LeaseTable.ListAsync(new LeaseQuery(), ct));
            },
            Cancellation
        );
    }

    /// <summary>Checks that names with a common start or different case are different rows.</summary>
    [Fact]
    public async Task A_name_that_begins_alike_or_differs_in_case_is_another_row()
    {
        await SaveAsync(Held("users/1"));
        Assert.Null(await FindAsync("users/10"));
        Assert.Null(await FindAsync("Users/1"));
        Assert.Null(await FindAsync("users"));
    }

    /// <summary>Checks that fencing tokens grow with each grant across all resources, despite rollbacks.</summary>
    [Fact]
    public async Task Fences_grow_with_every_grant_in_all_resources_whatever_rolls_back()
    {
        var fences = new List<long>();
        for (var i = 0; i < 30; i++)
        {
            try
            {
                await Store.WriteAsync(
                    async (unit, ct) =>
                    {
                        var first = await unit.LeaseTable.NextFencingTokenAsync(ct);
                        var second = await unit.LeaseTable.NextFencingTokenAsync(ct);
                        if (i % 3 == 1)
                            throw new FormatException();
                        fences.AddRange([first, second]);
                    },
                    Cancellation
                );
            }
            catch (FormatException)
            {
                // Rolled back, so its tokens were never granted.
            }
        }
        Assert.Equal(40, fences.Count);
        Assert.True(fences[0] > 0);
        Assert.Equal(fences.Order().Distinct(), fences);
    }

    /// <summary>Checks that a list by prefix matches whole segments only.</summary>
    [Fact]
    public async Task A_list_by_prefix_ends_at_a_segment()
    {
        foreach (
            var name in new[]
            {
                "users",
                "users/1",
                "users/1/a",
                "users/1/b",
                "users/1-",
                "users/1.x",
                "users/10",
                "users/10/a",
                "users/2",
                "Users/1",
            }
        )
            await SaveAsync(Held(name));
        Assert.Equal(["users/1", "users/1/a", "users/1/b"], await ListAsync(new LeaseQuery("users/1")));
        Assert.Equal(["users/1", "users/1/a", "users/1/b"], await ListAsync(new LeaseQuery("users/1/")));
        Assert.Equal(["users/10", "users/10/a"], await ListAsync(new LeaseQuery("users/10")));
        Assert.Equal(10, (await ListAsync(new LeaseQuery(""))).Count);
        Assert.Equal(9, (await ListAsync(new LeaseQuery("users"))).Count);
        Assert.Empty(await ListAsync(new LeaseQuery("user")));
    }

    /// <summary>Checks that a list is in ordinal order and can be paged.</summary>
    [Fact]
    public async Task A_list_is_in_ordinal_order_and_can_be_paged()
    {
        string[] names = ["a", "A", "a/1", "a-1", "b", "a/10", "a/2", "~", "!"];
        foreach (var name in names)
            await SaveAsync(Held(name));
        var expected = names.Order(StringComparer.Ordinal).ToList();
        var paged = new List<string>();
        while (await ListAsync(new LeaseQuery(Limit: 2, After: paged.Count == 0 ? null : paged[^1])) is { Count: > 0 } page)
            paged.AddRange(page);
        Assert.Equal(expected, paged);
        Assert.Equal(["a/10", "a/2"], await ListAsync(new LeaseQuery("a", After: "a/1")));
        Assert.Equal(["a", "a/1", "a/10", "a/2"], await ListAsync(new LeaseQuery("a", After: "A")));
        Assert.Empty(await ListAsync(new LeaseQuery("a", After: "b")));
    }

    /// <summary>Checks that a list by session includes held leases and queue positions.</summary>
    [Fact]
    public async Task A_list_by_session_holds_what_it_holds_and_waits_for()
    {
        await SaveAsync(Held("1", "s1"));
        await SaveAsync(Held("2", "s2"));
        await SaveAsync(Held("3", "s2", "s3", "s1"));
        await SaveAsync(Held("4", "s1", "s1"));
        await SaveAsync(Held("5", "s10"));
        await SaveAsync(new LeaseRow(ResourceName.Parse("6")));
        Assert.Equal(["1", "3", "4"], await ListAsync(new LeaseQuery(SessionId: "s1")));
        Assert.Equal(["3"], await ListAsync(new LeaseQuery(SessionId: "s3")));
        Assert.Equal(["3", "4"], await ListAsync(new LeaseQuery(SessionId: "s1", After: "1")));
        Assert.Equal(["3"], await ListAsync(new LeaseQuery("3", "s1")));
        Assert.Empty(await ListAsync(new LeaseQuery(SessionId: "s")));
    }

    /// <summary>Checks that a list can exclude rows without holder.</summary>
    [Fact]
    public async Task Rows_that_nobody_holds_can_be_left_out()
    {
        await SaveAsync(Held("1"));
        await SaveAsync(new LeaseRow(ResourceName.Parse("2")) { EndedAt = Noon });
        Assert.Equal(["1"], await ListAsync(new LeaseQuery(HeldOnly: true)));
        Assert.Equal(["1", "2"], await ListAsync(new LeaseQuery()));
    }

    /// <summary>Checks that the leases that a user holds at a time are counted up to a limit.</summary>
    [Fact]
    public async Task The_leases_of_a_user_are_counted_at_a_time_and_up_to_a_limit()
    {
        await Store.WriteAsync(
            async (unit, ct) =>
            {
                for (var i = 0; i < 5; i++)
                    await unit.LeaseTable.SaveAsync(
                        new LeaseRow(ResourceName.Parse($"f/{i}"))
                        {
                            LeaseId = $"lease-id-of-{i}-x",
                            Owner = new LeaseOwner("ann", "Ann"),
                            ExpiresAt = unit.Now.AddSeconds(i + 1),
                        },
                        ct
                    );
                await unit.LeaseTable.SaveAsync(
                    new LeaseRow(ResourceName.Parse("f/bob"))
                    {
                        LeaseId = "lease-id-of-bob",
                        Owner = new LeaseOwner("bob", "Bob"),
                        ExpiresAt = unit.Now.AddDays(1),
                    },
                    ct
                );
                await unit.LeaseTable.SaveAsync(
                    new LeaseRow(ResourceName.Parse("f/free")) { EndedLeaseId = "lease-id-of-ann", EndedAt = unit.Now },
                    ct
                );
                Assert.Equal(5, await unit.LeaseTable.CountHeldAsync("ann", unit.Now, 100, ct));
                Assert.Equal(2, await unit.LeaseTable.CountHeldAsync("ann", unit.Now.AddSeconds(3), 100, ct));
                Assert.Equal(3, await unit.LeaseTable.CountHeldAsync("ann", unit.Now, 3, ct));
                Assert.Equal(1, await unit.LeaseTable.CountHeldAsync("bob", unit.Now, 100, ct));
                Assert.Equal(0, await unit.LeaseTable.CountHeldAsync("an", unit.Now, 100, ct));
                return true;
            },
            Cancellation
        );
    }

    /// <summary>Checks that only rows that ended before a time and have no waiters are deleted.</summary>
    [Fact]
    public async Task Only_rows_that_ended_before_and_that_nobody_waits_for_are_forgotten()
    {
        await SaveAsync(Held("held"));
        await SaveAsync(new LeaseRow(ResourceName.Parse("old")) { EndedAt = Noon.AddTicks(-1) });
        await SaveAsync(new LeaseRow(ResourceName.Parse("young")) { EndedAt = Noon });
        await SaveAsync(Held("waited", null, "s1") with { LeaseId = null, Owner = null, EndedAt = Noon.AddDays(-1) });
        await Store.WriteAsync((unit, ct) => unit.LeaseTable.ForgetEndedAsync(Noon, ct), Cancellation);
        Assert.Equal(["held", "waited", "young"], await ListAsync(new LeaseQuery()));
    }

    /// <summary>Checks that a read scope refuses changes.</summary>
    [Fact]
    public async Task A_read_scope_changes_nothing()
    {
        await Store.ReadAsync<int>(
            async (scope, ct) =>
            {
                await Assert.ThrowsAsync<InvalidOperationException>(async () => await scope.LeaseTable.SaveAsync(Held("a"), ct));
                await Assert.ThrowsAsync<InvalidOperationException>(async () => await scope.LeaseTable.NextFencingTokenAsync(ct));
                await Assert.ThrowsAsync<InvalidOperationException>(async () => await scope.LeaseTable.ForgetEndedAsync(Noon, ct));
                return 0;
            },
            Cancellation
        );
        Assert.Empty(await ListAsync(new LeaseQuery()));
    }

    private static LeaseRow Held(string name, string? session = null, params string[] waiters) =>
        new(ResourceName.Parse(name))
        {
            FencingToken = 1,
            LeaseId = "lease",
            Owner = new LeaseOwner("u1", "Alice", session),
            Seconds = 30,
            ExpiresAt = Noon,
            Waiters = [.. waiters.Select(s => new Waiter("w", new LeaseOwner("u2", "Bob", s), 30, Noon, Noon))],
        };

    private static void AssertSame(LeaseRow expected, LeaseRow? actual)
    {
        Assert.NotNull(actual);
        Assert.Equal(expected.Waiters, actual.Waiters);
        Assert.Equal(expected with { Waiters = [] }, actual with { Waiters = [] });
    }

    private async Task SaveAsync(LeaseRow row) => await Store.WriteAsync((unit, ct) => unit.LeaseTable.SaveAsync(row, ct), Cancellation);

    private ValueTask<LeaseRow?> FindAsync(string name) =>
        Store.ReadAsync((scope, ct) => scope.LeaseTable.FindAsync(ResourceName.Parse(name), ct), Cancellation);

    private async Task<List<string>> ListAsync(LeaseQuery query) =>
        [.. (await Store.ReadAsync((scope, ct) => scope.LeaseTable.ListAsync(query, ct), Cancellation)).Select(r => r.Resource.Value)];
}
