using System.Collections.Concurrent;
using System.Diagnostics;
using Dunlin.Diagnostics;
using Dunlin.Hosting;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Sqlite.Tests.Support;
using Dunlin.Topics;

namespace Dunlin.Sqlite.Tests.Journal;

public sealed class GroupCommitTests : IAsyncLifetime
{
    private static readonly ResourceName Resource = ResourceName.Parse("r");

    private readonly Backend _backend = new();
    private readonly AsyncLocal<string?> _ambient = new();
    private SqliteStore _store = null!;

    public async ValueTask InitializeAsync()
    {
        _backend.Schemas.Add(new SchemaScripts("app", typeof(GroupCommitTests).Assembly, "Scripts.App."));
        _store = await _backend.OpenAsync();
    }

    public ValueTask DisposeAsync() => _backend.DisposeAsync();

    [Fact]
    public async Task Waiting_units_commit_together_and_a_failed_one_fails_alone()
    {
        var held = await HoldAsync();
        var first = _store.AppendAsync(Backend.Draft("a", 1)).AsTask();
        var failing = NoteAsync(2, fails: true);
        var good = NoteAsync(3, fails: false);
        var many = _store.AppendAsync([Backend.Draft("new", 4), Backend.Draft("a", 5)], null, default).AsTask();
        held.SetResult();
        await Assert.ThrowsAsync<FormatException>(() => failing);
        Assert.Equal([1, 2, 3, 4], new[] { (await first).Offset, (await good).Offset }.Concat((await many).Select(p => p.Offset)));
        Assert.Equal(4, Assert.Single(_backend.Batches).Count);
        Assert.Equal([3], await NotesAsync());
        Assert.Equal(
            "new",
            Assert.Single((await _store.ReadAsync(new JournalQuery(0, [Topics.TopicName.Parse("new")]), default)).Events).Topic.Value
        );
    }

    [Fact]
    public async Task A_batch_has_one_span_that_links_to_the_spans_of_its_writers()
    {
        var ended = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is DunlinActivities.Name or nameof(GroupCommitTests),
            Sample = (ref _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = ended.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        using var source = new ActivitySource(nameof(GroupCommitTests));
        // The writer thread starts inside this span and must not inherit it.
        await _store.DisposeAsync();
        Activity opening;
        SqliteStore store;
        using (opening = source.StartActivity("open")!)
            store = await _backend.OpenAsync();
        var held = await HoldAsync(store);
        var (callers, writes) = (new List<ActivitySpanId>(), new List<Task>());
        for (var i = 0; i < 200; i++)
        {
            using var caller = source.StartActivity("caller")!;
            callers.Add(caller.SpanId);
            writes.Add(store.AppendAsync(Backend.Draft("a", i)).AsTask());
        }
        held.SetResult();
        await Task.WhenAll(writes);
        await store.DisposeAsync();

        var commits = ended.Where(span => span.OperationName == "dunlin.commit").ToList();
        Assert.DoesNotContain(commits, span => span.TraceId == opening.TraceId);
        var commit = Assert.Single(commits, span => span.Links.Any(link => callers.Contains(link.Context.SpanId)));
        Assert.Equal(callers.Take(128), commit.Links.Select(link => link.Context.SpanId));
        Assert.Equal((default, 200, 200), (commit.ParentSpanId, commit.GetTagItem("dunlin.requests"), commit.GetTagItem("dunlin.events")));
    }

    [Fact]
    public async Task A_row_and_its_event_are_atomic()
    {
        var position = await NoteAsync(1, fails: false);
        await Assert.ThrowsAsync<FormatException>(() => NoteAsync(2, fails: true));
        Assert.Equal([1], await NotesAsync());
        Assert.Equal(position, _store.Head);
    }

    [Theory]
    [InlineData("COMMIT")]
    [InlineData("ROLLBACK")]
    [InlineData("ROLLBACK; BEGIN IMMEDIATE; ROLLBACK")]
    public async Task A_unit_that_ends_the_transaction_itself_fails_without_effect(string sql)
    {
        var held = await HoldAsync();
        var before = NoteAsync(1, fails: false);
        var offending = _store
            .WriteAsync(
                async (unit, ct) =>
                {
                    await unit.AppendAsync(Backend.Draft("a"), ct);
                    using var command = unit.Connection.CreateCommand();
                    command.CommandText = "INSERT INTO note (text, version) VALUES ('half', 2); " + sql;
                    command.ExecuteNonQuery();
                    return 0;
                }
            )
            .AsTask();
        var after = NoteAsync(3, fails: false);
        held.SetResult();
        Assert.Contains(
            "ended the transaction",
            (await Assert.ThrowsAsync<InvalidOperationException>(() => offending)).Message,
            StringComparison.Ordinal
        );
        // An executed unit of the same batch gets a retryable error; one that was not executed is not affected.
        Assert.Equal(ErrorCode.StoreUnavailable, (await Assert.ThrowsAsync<DunlinException>(() => before)).Code);
        Assert.Equal(1, (await after).Offset);
        Assert.Equal([3], await NotesAsync());
    }

    [Fact]
    public async Task A_unit_that_commits_the_transaction_object_fails()
    {
        await Assert.ThrowsAsync<InvalidOperationException>(async () =>
            await _store.WriteAsync(
                async (unit, ct) =>
                {
                    await unit.AppendAsync(Backend.Draft("a"), ct);
                    await unit.Transaction.CommitAsync(ct);
                    return 0;
                }
            )
        );
        Assert.Equal(0, _store.Head.Offset);
        await NoteAsync(1, fails: false);
        Assert.Equal([1], await NotesAsync());
        await Assert.ThrowsAsync<InvalidOperationException>(async () =>
            await _store.WriteAsync(
                (unit, _) =>
                {
                    unit.Transaction.Rollback();
                    return default;
                }
            )
        );
        Assert.Equal(2, (await NoteAsync(2, fails: false)).Offset);
    }

    [Fact]
    public async Task A_unit_over_its_limit_is_cancelled_and_rolled_back()
    {
        var work = _store
            .WriteAsync(
                async (unit, ct) =>
                {
                    await unit.AppendAsync(Backend.Draft("a"), ct);
                    await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ct);
                }
            )
            .AsTask();
        await _backend.Time.WhenTimersAsync(1);
        _backend.Time.Advance(TimeSpan.FromSeconds(5));
        var error = await Assert.ThrowsAsync<DunlinException>(() => work);
        Assert.Equal(ErrorCode.StoreUnavailable, error.Code);
        Assert.Contains("WriteLimit (5 s)", error.Message, StringComparison.Ordinal);
        Assert.Equal(1, (await _store.AppendAsync(Backend.Draft("a"))).Offset);
    }

