using System.Collections.Concurrent;
using System.Text;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Topics;

namespace Dunlin.TestKit.Conformance;

/// <summary>Specifies the required behaviour of each <see cref="IStore"/>.</summary>
public abstract class StoreConformance : ConformanceSuite
{
    private static readonly ResourceName Resource = ResourceName.Parse("counters/1");

    /// <summary>Checks that rows and events of a unit of work commit together.</summary>
    [Fact]
    public async Task A_unit_of_work_commits_its_rows_and_events_together()
    {
        var announced = new List<DunlinEvent>();
        Subject.Feed.Committed.Subscribe(announced.AddRange);
        var position = await Store.WriteAsync(
            async (unit, ct) =>
            {
                await unit.LeaseTable.SaveAsync(new LeaseRow(Resource) { FencingToken = 7 }, ct);
                return await unit.AppendAsync(Draft("a", 1), ct);
            },
            Cancellation
        );
        Assert.Equal(position, Journal.Head);
        Assert.Equal(position, Assert.Single(announced).Position);
        Assert.Equal(7, (await FindAsync())!.FencingToken);
    }

    /// <summary>Checks that a unit of work that throws is rolled back completely.</summary>
    [Fact]
    public async Task A_unit_of_work_that_throws_leaves_no_trace()
    {
        var announced = new List<DunlinEvent>();
        Subject.Feed.Committed.Subscribe(announced.AddRange);
        var thrown = await Assert.ThrowsAsync<FormatException>(async () =>
            await Store.WriteAsync(
                async (unit, ct) =>
                {
                    await unit.LeaseTable.SaveAsync(new LeaseRow(Resource), ct);
                    await unit.AppendAsync(Draft("new/topic"), ct);
                    throw new FormatException("mine");
                },
                Cancellation
            )
        );
        Assert.Equal("mine", thrown.Message);
        Assert.Null(await FindAsync());
        Assert.Empty(announced);
        Assert.Empty(await ReadAllAsync());
        Assert.Equal(1, (await AppendAsync("new/topic")).Offset);
        Assert.Single(await ReadAllAsync(0, "new/topic"));
    }

    /// <summary>Checks that a change of access is announced in its transaction or not at all.</summary>
    [Fact]
    public async Task G1_A_change_of_access_is_announced_in_its_transaction_or_not_at_all()
    {
        var announced = new List<DunlinEvent>();
        Subject.Feed.Committed.Subscribe(announced.AddRange);
        await Assert.ThrowsAsync<FormatException>(async () =>
            await Store.WriteAsync(
                async (unit, ct) =>
                {
                    await unit.RightsChangedAsync("ann", ct);
                    throw new FormatException();
                },
                Cancellation
            )
        );
        Assert.Empty(announced);
        await Store.WriteAsync(
            async (unit, ct) =>
            {
                await unit.LeaseTable.SaveAsync(new LeaseRow(Resource), ct);
                await unit.RightsChangedAsync("ann", ct);
                await unit.SessionEndedAsync(new EndedSession("bob", "s1", "signed_out") { LastFrame = "data: bye\n\n"u8.ToArray() }, ct);
            },
            Cancellation
        );
        Assert.Equal([1, 2], announced.Select(e => e.Position.Offset));
        var read = await ReadAllAsync();
        Assert.Equal(["rights.changed", "session.ended"], read.Select(e => e.Type));
        Assert.All(read, e => Assert.True(e.Topic.IsUnder("dunlin")));
        Assert.Contains("\"ann\"", Encoding.UTF8.GetString(read[0].Data.Span), StringComparison.Ordinal);
    }

    /// <summary>Checks that a unit of work that throws synchronously is rolled back completely.</summary>
    [Fact]
    public async Task Work_that_throws_before_its_first_await_leaves_no_trace()
    {
        await Assert.ThrowsAsync<FormatException>(async () =>
            await Store.WriteAsync<int>((_, _) => throw new FormatException(), Cancellation)
        );
        Assert.Equal(1, (await AppendAsync("a")).Offset);
    }

    /// <summary>Checks that changes of a unit of work are invisible before its commit.</summary>
    [Fact]
    public async Task Nobody_sees_a_unit_of_work_before_its_commit()
    {
        var (reached, release) = (NewGate(), NewGate());
        var write = Store
            .WriteAsync(
                async (unit, ct) =>
                {
                    await unit.AppendAsync(Draft("a"), ct);
                    await unit.LeaseTable.SaveAsync(new LeaseRow(Resource), ct);
                    reached.SetResult();
                    await release.Task;
                },
                Cancellation
            )
            .AsTask();
        await reached.Task;
        Assert.Equal(0, Journal.Head.Offset);
        Assert.Empty(await ReadAllAsync());
        Assert.Null(await FindAsync());
        release.SetResult();
        await write;
        Assert.Single(await ReadAllAsync());
        Assert.NotNull(await FindAsync());
    }

