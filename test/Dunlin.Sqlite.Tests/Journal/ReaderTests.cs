using System.Data.Common;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Sqlite.Schema;
using Dunlin.Sqlite.Tests.Support;
using Microsoft.Data.Sqlite;

namespace Dunlin.Sqlite.Tests.Journal;

public sealed class ReaderTests : IAsyncLifetime
{
    private readonly Backend _backend = new();

    public ValueTask InitializeAsync() => default;

    public ValueTask DisposeAsync() => _backend.DisposeAsync();

    [Fact]
    public async Task A_long_reader_blocks_no_writer_or_checkpoint_and_ends_at_its_limit()
    {
        var store = await _backend.OpenAsync();
        await FillAsync(store);
        var (reached, never) = (new TaskCompletionSource(), new TaskCompletionSource());
        var timers = _backend.Time.ActiveTimers;
        var read = store
            .ReadAsync<int>(
                async (scope, ct) =>
                {
                    Count(scope);
                    reached.SetResult();
                    await never.Task.WaitAsync(ct);
                    return 0;
                }
            )
            .AsTask();
        await reached.Task;
        var before = new FileInfo(_backend.Path).Length;
        await FillAsync(store);
        await FillAsync(store);
        var logWhileRead = LogLength();
        // A checkpoint copied the log up to the reader's snapshot. Later entries wait for the reader.
        Assert.True(new FileInfo(_backend.Path).Length > before);
        Assert.True(logWhileRead > 2_000_000, $"the log has {logWhileRead} bytes");
        Assert.Equal(timers + 1, _backend.Time.ActiveTimers);
        _backend.Time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(ErrorCode.StoreUnavailable, (await Assert.ThrowsAsync<DunlinException>(() => read)).Code);
        // Three times as much again reuses the log: it restarts from the beginning.
        for (var i = 0; i < 6; i++)
            await FillAsync(store);
        Assert.True(LogLength() < 2 * logWhileRead, $"the log grew from {logWhileRead} to {LogLength()}");
    }

    [Fact]
    public async Task A_reader_that_ignores_cancellation_still_releases_its_snapshot()
    {
        var store = await _backend.OpenAsync();
        await FillAsync(store);
        var (reached, release) = (new TaskCompletionSource(), new TaskCompletionSource());
        var read = store
            .ReadAsync<int>(
                async (scope, _) =>
                {
                    var connection = scope.Connection;
                    Count(scope);
                    reached.SetResult();
                    await release.Task;
                    using var command = connection.CreateCommand();
                    command.CommandText = "SELECT count(*) FROM dunlin_journal";
                    command.ExecuteScalar();
                    return 0;
                }
            )
            .AsTask();
        await reached.Task;
        _backend.Time.Advance(TimeSpan.FromSeconds(30));
        for (var i = 0; i < 6; i++)
            await FillAsync(store);
        Assert.True(LogLength() < 20_000_000, $"the log has {LogLength()} bytes");
        release.SetResult();
        Assert.Equal(ErrorCode.StoreUnavailable, (await Assert.ThrowsAsync<DunlinException>(() => read)).Code);
        Assert.True((await store.ReadAsync(new JournalQuery(0, null), default)).HasMore);
    }

    [Fact]
    public async Task A_read_scope_cannot_write()
    {
        var store = await _backend.OpenAsync();
        await Assert.ThrowsAsync<SqliteException>(async () =>
            await store.ReadAsync(
                (scope, _) =>
                {
                    using var command = scope.Connection.CreateCommand();
                    command.CommandText = "DELETE FROM dunlin_topic";
                    return new ValueTask<int>(command.ExecuteNonQuery());
                }
            )
        );
    }