    [Fact]
    public async Task An_endless_statement_is_interrupted_at_the_limit()
    {
        // Signals that the statement is running: SQLite calls the function inside it.
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var work = _store
            .WriteAsync(
                async (unit, ct) =>
                {
                    ((Microsoft.Data.Sqlite.SqliteConnection)unit.Connection).CreateFunction(
                        "running",
                        (long i) =>
                        {
                            reached.TrySetResult();
                            return i;
                        }
                    );
                    using var command = unit.Connection.CreateCommand();
                    command.CommandText = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT running(i) + 1 FROM n) SELECT max(i) FROM n";
                    return await command.ExecuteScalarAsync(ct);
                }
            )
            .AsTask();
        await reached.Task;
        _backend.Time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(ErrorCode.StoreUnavailable, (await Assert.ThrowsAsync<DunlinException>(() => work)).Code);
        Assert.Equal(1, (await NoteAsync(1, fails: false)).Offset);
    }

    [Fact]
    public async Task A_unit_that_ignores_cancellation_is_abandoned_without_later_effect()
    {
        var (release, zombie) = (
            new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously),
            new TaskCompletionSource<Exception?[]>()
        );
        var work = _store
            .WriteAsync(
                async (unit, ct) =>
                {
                    var connection = unit.Connection;
                    await unit.AppendAsync(Backend.Draft("zombie"), ct);
                    await release.Task;
                    zombie.SetResult([
                        await Record.ExceptionAsync(async () => await unit.AppendAsync(Backend.Draft("zombie"), ct)),
                        Record.Exception(() =>
                        {
                            using var command = connection.CreateCommand();
                            command.CommandText = "INSERT INTO note (text, version) VALUES ('zombie', 99)";
                            command.ExecuteNonQuery();
                        }),
                    ]);
                    return 0;
                }
            )
            .AsTask();
        await _backend.Time.WhenTimersAsync(1);
        _backend.Time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(ErrorCode.StoreUnavailable, (await Assert.ThrowsAsync<DunlinException>(() => work)).Code);
        Assert.Equal(1, (await NoteAsync(1, fails: false)).Offset);
        release.SetResult();
        Assert.All(await zombie.Task, Assert.NotNull);
        Assert.Equal(2, (await NoteAsync(2, fails: false)).Offset);
        Assert.Equal([1, 2], await NotesAsync());
    }

    [Fact]
    public async Task A_cancelled_unit_that_continues_affects_no_other()
    {
        using var cancel = new CancellationTokenSource();
        var (reached, release) = (new TaskCompletionSource(), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        var work = _store
            .WriteAsync(
                async (unit, _) =>
                {
                    reached.SetResult();
                    await release.Task;
                    return await unit.AppendAsync(Backend.Draft("a"), CancellationToken.None);
                },
                cancel.Token
            )
            .AsTask();
        await reached.Task;
        var mate = NoteAsync(1, fails: false);
        await cancel.CancelAsync();
        release.SetResult();
        Assert.Equal(1, (await work).Offset);
        Assert.Equal(2, (await mate).Offset);
        Assert.DoesNotContain(_backend.Log.Entries, e => e.Id == 2023);
    }

    [Fact]
    public async Task Work_runs_with_the_execution_context_of_its_caller()
    {
        _ambient.Value = "mine";
        Assert.Equal("mine", await _store.WriteAsync((_, _) => new ValueTask<string?>(_ambient.Value)));
        await _store.WriteAsync(
            async (unit, ct) =>
            {
                await Task.Yield();
                Assert.Equal("mine", _ambient.Value);
                _ambient.Value = "changed inside";
            }
        );
        Assert.Equal("mine", _ambient.Value);
    }

    [Fact]
    public async Task A_full_disk_refuses_writes_and_keeps_the_store_usable()
    {
        await using var small = new Backend();
        small.Retention.Prefixes["fill"] = new RetentionRule { MaxCount = 0 };
        var store = await small.OpenAsync(o => o.MaxFileBytes = 600_000);
        await store.AppendAsync(Backend.Draft("keep", 1));
        var large = new EventDraft(Topics.TopicName.Parse("fill"), "t", new byte[20_000]);
        DunlinException? full = null;
        for (var i = 0; i < 100 && full is null; i++)
        {
            // Units, batches and single appends reach the limit in turn.
            full =
                await Record.ExceptionAsync(async () =>
                    await (
                        i % 3 == 0 ? store.WriteAsync((unit, ct) => unit.AppendAsync(large, ct))
                        : i % 3 == 1 ? store.AppendAsync(large)
                        : First(store.AppendAsync([large, large], null, default))
                    )
                ) as DunlinException;
        }
        Assert.Equal(ErrorCode.StoreUnavailable, full!.Code);
        Assert.Contains("full", full.Message, StringComparison.Ordinal);
        Assert.Null(store.Fault);
        var head = store.Head.Offset;
        Assert.Equal(head, (await store.ReadAsync(new JournalQuery(0, null, 1_000, int.MaxValue), default)).Events.Count);
        Assert.Equal(head - 1, await store.TrimAsync(default));
        Assert.Equal(head + 1, (await store.AppendAsync(large)).Offset);
        Assert.Equal(head + 2, (await store.WriteAsync((unit, ct) => unit.AppendAsync(large, ct))).Offset);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task An_append_on_a_full_disk_stores_no_event_and_frees_its_key(int step)
    {
        await using var small = new Backend();
        small.Retention.Prefixes["fill"] = new RetentionRule { MaxCount = 0 };
        // Steps of half an append, so that the limit is reached in both halves.
        var store = await small.OpenAsync(o => o.MaxFileBytes = 600_000 + (step * 20_480));
        var large = new EventDraft(Topics.TopicName.Parse("fill"), "t", new byte[20_000]);
        for (var i = 0; ; i++)
        {
            var key = new IdempotencyKey("alice", $"k{i}");
            var kept = store.Head.Offset;
            if (await Record.ExceptionAsync(async () => await store.AppendAsync([large, large], key, default)) is null)
                continue;
            Assert.Equal(kept, (await store.ReadAsync(new JournalQuery(0, null, 1_000, int.MaxValue), default)).Events.Count);
            await store.TrimAsync(default);
            Assert.Equal([kept + 1, kept + 2], (await store.AppendAsync([large, large], key, default)).Select(p => p.Offset));
            Assert.Equal(2, (await store.ReadAsync(new JournalQuery(0, null), default)).Events.Count);
            return;
        }
    }

    [Theory]
    // The write-ahead log reaches the limit during a commit: the outcome after a restart is unknown.
    [InlineData(2048, "outcome_unknown")]
    // The database file reaches it in a checkpoint after the commit: the next write is refused before it starts.
    [InlineData(8192, "store_unavailable")]
    public async Task A_failed_disk_write_stops_the_store_until_a_restart(int blocks, string told)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Needs a limit on the size of files.");
        await using var other = new Backend();
        // Limits files to this number of 512-byte blocks and ignores the signal that would kill the process: write() fails with EFBIG.
        using var child = Child.StartUnder($"trap '' XFSZ; ulimit -f {blocks}", "fill", other.Path);
        var output = await child.StandardOutput.ReadToEndAsync(Backend.Cancellation);
        Assert.Equal($"True {told} store_unavailable store_unavailable True", output.Trim());
        var store = await other.OpenAsync();
        Assert.Contains(other.Log.Entries, e => e.Id == 2002);
        Assert.True(store.Head.Offset > 0);
        await store.AppendAsync(Backend.Draft("a"));
    }

    [Fact]
    public async Task Disposal_completes_queued_writes_and_refuses_later_ones()
    {
        var held = await HoldAsync();
        var queued = Enumerable.Range(0, 50).Select(i => _store.AppendAsync(Backend.Draft("a", i)).AsTask()).ToList();
        var disposal = _store.DisposeAsync().AsTask();
        held.SetResult();
        await disposal;
        var outcomes = await Task.WhenAll(queued);
        Assert.Equal(Enumerable.Range(1, 50).Select(i => (long)i), outcomes.Select(p => p.Offset));
        var refused = await Assert.ThrowsAsync<DunlinException>(async () => await _store.AppendAsync(Backend.Draft("a")));
        Assert.Equal(ErrorCode.StoreUnavailable, refused.Code);
        await Assert.ThrowsAsync<DunlinException>(async () => await _store.ReadAsync(new JournalQuery(0, null), default));
        var again = await _backend.OpenAsync();
        Assert.Equal(50, again.Head.Offset);
    }

    [Fact]
    public async Task A_throwing_receiver_affects_neither_writer_nor_next_batch()
    {
        await using var other = new Backend();
        var feed = new CommitFeed(other.Log.For<CommitFeed>());
        feed.Committed.Subscribe(_ => throw new FormatException());
        var store = other.Create(feed: feed);
        Assert.Equal(1, (await store.AppendAsync(Backend.Draft("a"))).Offset);
        Assert.Equal(2, (await store.AppendAsync(Backend.Draft("a"))).Offset);
        Assert.Contains(other.Log.Entries, e => e.Id == 1230);
    }

    /// <summary>Keeps the writer busy, so that requests queued next form one batch.</summary>
    private Task<TaskCompletionSource> HoldAsync() => HoldAsync(_store);

    private static async Task<TaskCompletionSource> HoldAsync(SqliteStore store)
    {
        var (reached, release) = (new TaskCompletionSource(), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        _ = store
            .WriteAsync(
                async (_, _) =>
                {
                    reached.SetResult();
                    await release.Task;
                }
            )
            .AsTask();
        await reached.Task;
        return release;
    }

    private Task<Position> NoteAsync(int id, bool fails) =>
        _store
            .WriteAsync(
                async (unit, ct) =>
                {
                    var position = await unit.AppendAsync(Backend.Draft($"notes/{id}", id), ct);
                    using var command = unit.Connection.CreateCommand();
                    command.Transaction = unit.Transaction;
                    command.CommandText = "INSERT INTO note (id, text, version) VALUES (@id, 'text', @version)";
                    foreach (var (name, value) in new (string, long)[] { ("@id", id), ("@version", position.Offset) })
                    {
                        var parameter = command.CreateParameter();
                        (parameter.ParameterName, parameter.Value) = (name, value);
                        command.Parameters.Add(parameter);
                    }
                    await command.ExecuteNonQueryAsync(ct);
                    await unit.LeaseTable.SaveAsync(new LeaseRow(Resource) { FencingToken = id }, ct);
                    return fails ? throw new FormatException() : position;
                }
            )
            .AsTask();

    private ValueTask<List<long>> NotesAsync() =>
        _store.ReadAsync(
            (scope, _) =>
            {
                using var command = scope.Connection.CreateCommand();
                command.CommandText = "SELECT id FROM note ORDER BY id";
                using var reader = command.ExecuteReader();
                var ids = new List<long>();
                while (reader.Read())
                    ids.Add(reader.GetInt64(0));
                return new ValueTask<List<long>>(ids);
            }
        );

    private static async ValueTask<Position> First(ValueTask<IReadOnlyList<Position>> positions) => (await positions)[0];
}
