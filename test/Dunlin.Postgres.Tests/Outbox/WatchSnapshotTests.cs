using Dunlin.Journal;

namespace Dunlin.Postgres.Tests.Outbox;

/// <summary>Snapshots of watched tables: a reader has the table, without a gap between the rows and the changes after them.</summary>
public sealed class WatchSnapshotTests : IAsyncLifetime
{
    private WatchHost _host = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await WatchHost.StartAsync();
        await _host.ExecuteAsync(
            "CREATE TABLE rows (area TEXT, id INT, value INT, PRIMARY KEY (area, id)); "
                + "INSERT INTO rows SELECT CASE i % 2 WHEN 0 THEN 'a b' ELSE 'ü' END, i, 0 FROM generate_series(1, 1200) AS i"
        );
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task A_watch_with_a_snapshot_publishes_the_rows_before_later_changes()
    {
        await using var earlier = await _host.ConnectAsync();
        await using var watching = await _host.ConnectAsync();
        await using var later = await _host.ConnectAsync();
        await _host.RunAsync(earlier, "BEGIN; UPDATE rows SET value = 1 WHERE id = 1; INSERT INTO rows VALUES ('new', 1, 1)");
        var watch = _host.RunAsync(watching, $"SELECT dunlin.watch('rows', topic => '{Topic}', snapshot => true)");
        await _host.WhenBlockedAsync(watching);
        var update = _host.RunAsync(later, "UPDATE rows SET value = 2 WHERE id = 2");
        await _host.WhenBlockedAsync(later);
        await _host.RunAsync(earlier, "COMMIT");
        await Task.WhenAll(watch, update);
        var events = await _host.EventsAsync();
        Assert.Equal(1201, events.Count(entry => entry.Type == "row.read"));
        Assert.Equal("row.updated", events[^1].Type);
        await ReplaysAsync(0);
        Assert.False(await _host.ScalarAsync<bool>($"SELECT dunlin.watch('rows', topic => '{Topic}', snapshot => true)"));
    }

    [Theory]
    [InlineData("COMMIT")]
    [InlineData("ROLLBACK")]
    public async Task A_snapshot_beside_an_open_transaction_has_its_outcome(string end)
    {
        var before = await WatchAsync();
        await using var writer = await _host.ConnectAsync();
        await using var snapshot = await _host.ConnectAsync();
        await _host.RunAsync(
            writer,
            "BEGIN; UPDATE rows SET value = 1 WHERE id = 700; UPDATE rows SET id = 5000 WHERE id = 3; DELETE FROM rows WHERE id = 4; "
                + "INSERT INTO rows VALUES ('a', 1, 1)"
        );
        var call = _host.RunAsync(snapshot, "CALL dunlin.snapshot('rows', 100)");
        await _host.WhenBlockedAsync(snapshot);
        // The snapshot waits with no lock of other rows, so neither this transaction nor the open one waits for it.
        await _host.ExecuteAsync("UPDATE rows SET value = 7 WHERE id BETWEEN 5 AND 20");
        await _host.RunAsync(writer, "UPDATE rows SET value = 9 WHERE id BETWEEN 21 AND 600");
        await _host.RunAsync(writer, end);
        await call;
        await ReplaysAsync(before);
    }

    [Fact]
    public async Task A_snapshot_commits_in_parts_that_a_reader_gets_at_once()
    {
        var before = await WatchAsync();
        await using var writer = await _host.ConnectAsync();
        await using var snapshot = await _host.ConnectAsync();
        // The last row in the order of the key.
        await _host.RunAsync(writer, "BEGIN; DELETE FROM rows WHERE id = 1199");
        var call = _host.RunAsync(snapshot, "CALL dunlin.snapshot('rows', 250)");
        await _host.WhenBlockedAsync(snapshot);
        Assert.Equal(1199, (await _host.EventsAsync(before)).Count);
        await _host.RunAsync(writer, "COMMIT");
        await call;
        await ReplaysAsync(before);
    }

    [Fact]
    public async Task Writers_during_snapshots_leave_no_gap()
    {
        var before = await WatchAsync();
        var random = TestKit.TestSeed.NewRandom(out _);
        var seeds = Enumerable.Range(0, 3).Select(_ => random.Next()).ToArray();
        using var end = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var writers = seeds.Select(seed => Task.Run(() => WriteAsync(new Random(seed), end.Token))).ToArray();
        await using (var snapshot = await _host.ConnectAsync())
            for (var i = 0; i < 3; i++)
                await _host.RunAsync(snapshot, $"CALL dunlin.snapshot('rows', {random.Next(1, 300)})");
        await end.CancelAsync();
        await Task.WhenAll(writers);
        await ReplaysAsync(before);
    }

    [Fact]
    public async Task A_snapshot_that_cannot_work_is_refused_with_a_hint()
    {
        var refused = await _host.RefusedAsync("CALL dunlin.snapshot('rows')");
        Assert.Equal(("22023", "Watch the table before you publish a snapshot."), (refused.SqlState, refused.Hint));
        await WatchAsync();
        Assert.Equal("22023", (await _host.RefusedAsync("CALL dunlin.snapshot('rows', 0)")).SqlState);
        Assert.Equal("2D000", (await _host.RefusedAsync("BEGIN; CALL dunlin.snapshot('rows')")).SqlState);
        refused = await _host.RefusedAsync(
            $"BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT dunlin.watch('rows', topic => 'other/{"{id}"}', snapshot => true)"
        );
        Assert.Equal("0A000", refused.SqlState);
    }

    private const string Topic = "rows/{area}/{id}";

    private async Task<long> WatchAsync()
    {
        await _host.ExecuteAsync($"SELECT dunlin.watch('rows', topic => '{Topic}')");
        await _host.ExecuteAsync("UPDATE rows SET value = value + 1 WHERE id < 100");
        return (await _host.EventsAsync())[^1].Position.Offset;
    }

    private async Task WriteAsync(Random random, CancellationToken end)
    {
        await using var connection = await _host.ConnectAsync();
        while (!end.IsCancellationRequested)
        {
            var (first, last) = (random.Next(1, 1300), random.Next(1, 1300));
            var statement = random.Next(5) switch
            {
                0 => $"INSERT INTO rows VALUES ('a b', {first}, 1) ON CONFLICT (area, id) DO UPDATE SET value = rows.value + 1",
                1 => $"DELETE FROM rows WHERE id = {first}",
                2 => $"UPDATE rows SET id = {last} WHERE id = {first}",
                _ => $"UPDATE rows SET value = value + 1 WHERE id BETWEEN {first} AND {first + (last % 20)}",
            };
            try
            {
                await _host.RunAsync(connection, $"BEGIN; {statement}; {(random.Next(4) == 0 ? "ROLLBACK" : "COMMIT")}");
            }
            catch (Npgsql.PostgresException exception) when (exception.SqlState is "23505" or "40P01")
            {
                await _host.RunAsync(connection, "ROLLBACK");
            }
        }
    }

    /// <summary>Asserts that the events after a position give the table.</summary>
    private async Task ReplaysAsync(long after) =>
        Assert.Equal(
            await _host.RowsAsync(
                "'rows/' || CASE area WHEN 'ü' THEN '%C3%BC' WHEN 'a b' THEN 'a%20b' ELSE area END || '/' || id",
                """'{"area":"' || area || '","id":' || id || '}'""",
                "rows"
            ),
            WatchHost.Replay(await _host.EventsAsync(after))
        );
}