    [Fact]
    public async Task Readers_above_the_pool_size_wait()
    {
        var store = await _backend.OpenAsync(o => o.MaxReaders = 2);
        await store.AppendAsync(Backend.Draft("a"));
        var (inside, release) = (new SemaphoreSlim(0), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        var reads = Enumerable
            .Range(0, 6)
            .Select(_ =>
                store
                    .ReadAsync(
                        async (scope, _) =>
                        {
                            inside.Release();
                            await release.Task;
                            return Count(scope);
                        }
                    )
                    .AsTask()
            )
            .ToList();
        await inside.WaitAsync(Backend.Cancellation);
        await inside.WaitAsync(Backend.Cancellation);
        Assert.Equal(0, inside.CurrentCount);
        using var cancel = new CancellationTokenSource();
        var impatient = store.ReadAsync(new JournalQuery(0, null), cancel.Token).AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => impatient);
        release.SetResult();
        Assert.All(await Task.WhenAll(reads), count => Assert.Equal(1, count));
    }

    [Theory]
    [InlineData("page_offsets", "USING COVERING INDEX dunlin_journal_by_topic (topic=? AND rowid>? AND rowid<?)")]
    [InlineData("page_all", "USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)")]
    [InlineData("trim_by_age", "USING INDEX dunlin_journal_by_topic (topic=?)")]
    [InlineData("trim_by_count", "USING COVERING INDEX dunlin_journal_by_topic (topic=?)")]
    [InlineData("trim_by_size", "USING INDEX dunlin_journal_by_topic (topic=?)")]
    [InlineData("trim_slice", "SEARCH dunlin_journal USING COVERING INDEX dunlin_journal_by_topic (topic=? AND rowid<?)")]
    [InlineData("forget_idempotency", "USING COVERING INDEX dunlin_idempotency_by_time (time<?)")]
    [InlineData("lease_list", "USING PRIMARY KEY (resource>? AND resource<?)")]
    [InlineData("lease_list_held", "USING INDEX dunlin_lease_held (resource>? AND resource<?)")]
    [InlineData("lease_redate", "USING INDEX dunlin_lease_held")]
    [InlineData("lease_list_by_session", "USING COVERING INDEX dunlin_lease_by_session (session_id=?)")]
    [InlineData("lease_forget_ended", "USING INDEX dunlin_lease_ended (ended_at<?)")]
    [InlineData("record_read", "USING INDEX dunlin_record_by_version (space=? AND (version,key)>(?,?))")]
    [InlineData("record_forget", "USING INDEX dunlin_record_deleted (")]
    [InlineData("space_access_list_by_user", "USING PRIMARY KEY (user_id=?)")]
    [InlineData("space_access_list_members", "USING INDEX dunlin_space_access_by_space (space=?)")]
    public async Task A_statement_reads_only_the_rows_it_needs(string statement, string plan)
    {
        var store = await _backend.OpenAsync();
        var lines = await store.LookUpAsync(
            (session, _) =>
                new ValueTask<List<string>>(TextOf(statement).Split(';').SelectMany(command => Plan(session.Connection, command)).ToList()),
            default
        );
        Assert.Contains(lines, line => line.Contains(plan, StringComparison.Ordinal));
        Assert.DoesNotContain(lines, line => line.Contains("SCAN dunlin_journal", StringComparison.Ordinal));
        Assert.DoesNotContain(lines, line => line.Contains("TEMP B-TREE FOR ORDER", StringComparison.Ordinal));
    }

    private static string TextOf(string statement) =>
        Database.Dialect.Statements.Contains(statement) ? Database.Dialect[statement] : new SqlText(statement).Text;

    private static List<string> Plan(DbConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = "EXPLAIN QUERY PLAN " + sql;
        for (var i = 1; i <= 7; i++)
            ((SqliteCommand)command).Parameters.AddWithValue($"?{i}", 1);
        using var reader = command.ExecuteReader();
        var steps = new List<string>();
        while (reader.Read())
            steps.Add(reader.GetString(3));
        return steps;
    }

    private static long Count(IReadScope scope)
    {
        using var command = scope.Connection.CreateCommand();
        command.CommandText = "SELECT count(*) FROM dunlin_journal";
        return (long)command.ExecuteScalar()!;
    }

    private long LogLength() => new FileInfo(_backend.Path + "-wal").Length;

    /// <summary>Writes more pages than fit between two checkpoints.</summary>
    private static async Task FillAsync(SqliteStore store)
    {
        for (var i = 0; i < 60; i++)
            await store.AppendAsync(new EventDraft(Topics.TopicName.Parse("fill"), "t", new byte[100_000]));
    }
}
