using Dapper;
using Dunlin.DurableStreams;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Postgres.Journal;
using Dunlin.Postgres.Tests.Support;
using Dunlin.Topics;

namespace Dunlin.Postgres.Tests.Journal;

/// <summary>The savepoint of a unit of work is sent with its first statement. It may be any statement.</summary>
public sealed class SavepointTests : IAsyncLifetime
{
    private static readonly TopicName Stream = TopicName.Parse("streams/one");

    private Backend _backend = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _backend = await Backend.NewAsync();
        await Database.ExecuteAsync(_backend.ConnectionString, "CREATE TABLE note (id INT PRIMARY KEY)");
    }

    public ValueTask DisposeAsync() => _backend.DisposeAsync();

    [Fact]
    public async Task A_unit_that_only_appends_sends_no_statement()
    {
        var node = await _backend.OpenAsync();
        await node.WriteAsync(
            async (unit, ct) =>
            {
                await unit.AppendAsync(Backend.Draft("a"), ct);
                Assert.DoesNotContain("SAVEPOINT", await LastStatementAsync(node), StringComparison.Ordinal);
                _ = unit.Connection;
                Assert.Contains("SAVEPOINT", await LastStatementAsync(node), StringComparison.Ordinal);
            },
            Cancellation
        );
    }

    [Theory]
    [InlineData(First.Nothing)]
    [InlineData(First.Connection)]
    [InlineData(First.Transaction)]
    [InlineData(First.Read)]
    [InlineData(First.Write)]
    [InlineData(First.FencingToken)]
    public async Task A_failing_unit_rolls_back_alone_whatever_it_sent_first(First first)
    {
        var node = await _backend.OpenAsync();
        var held = new TaskCompletionSource();
        var gate = node.WriteAsync(async (_, _) => await held.Task, Cancellation).AsTask();
        // They wait for the unit above, and then share a transaction.
        var units = Enumerable.Range(0, 3).Select(i => RunAsync(node, i, i == 1 ? first : null)).ToList();
        held.SetResult();
        await gate;
        await units[0];
        Assert.Equal("fails", (await Assert.ThrowsAsync<InvalidOperationException>(() => units[1])).Message);
        await units[2];
        Assert.Equal([0, 2], await IdsAsync());
        Assert.Equal(["notes/0", "notes/2"], (await Backend.ReadAllAsync(node)).Select(entry => entry.Topic.Value));
        Assert.Null(await node.ReadAsync((scope, ct) => ((IStreamScope)scope).Streams.FindAsync(Stream, ct), Cancellation));
    }

    [Fact]
    public async Task A_unit_cancelled_before_its_first_statement_undoes_no_other_unit()
    {
        var node = await _backend.OpenAsync();
        var held = new TaskCompletionSource();
        var gate = node.WriteAsync(async (_, _) => await held.Task, Cancellation).AsTask();
        var first = RunAsync(node, 0, null);
        var cancelled = node.WriteAsync(
                async (unit, ct) =>
                {
                    await unit.AppendAsync(Backend.Draft("notes/1"), ct);
                    await unit.Streams.FindAsync(Stream, new CancellationToken(canceled: true));
                },
                Cancellation
            )
            .AsTask();
        var last = RunAsync(node, 2, null);
        held.SetResult();
        await gate;
        await first;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        await last;
        Assert.Equal([0, 2], await IdsAsync());
    }

    /// <summary>Inserts a row and an event. Fails at the end if <paramref name="first"/> is given.</summary>
    private static Task RunAsync(PostgresStore node, int id, First? first) =>
        node.WriteAsync(
                async (unit, ct) =>
                {
                    await (
                        first switch
                        {
                            First.Connection => unit.Connection.ExecuteAsync("SELECT 1"),
                            First.Transaction => unit.Transaction.Connection!.ExecuteAsync("SELECT 1"),
                            First.Read => unit.Streams.FindAsync(Stream, ct).AsTask(),
                            First.Write => unit.Streams.CreateAsync(Stream, new StreamSettings(), ct).AsTask(),
                            First.FencingToken => ((ILeaseScope)unit).LeaseTable.NextFencingTokenAsync(ct).AsTask(),
                            _ => Task.CompletedTask,
                        }
                    );
                    await unit.AppendAsync(Backend.Draft($"notes/{id}"), ct);
                    if (first == First.Nothing)
                        throw new InvalidOperationException("fails");
                    await unit.Connection.ExecuteAsync("INSERT INTO note (id) VALUES (@id)", new { id });
                    if (first is not null)
                        throw new InvalidOperationException("fails");
                },
                Cancellation
            )
            .AsTask();

    private async Task<IEnumerable<int>> IdsAsync()
    {
        await using var connection = new Npgsql.NpgsqlConnection(_backend.ConnectionString);
        return await connection.QueryAsync<int>("SELECT id FROM note ORDER BY id");
    }

    private Task<string> LastStatementAsync(PostgresStore node) =>
        Database.ScalarAsync<string>(
            _backend.ConnectionString,
            $"SELECT query FROM pg_stat_activity WHERE pid = {((Writer)node.Writer).ProcessId}"
        );

    public enum First
    {
        Nothing,
        Connection,
        Transaction,
        Read,
        Write,
        FencingToken,
    }
}
