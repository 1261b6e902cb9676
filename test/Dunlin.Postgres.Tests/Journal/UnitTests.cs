using Dapper;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Postgres.Tests.Support;
using Dunlin.TestKit;
using Npgsql;

namespace Dunlin.Postgres.Tests.Journal;

/// <summary>Units of work in one batch, and errors of one of them.</summary>
public sealed class UnitTests : IAsyncLifetime
{
    private const int Blocked = 7_331_024; // an advisory lock

    private Backend _backend = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _backend = await Backend.NewAsync();
        await Database.ExecuteAsync(_backend.ConnectionString, "CREATE TABLE note (id INT PRIMARY KEY, text TEXT)");
    }

    public ValueTask DisposeAsync() => _backend.DisposeAsync();

    [Fact]
    public async Task Other_units_of_the_batch_of_a_failing_unit_keep_rows_and_events()
    {
        var node = await _backend.OpenAsync();
        var results = await Task.WhenAll(
            Enumerable
                .Range(0, 40)
                .Select(i =>
                    Task.Run(async () =>
                    {
                        try
                        {
                            await node.WriteAsync(
                                async (unit, ct) =>
                                {
                                    // Every id is used twice, so one insert of each pair fails in the database.
                                    await unit.AppendAsync(Backend.Draft($"notes/{i}", i), ct);
                                    await unit.Connection.ExecuteAsync(
                                        "INSERT INTO note (id) VALUES (@id)",
                                        new { id = i / 2 },
                                        unit.Transaction
                                    );
                                },
                                Cancellation
                            );
                            return true;
                        }
                        catch (PostgresException error) when (error.SqlState == PostgresErrorCodes.UniqueViolation)
                        {
                            return false;
                        }
                    })
                )
        );
        Assert.Equal(20, results.Count(kept => kept));
        Assert.Equal(20, await Database.ScalarAsync<long>(_backend.ConnectionString, "SELECT count(*) FROM note"));
        Assert.Equal(Enumerable.Range(1, 20).Select(i => (long)i), (await Backend.ReadAllAsync(node)).Select(e => e.Position.Offset));
    }

    [Fact]
    public async Task A_unit_that_cannot_be_rolled_back_is_answered()
    {
        var node = await _backend.OpenAsync();
        var failed = node.WriteAsync(
                async (unit, _) =>
                {
                    // The client does not know yet that the server has ended the session.
                    var session = await unit.Connection.ExecuteScalarAsync<int>("SELECT pg_backend_pid()");
                    await Database.ScalarAsync<bool>(_backend.ConnectionString, $"SELECT pg_terminate_backend({session}, 60000)");
                    throw new InvalidOperationException("fails");
                },
                Cancellation
            )
            .AsTask();
        // Without an answer it would wait for ever.
        await Assert.ThrowsAsync<InvalidOperationException>(() => failed.WaitAsync(TimeSpan.FromMinutes(1), Cancellation));
        Assert.Equal(1, (await node.AppendAsync(Backend.Draft("a"), Cancellation)).Offset);
    }

    [Fact]
    public async Task A_unit_over_its_time_limit_is_cancelled_within_its_statement()
    {
        var node = await _backend.OpenAsync(options => options.WriteLimit = TimeSpan.FromMilliseconds(300));
        var refused = await Assert.ThrowsAsync<DunlinException>(async () =>
            await node.WriteAsync(
                async (unit, ct) =>
                    await unit.Connection.ExecuteAsync(
                        new CommandDefinition("SELECT pg_sleep(60)", transaction: unit.Transaction, cancellationToken: ct)
                    ),
                Cancellation
            )
        );
        Assert.Equal(ErrorCode.StoreUnavailable, refused.Code);
        Assert.Equal(1, (await node.AppendAsync(Backend.Draft("a"), Cancellation)).Offset);
    }

    [Fact]
    public async Task A_unit_that_ignores_cancellation_is_abandoned_and_the_writer_continues()
    {
        var node = await _backend.OpenAsync(options => options.WriteLimit = TimeSpan.FromMilliseconds(100));
        var never = new TaskCompletionSource();
        var refused = await Assert.ThrowsAsync<DunlinException>(async () =>
            await node.WriteAsync(
                async (unit, ct) =>
                {
                    await unit.AppendAsync(Backend.Draft("lost"), ct);
                    await never.Task;
                },
                Cancellation
            )
        );
        Assert.Equal(ErrorCode.StoreUnavailable, refused.Code);
        Assert.Equal(1, (await node.AppendAsync(Backend.Draft("a"), Cancellation)).Offset);
        never.SetResult();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_unit_ended_by_a_time_jump_within_its_command_releases_the_lock(bool isCancellable)
    {
        // The server's own timeout is an hour: the lock must be released earlier.
        var time = new ManualTime();
        var node = await _backend.OpenAsync(options => options.WriteLimit = TimeSpan.FromHours(1), time: time);
        await using var blocker = new NpgsqlConnection(_backend.ConnectionString);
        await blocker.OpenAsync(Cancellation);
        for (var i = 0; i < 5; i++)
        {
            await blocker.ExecuteAsync($"SELECT pg_advisory_lock({Blocked})");
            var write = node.WriteAsync(
                    async (unit, ct) =>
                    {
                        await unit.Connection.ExecuteAsync(
                            new CommandDefinition(
                                $"SELECT pg_advisory_xact_lock({Blocked})",
                                transaction: unit.Transaction,
                                cancellationToken: isCancellable ? ct : default
                            )
                        );
                        // One command after the other, as retention does.
                        await unit.Connection.ExecuteAsync(
                            new CommandDefinition("SELECT 1", transaction: unit.Transaction, cancellationToken: ct)
                        );
                    },
                    Cancellation
                )
                .AsTask();
            using (var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30)))
            {
                while (
                    await Database.ScalarAsync<long>(
                        _backend.ConnectionString,
                        $"SELECT count(*) FROM pg_locks WHERE objid = {Blocked} AND NOT granted"
                    ) == 0
                )
                    patience.Token.ThrowIfCancellationRequested();
            }
            // The limit, the cancellation and the end of the grace all pass before an answer of the server can arrive.
            time.Advance(TimeSpan.FromDays(40));
            Assert.Equal(
                ErrorCode.StoreUnavailable,
                (await Assert.ThrowsAsync<DunlinException>(() => write.WaitAsync(TimeSpan.FromSeconds(30)))).Code
            );
            await blocker.ExecuteAsync($"SELECT pg_advisory_unlock({Blocked})");
            Assert.Equal(
                i + 1,
                (await node.AppendAsync(Backend.Draft("a"), Cancellation).AsTask().WaitAsync(TimeSpan.FromSeconds(30))).Offset
            );
        }
    }

    [Theory]
    [InlineData("COMMIT")]
    [InlineData("ROLLBACK")]
    public async Task A_unit_that_ends_the_transaction_itself_fails_without_events(string statement)
    {
        var node = await _backend.OpenAsync();
        var thrown = await Assert.ThrowsAsync<InvalidOperationException>(async () =>
            await node.WriteAsync(
                async (unit, ct) =>
                {
                    await unit.AppendAsync(Backend.Draft("a"), ct);
                    await unit.Connection.ExecuteAsync(statement);
                },
                Cancellation
            )
        );
        Assert.Contains("ended the transaction", thrown.Message, StringComparison.Ordinal);
        Assert.Equal(1, (await node.AppendAsync(Backend.Draft("b"), Cancellation)).Offset);
        Assert.Equal("b", Assert.Single(await Backend.ReadAllAsync(node)).Topic.Value);
    }

    [Fact]
    public async Task A_requested_position_is_assigned_despite_appends_of_other_nodes()
    {
        var nodes = new[] { await _backend.OpenAsync(), await _backend.OpenAsync() };
        await Task.WhenAll(
            Enumerable
                .Range(0, 30)
                .Select(i =>
                    Task.Run(async () =>
                        await nodes[i % 2]
                            .WriteAsync(
                                async (unit, ct) =>
                                {
                                    var next = await unit.NextPositionAsync(ct);
                                    await Task.Yield();
                                    Assert.Equal(next, await unit.AppendAsync(Backend.Draft("a"), ct));
                                    Assert.Equal(next.Offset + 1, (await unit.NextPositionAsync(ct)).Offset);
                                },
                                Cancellation
                            )
                    )
                )
        );
        Assert.Equal(30, (await nodes[0].ReadHeadAsync(Cancellation)).Offset);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0xd800)]
    public async Task Text_that_the_database_cannot_store_is_refused_before_the_batch(int character)
    {
        var text = $"a{(char)character}b";
        var node = await _backend.OpenAsync();
        var draft = EventDraft.Of(Topics.TopicName.Parse("a"), "t", 1, new EventOrigin("u", DeviceId: text));
        Assert.Equal(
            "origin.deviceId",
            (await Assert.ThrowsAsync<DunlinException>(async () => await node.AppendAsync(draft, Cancellation))).Field
        );
        await node.WriteAsync(
            async (unit, ct) =>
                Assert.Equal(
                    "origin.deviceId",
                    (await Assert.ThrowsAsync<DunlinException>(async () => await unit.AppendAsync(draft, ct))).Field
                ),
            Cancellation
        );
        var key = new IdempotencyKey(text, "k");
        Assert.Equal(
            "scope",
            (await Assert.ThrowsAsync<DunlinException>(async () => await node.AppendAsync([Backend.Draft("a")], key, Cancellation))).Field
        );
    }

    [Fact]
    public async Task A_read_scope_cannot_write()
    {
        var node = await _backend.OpenAsync();
        var refused = await Assert.ThrowsAsync<PostgresException>(async () =>
            await node.ReadAsync(async (scope, _) => await scope.Connection.ExecuteAsync("INSERT INTO note (id) VALUES (1)"), Cancellation)
        );
        Assert.Equal(PostgresErrorCodes.ReadOnlySqlTransaction, refused.SqlState);
    }

    [Fact]
    public async Task A_read_over_its_time_limit_is_cancelled()
    {
        var node = await _backend.OpenAsync(options => options.ReadLimit = TimeSpan.FromMilliseconds(200));
        var refused = await Assert.ThrowsAsync<DunlinException>(async () =>
            await node.ReadAsync(
                async (scope, ct) =>
                    await scope.Connection.ExecuteAsync(new CommandDefinition("SELECT pg_sleep(60)", cancellationToken: ct)),
                Cancellation
            )
        );
        Assert.Equal(ErrorCode.StoreUnavailable, refused.Code);
    }
}