    /// <summary>Checks that concurrent units of work are serializable.</summary>
    [Fact]
    public async Task Units_of_work_run_as_if_alone()
    {
        await Task.WhenAll(
            Enumerable
                .Range(0, 16)
                .Select(_ =>
                    Task.Run(async () =>
                    {
                        for (var i = 0; i < 20; i++)
                        {
                            await Store.WriteAsync(
                                async (unit, ct) =>
                                {
                                    var row = await unit.LeaseTable.FindAsync(Resource, ct) ?? new LeaseRow(Resource);
                                    await Task.Yield();
                                    await unit.LeaseTable.SaveAsync(row with { FencingToken = row.FencingToken + 1 }, ct);
                                },
                                Cancellation
                            );
                        }
                    })
                )
        );
        Assert.Equal(320, (await FindAsync())!.FencingToken);
    }

    /// <summary>Checks that readers skip no event while sixteen writers commit and roll back.</summary>
    [Fact]
    public async Task No_reader_ever_skips_an_event_under_sixteen_writers_with_rollbacks()
    {
        TestSeed.NewRandom(out var seed);
        var kept = new ConcurrentDictionary<long, int>();
        using var done = new CancellationTokenSource();
        var announced = new List<long>();
        Subject.Feed.Committed.Subscribe(events => announced.AddRange(events.Select(e => e.Position.Offset)));
        var readers = Enumerable.Range(0, 3).Select(_ => Task.Run(() => FollowAsync(done.Token))).ToList();
        await Task.WhenAll(Enumerable.Range(0, 16).Select(w => Task.Run(() => WriteRandomlyAsync(w, new Random(seed + w), kept))));
        await done.CancelAsync();
        var all = await ReadAllAsync();
        Assert.Equal(Enumerable.Range(1, all.Count).Select(i => (long)i), all.Select(e => e.Position.Offset));
        Assert.Equal(kept.Keys.Order(), all.Select(e => e.Position.Offset));
        Assert.All(
            all,
            e =>
                Assert.Equal(
                    kept[e.Position.Offset].ToString(System.Globalization.CultureInfo.InvariantCulture),
                    System.Text.Encoding.UTF8.GetString(e.Data.Span)
                )
        );
        Assert.Equal(all.Select(e => e.Position.Offset), announced);
        foreach (var followed in await Task.WhenAll(readers))
            Assert.Equal(Enumerable.Range(1, followed.Count).Select(i => (long)i), followed);
    }

