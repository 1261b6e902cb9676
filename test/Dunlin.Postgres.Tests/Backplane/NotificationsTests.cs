using Dunlin.Postgres.Backplane;
using Dunlin.Postgres.Tests.Support;
using Npgsql;

namespace Dunlin.Postgres.Tests.Backplane;

public sealed class NotificationsTests
{
    [Fact]
    public async Task A_notification_during_a_query_ends_the_next_wait()
    {
        await using var backend = await Backend.NewAsync();
        await using var listener = await OpenAsync(backend);
        await using var sender = await OpenAsync(backend);
        var notifications = new Notifications(listener);
        await RunAsync(listener, "LISTEN during_a_query");
        await RunAsync(sender, "SELECT pg_advisory_lock(4711)");
        // The query returns after the notification of the other session, so its answer contains the notification.
        var query = RunAsync(listener, "SELECT pg_advisory_lock(4711)");
        await RunAsync(sender, "NOTIFY during_a_query");
        await RunAsync(sender, "SELECT pg_advisory_unlock(4711)");
        await query;
        Assert.True(await notifications.WaitAsync(TimeSpan.FromSeconds(20), Backend.Cancellation));
        Assert.False(await notifications.WaitAsync(TimeSpan.FromMilliseconds(1), Backend.Cancellation));
    }

    private static async Task<NpgsqlConnection> OpenAsync(Backend backend)
    {
        var connection = new NpgsqlConnection(backend.ConnectionString);
        await connection.OpenAsync(Backend.Cancellation);
        return connection;
    }

    private static async Task RunAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Backend.Cancellation);
    }
}
