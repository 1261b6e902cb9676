using System.Globalization;
using System.Text;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Sqlite.Tests.Support;
using Dunlin.Topics;

namespace Dunlin.Sqlite.Tests.Journal;

public sealed class RestartTests : IAsyncLifetime
{
    // Acknowledged appends before the kill: enough for many batches, units of work among them.
    private const int AcknowledgedBeforeKill = 1_500;

    private readonly Backend _backend = new();

    public ValueTask InitializeAsync() => default;

    public ValueTask DisposeAsync() => _backend.DisposeAsync();

    [Fact]
    public async Task Epoch_and_events_stay_across_a_restart()
    {
        Position last;
        await using (var store = await _backend.OpenAsync())
        {
            await store.AppendAsync(Backend.Draft("a", 1));
            last = await store.AppendAsync(Backend.Draft("b", 2));
        }
        await using (var store = await _backend.OpenAsync())
        {
            Assert.Equal(last, store.Head);
            Assert.Equal(2, (await store.ReadAsync(new JournalQuery(0, null), default)).Events.Count);
            Assert.Equal(last with { Offset = 3 }, await store.AppendAsync(Backend.Draft("a", 3)));
        }
    }

    [Fact]
    public async Task A_new_file_begins_another_history()
    {
        await using var other = new Backend();
        Assert.NotEqual((await _backend.OpenAsync()).Head.Epoch, (await other.OpenAsync()).Head.Epoch);
    }

    [Fact]
    public async Task Offsets_go_on_after_everything_was_removed_and_the_store_restarted()
    {
        _backend.Retention.Default.MaxCount = 0;
        await using (var store = await _backend.OpenAsync())
        {
            await store.AppendAsync([Backend.Draft("a"), Backend.Draft("b"), Backend.Draft("a")], null, default);
            Assert.Equal(3, await store.TrimAsync(default));
        }
        await using (var store = await _backend.OpenAsync())
        {
            Assert.Equal(3, store.Head.Offset);
            Assert.True((await store.ReadAsync(new JournalQuery(2, null), default)).Trimmed);
            Assert.False((await store.ReadAsync(new JournalQuery(3, null), default)).Trimmed);
            Assert.Equal(4, (await store.AppendAsync(Backend.Draft("a"))).Offset);
        }
    }

    [Fact]
    public async Task Fences_grow_across_restarts_although_every_row_is_forgotten()
    {
        long last = 0;
        for (var round = 0; round < 3; round++)
        {
            await using var store = await _backend.OpenAsync();
            var fence = await store.WriteAsync((unit, ct) => unit.LeaseTable.NextFencingTokenAsync(ct));
            Assert.True(fence > last);
            last = fence;
        }
    }

    [Fact]
    public async Task A_repeated_key_is_recognised_after_a_restart()
    {
        var key = new IdempotencyKey("alice", "k1");
        IReadOnlyList<Position> first;
        await using (var store = await _backend.OpenAsync())
            first = await store.AppendAsync([Backend.Draft("a", 1), Backend.Draft("a", 2)], key, default);
        await using (var store = await _backend.OpenAsync())
            Assert.Equal(first, await store.AppendAsync([Backend.Draft("a", 1), Backend.Draft("a", 2)], key, default));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(20)]
    [InlineData(100_000)]
    [InlineData(-100_000)]
    public async Task A_held_lease_ends_one_full_duration_after_a_restart_wherever_the_wall_clock_stands(int seconds)
    {
        var (held, free) = (ResourceName.Parse("held"), ResourceName.Parse("free"));
        await using (var store = await _backend.OpenAsync())
        {
            await store.WriteAsync(
                async (unit, ct) =>
                {
                    await unit.LeaseTable.SaveAsync(
                        new LeaseRow(held)
                        {
                            LeaseId = "l",
                            Owner = new LeaseOwner("u", "U"),
                            Seconds = 30,
                            ExpiresAt = unit.Now.AddSeconds(30),
                        },
                        ct
                    );
                    await unit.LeaseTable.SaveAsync(new LeaseRow(free) { Seconds = 30, ExpiresAt = unit.Now }, ct);
                }
            );
        }
        _backend.Time.StepWallClock(TimeSpan.FromSeconds(seconds));
        await using (var store = await _backend.OpenAsync())
        {
            var (now, row, other) = await store.ReadAsync(
                async (scope, ct) => (scope.Now, await scope.LeaseTable.FindAsync(held, ct), await scope.LeaseTable.FindAsync(free, ct))
            );
            Assert.Equal(now.AddSeconds(30), row!.ExpiresAt);
            Assert.False(other!.IsHeldAt(now));
        }
    }