    /// <summary>Checks that a unit of work is unusable after its end.</summary>
    [Fact]
    public async Task A_unit_of_work_is_of_no_use_after_its_end()
    {
        var unit = await Store.WriteAsync((unit, _) => new ValueTask<IUnitOfWork>(unit), Cancellation);
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await unit.AppendAsync(Draft("a"), Cancellation));
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await unit.LeaseTable.FindAsync(Resource, Cancellation));
        var scope = await Store.ReadAsync((scope, _) => new ValueTask<IReadScope>(scope), Cancellation);
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await scope.LeaseTable.FindAsync(Resource, Cancellation));
        Assert.Equal(0, Journal.Head.Offset);
    }

    /// <summary>Checks that a nested unit of work is refused instead of causing a deadlock.</summary>
    [Fact]
    public async Task A_nested_unit_of_work_is_refused_without_a_deadlock()
    {
        await Store.WriteAsync(
            async (unit, ct) =>
            {
                await Assert.ThrowsAsync<InvalidOperationException>(async () => await Store.WriteAsync((_, _) => default, ct));
                await Assert.ThrowsAsync<InvalidOperationException>(async () => await Journal.AppendAsync([Draft("a")], null, ct));
                await unit.AppendAsync(Draft("b"), ct);
            },
            Cancellation
        );
        await AppendAsync("a");
        Assert.Equal(["b", "a"], (await ReadAllAsync()).Select(e => e.Topic.Value));
    }

    /// <summary>Checks that a cancelled unit of work is rolled back.</summary>
    [Fact]
    public async Task A_unit_of_work_that_is_cancelled_is_rolled_back()
    {
        using var cancel = new CancellationTokenSource();
        var reached = NewGate();
        var write = Store
            .WriteAsync(
                async (unit, ct) =>
                {
                    await unit.AppendAsync(Draft("a"), ct);
                    reached.SetResult();
                    await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ct);
                },
                cancel.Token
            )
            .AsTask();
        await reached.Task;
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => write);
        Assert.Equal(1, (await AppendAsync("a")).Offset);
    }

    /// <summary>Checks that a read scope is one snapshot that includes its position.</summary>
    [Fact]
    public async Task A_read_scope_is_one_snapshot_and_its_position_lies_within_it()
    {
        await AppendAsync("a");
        await Store.ReadAsync<int>(
            async (scope, ct) =>
            {
                Assert.Equal(Journal.Head, scope.Position);
                Assert.Null(await scope.LeaseTable.FindAsync(Resource, ct));
                await Store.WriteAsync(async (unit, inner) => await unit.LeaseTable.SaveAsync(new LeaseRow(Resource), inner), ct);
                Assert.Null(await scope.LeaseTable.FindAsync(Resource, ct));
                return 0;
            },
            Cancellation
        );
        Assert.NotNull(await FindAsync());
    }

    /// <summary>Checks that a stream from the position of a snapshot delivers all events that the snapshot lacks.</summary>
    [Fact]
    public async Task The_position_of_a_snapshot_is_never_ahead_of_its_rows()
    {
        using var done = new CancellationTokenSource();
        var writer = Task.Run(
            async () =>
            {
                for (var i = 1; !done.IsCancellationRequested; i++)
                {
                    var fence = i;
                    await Store.WriteAsync(
                        async (unit, ct) =>
                        {
                            await unit.LeaseTable.SaveAsync(new LeaseRow(Resource) { FencingToken = fence }, ct);
                            await unit.AppendAsync(Draft("a", fence), ct);
                        },
                        Cancellation
                    );
                }
            },
            Cancellation
        );
        for (var i = 0; i < 200; i++)
        {
            var (position, fence) = await Store.ReadAsync(
                async (scope, ct) => (scope.Position, (await scope.LeaseTable.FindAsync(Resource, ct))?.FencingToken ?? 0),
                Cancellation
            );
            // Event n announces fencing token n, so each token missing in the snapshot must be after the position.
            Assert.True(fence >= position.Offset, $"position {position}, but the snapshot has only {fence}");
        }
        await done.CancelAsync();
        await writer;
    }

    /// <summary>Checks that the clock of a unit of work ignores steps of the wall clock.</summary>
    [Fact]
    public async Task The_clock_of_a_unit_of_work_ignores_steps_of_the_wall_clock()
    {
        var before = await Store.WriteAsync((unit, _) => new ValueTask<DateTimeOffset>(unit.Now), Cancellation);
        Time.StepWallClock(TimeSpan.FromHours(-3));
        Time.Advance(TimeSpan.FromSeconds(5));
        var after = await Store.WriteAsync((unit, _) => new ValueTask<DateTimeOffset>(unit.Now), Cancellation);
        Assert.Equal(TimeSpan.FromSeconds(5), after - before);
        Assert.Equal(after, await Store.ReadAsync((scope, _) => new ValueTask<DateTimeOffset>(scope.Now), Cancellation));
    }

    private async Task WriteRandomlyAsync(int writer, Random random, ConcurrentDictionary<long, int> kept)
    {
        for (var i = 0; i < 40; i++)
        {
            var (count, fails, isPlain, value) = (random.Next(1, 4), random.Next(3) == 0, random.Next(3) == 0, (writer * 1_000) + i);
            if (isPlain)
            {
                foreach (
                    var position in await Journal.AppendAsync(
                        [.. Enumerable.Range(0, count).Select(_ => Draft($"w/{writer}", value))],
                        null,
                        Cancellation
                    )
                )
                    Assert.True(kept.TryAdd(position.Offset, value));
                continue;
            }
            try
            {
                var positions = await Store.WriteAsync(
                    async (unit, ct) =>
                    {
                        var mine = new List<Position>();
                        for (var n = 0; n < count; n++)
                        {
                            // Topics that exist nowhere else: a failed unit must not leave their ids behind.
                            mine.Add(await unit.AppendAsync(Draft($"w/{writer}/{i}/{n}", value), ct));
                            if (n % 2 == 0)
                                await Task.Yield();
                        }
                        return fails ? throw new FormatException() : mine;
                    },
                    Cancellation
                );
                foreach (var position in positions)
                    Assert.True(kept.TryAdd(position.Offset, value));
            }
            catch (FormatException)
            {
                // Fails on purpose.
            }
        }
    }

    /// <summary>Reads from the end of the previous page on, like a stream.</summary>
    private async Task<List<long>> FollowAsync(CancellationToken done)
    {
        var seen = new List<long>();
        for (long after = 0; ; )
        {
            var isLast = done.IsCancellationRequested;
            var page = await Journal.ReadAsync(new JournalQuery(after, null, 7), Cancellation);
            seen.AddRange(page.Events.Select(e => e.Position.Offset));
            after = page.Through;
            if (isLast && !page.HasMore)
                return seen;
            await Task.Yield();
        }
    }

    private ValueTask<LeaseRow?> FindAsync() => Store.ReadAsync((scope, ct) => scope.LeaseTable.FindAsync(Resource, ct), Cancellation);

    private static TaskCompletionSource NewGate() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
