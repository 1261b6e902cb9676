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
        Assert.False(await store.FindOutcomeAsync("999999999", Cancellation));
    }

    [Fact]
    public async Task A_server_that_stays_away_leaves_the_outcome_unknown()
    {
        await using var server = await PostgresServer.StartNewAsync();
        await using var backend = await Backend.NewAsync(server);
        var time = new ManualTime();
        var store = await backend.OpenAsync(time: time);
        await server.StopAsync();
        var finding = store.FindOutcomeAsync("1", Cancellation).AsTask();
        while (!finding.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }
        Assert.Null(await finding);
        await server.StartAsync();
    }

    private static async Task<string> FindIdAsync(PostgresStore store, NpgsqlConnection connection)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = $"SELECT {store.TransactionIdSql}";
        return (string)(await command.ExecuteScalarAsync(Cancellation))!;
    }
}
