using Dunlin.Journal;
using Dunlin.Postgres.Tests.Support;
using Npgsql;

namespace Dunlin.Postgres.Tests.Journal;

/// <summary>The contents of one transaction while another node holds the lock.</summary>
public sealed class GroupTests : IAsyncLifetime
{
    private Backend _backend = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _backend = await Backend.NewAsync();

    public ValueTask DisposeAsync() => _backend.DisposeAsync();

    [Fact]
    public async Task Requests_that_arrive_while_waiting_for_the_lock_share_the_commit()
    {
        var node = await _backend.OpenAsync();
        var key = new IdempotencyKey("u", "k");
        var earlier = await node.AppendAsync([Backend.Draft("a")], key, Cancellation);
        await using var other = await LockAsync();
        var first = node.AppendAsync(Backend.Draft("a"), Cancellation).AsTask();
        await WhenWaitedForAsync();
        var later = Enumerable.Range(0, 9).Select(i => node.AppendAsync(Backend.Draft("a", i), Cancellation).AsTask()).ToList();
        // A unit of work, a repeated request that was already answered, and a cancelled request.
        var unit = node.WriteAsync(async (unit, ct) => await unit.AppendAsync(Backend.Draft("a"), ct), Cancellation).AsTask();
        var repeated = node.AppendAsync([Backend.Draft("a")], key, Cancellation).AsTask();
        using var given = new CancellationTokenSource();
        var up = node.AppendAsync(Backend.Draft("a"), given.Token).AsTask();
        await given.CancelAsync();
        await other.CloseAsync();
        Assert.Equal(2, (await first).Offset);
        Assert.Equal(Enumerable.Range(3, 9), (await Task.WhenAll(later)).Select(position => (int)position.Offset));
        Assert.Equal(12, (await unit).Offset);
        Assert.Equal(earlier, await repeated);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => up);
        Assert.Equal(12, (await Backend.ReadAllAsync(node)).Count);
        // Two transactions: the one with the key, and one for all waiting requests.
        Assert.Equal(
            2,
            await Database.ScalarAsync<long>(_backend.ConnectionString, "SELECT count(DISTINCT xmin::text) FROM dunlin_journal")
        );
    }

    /// <summary>Takes the lock as another node does.</summary>
    private async Task<NpgsqlConnection> LockAsync()
    {
        var connection = new NpgsqlConnection(_backend.ConnectionString + ";Pooling=false");
        await connection.OpenAsync(Cancellation);
        await new NpgsqlCommand("BEGIN; SELECT id FROM dunlin_lock WHERE id = 1 FOR UPDATE", connection).ExecuteNonQueryAsync(Cancellation);
        return connection;
    }

    private async Task WhenWaitedForAsync()
    {
        // The tests share a server, so the query selects waiters on the table in this test's schema.
        const string waiting =
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid IN (SELECT pid FROM pg_locks WHERE relation = 'dunlin_lock'::regclass)";
        while (await Database.ScalarAsync<long>(_backend.ConnectionString, waiting) == 0)
            await Task.Delay(TimeSpan.FromMilliseconds(2), TimeProvider.System, Cancellation);
    }
}
