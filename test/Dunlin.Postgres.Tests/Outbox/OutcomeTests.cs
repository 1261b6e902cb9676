using System.Globalization;
using Dunlin.Postgres.Tests.Support;
using Dunlin.TestKit;
using Dunlin.TestKit.Servers;
using Npgsql;

namespace Dunlin.Postgres.Tests.Outbox;

/// <summary>The outcome of transactions of the application.</summary>
public sealed class OutcomeTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_ended_transaction_has_its_outcome(bool isCommitted)
    {
        await using var backend = await Backend.NewAsync();
        var store = await backend.OpenAsync();
        await using var connection = new NpgsqlConnection(backend.ConnectionString);
        await connection.OpenAsync(Cancellation);
        var transaction = await connection.BeginTransactionAsync(Cancellation);
        var id = await FindIdAsync(store, connection);
        if (isCommitted)
            await transaction.CommitAsync(Cancellation);
        else
            await transaction.RollbackAsync(Cancellation);
        Assert.Equal(isCommitted, await store.FindOutcomeAsync(id, Cancellation));
    }

    [Fact]
    public async Task A_running_transaction_is_ended_and_rolled_back()
    {
        await using var backend = await Backend.NewAsync();
        var store = await backend.OpenAsync();
        await using var connection = new NpgsqlConnection(backend.ConnectionString);
        await connection.OpenAsync(Cancellation);
        var transaction = await connection.BeginTransactionAsync(Cancellation);
        var id = await FindIdAsync(store, connection);
        Assert.False(await store.FindOutcomeAsync(id, Cancellation));
        await Assert.ThrowsAnyAsync<Exception>(() => transaction.CommitAsync(Cancellation));
        Assert.False(await store.FindOutcomeAsync(id, Cancellation));
    }

    [Fact]
    public async Task A_transaction_of_another_server_was_not_committed()
    {
        await using var backend = await Backend.NewAsync();
        var store = await backend.OpenAsync();
        Assert.False(await store.FindOutcomeAsync("999999999 0/0 0", Cancellation));
    }

    [Fact]
    public async Task A_lost_transaction_is_not_committed_by_the_next_owner_of_its_id()
    {
        // Nothing but a commit flushes the log, so that the crash loses the transaction.
        await using var server = await PostgresServer.StartNewAsync(isDurable: false, "wal_writer_delay=10s");
        await using var backend = await Backend.NewAsync(server);
        var store = await backend.OpenAsync();
        await Database.ExecuteAsync(backend.ConnectionString, "CREATE TABLE probe (n INT)");
        string id;
        long lost,
            next;
        do
        {
            await using (var connection = await ConnectAsync(backend))
            {
                await ExecuteAsync(connection, "BEGIN; INSERT INTO probe VALUES (1)");
                id = await FindIdAsync(store, connection);
                await server.StopAsync("QUIT");
            }
            await server.StartAsync();
            lost = long.Parse(id.Split(' ')[0], CultureInfo.InvariantCulture);
            do next = await Database.ScalarAsync<long>(backend.ConnectionString, "SELECT pg_current_xact_id()::text::bigint");
            while (next < lost);
        } while (next != lost);
        Assert.False(await store.FindOutcomeAsync(id, Cancellation));
    }

    [Fact]
    public async Task A_commit_before_a_crash_keeps_its_outcome()
    {
        await using var server = await PostgresServer.StartNewAsync();
        await using var backend = await Backend.NewAsync(server);
        var store = await backend.OpenAsync();
        string id;
        await using (var connection = await ConnectAsync(backend))
        {
            await ExecuteAsync(connection, "CREATE TABLE probe (n INT); BEGIN; INSERT INTO probe VALUES (1)");
            id = await FindIdAsync(store, connection);
            await ExecuteAsync(connection, "COMMIT");
            await server.StopAsync("QUIT");
        }
        await server.StartAsync();
        Assert.True(await store.FindOutcomeAsync(id, Cancellation));
    }

    [Fact]
    public async Task A_server_that_stays_away_leaves_the_outcome_unknown()
    {
        await using var server = await PostgresServer.StartNewAsync();
        await using var backend = await Backend.NewAsync(server);
        var time = new ManualTime();
        var store = await backend.OpenAsync(time: time);
        await server.StopAsync();
        var finding = store.FindOutcomeAsync("1 0/0 0", Cancellation).AsTask();
        while (!finding.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }
        Assert.Null(await finding);
        await server.StartAsync();
    }

    private static async Task<NpgsqlConnection> ConnectAsync(Backend backend)
    {
        var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(backend.ConnectionString) { Pooling = false }.ConnectionString
        );
        await connection.OpenAsync(Cancellation);
        return connection;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    private static async Task<string> FindIdAsync(PostgresStore store, NpgsqlConnection connection)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = $"SELECT {store.TransactionIdSql}";
        return (string)(await command.ExecuteScalarAsync(Cancellation))!;
    }
}