    [Fact]
    public async Task Every_acknowledged_append_is_there_in_order_after_kill_9()
    {
        using var child = Child.Start("append", _backend.Path, "8");
        var acknowledged = new List<(int Writer, int Number, long Offset)>();
        while (await child.StandardOutput.ReadLineAsync(Backend.Cancellation) is { } line)
        {
            if (Parse(line) is { } append)
                acknowledged.Add(append);
            // SIGKILL; what it had written to the pipe by then is still read.
            if (acknowledged.Count == AcknowledgedBeforeKill)
                child.Kill();
        }
        await child.WaitForExitAsync(Backend.Cancellation);
        Assert.True(acknowledged.Count >= AcknowledgedBeforeKill);

        var store = await _backend.OpenAsync();
        Assert.Contains(_backend.Log.Entries, e => e.Id == 2002);
        var events = await ReadAllAsync(store);
        Assert.Equal(Enumerable.Range(1, events.Count).Select(i => (long)i), events.Select(e => e.Position.Offset));
        foreach (var (writer, number, offset) in acknowledged)
        {
            var kept = events[(int)offset - 1];
            Assert.Equal(
                ($"w/{writer}", number.ToString(CultureInfo.InvariantCulture)),
                (kept.Topic.Value, Encoding.UTF8.GetString(kept.Data.Span))
            );
        }
        // Each writer waits for its answer: its events stand in its order, none twice.
        foreach (var writer in events.GroupBy(e => e.Topic))
            Assert.Equal(
                Enumerable.Range(0, writer.Count()).Select(i => i.ToString(CultureInfo.InvariantCulture)),
                writer.Select(e => Encoding.UTF8.GetString(e.Data.Span))
            );
    }

    [Fact]
    public async Task A_clean_stop_needs_no_check()
    {
        await (await _backend.OpenAsync()).DisposeAsync();
        await _backend.OpenAsync();
        Assert.DoesNotContain(_backend.Log.Entries, e => e.Id == 2002);
    }

    [Fact]
    public async Task A_damaged_file_is_refused_after_an_unclean_stop()
    {
        await using (var store = await _backend.OpenAsync())
        {
            for (var i = 0; i < 20; i++)
                await store.AppendAsync([.. Enumerable.Range(0, 100).Select(n => Backend.Draft($"topic/{n}", n))], null, default);
        }
        // As after a kill; then a page in the middle of the journal becomes rubbish.
        await File.WriteAllTextAsync(_backend.Path + "-open", "process 1", Backend.Cancellation);
        await using (var file = new FileStream(_backend.Path, FileMode.Open))
        {
            file.Position = file.Length / 2 / 4096 * 4096;
            file.Write(Enumerable.Repeat((byte)0x5a, 4096).ToArray());
        }
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => _backend.OpenAsync());
        Assert.Contains("damaged", refused.Message, StringComparison.Ordinal);
        // The next attempt must check again.
        await Assert.ThrowsAsync<InvalidOperationException>(() => _backend.OpenAsync());
    }

    private static (int Writer, int Number, long Offset)? Parse(string line)
    {
        var parts = line.Split(' ');
        // A line is written whole or not at all: the pipe is larger, and the console writes a line at a time.
        return
            parts.Length == 3
            && int.TryParse(parts[0], CultureInfo.InvariantCulture, out var writer)
            && int.TryParse(parts[1], CultureInfo.InvariantCulture, out var number)
            && long.TryParse(parts[2], CultureInfo.InvariantCulture, out var offset)
            ? (writer, number, offset)
            : null;
    }

    private static async Task<List<DunlinEvent>> ReadAllAsync(SqliteStore store)
    {
        var events = new List<DunlinEvent>();
        for (long after = 0; ; )
        {
            var page = await store.ReadAsync(new JournalQuery(after, null, JournalLimits.MaxPageEvents), Backend.Cancellation);
            events.AddRange(page.Events);
            after = page.Through;
            if (!page.HasMore)
                return events;
        }
    }
}
