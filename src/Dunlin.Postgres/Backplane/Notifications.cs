using Npgsql;

namespace Dunlin.Postgres.Backplane;

/// <summary>
/// The notifications of one connection. Counts each one, because a notification may arrive with the answer to a query, where
/// <see cref="NpgsqlConnection.WaitAsync(TimeSpan, CancellationToken)"/> does not see it. One loop uses it at a time.
/// </summary>
internal sealed class Notifications
{
    // The driver cancels a wait by asking the server, which takes seconds; a wait that has run out ends by itself.
    private static readonly TimeSpan Slice = TimeSpan.FromMilliseconds(200);

    private readonly NpgsqlConnection _connection;
    private bool _hasCome;

    /// <param name="connection">A connection that listens, or will.</param>
    public Notifications(NpgsqlConnection connection)
    {
        _connection = connection;
        connection.Notification += (_, _) => _hasCome = true;
    }

    /// <summary>Waits for a notification, or returns at once if one has come since the last wait.</summary>
    /// <param name="time">How long to wait; at least a millisecond.</param>
    /// <param name="stop">Ends the wait within 200 ms.</param>
    /// <returns>Whether a notification has come; false when the time is over.</returns>
    public async Task<bool> WaitAsync(TimeSpan time, CancellationToken stop)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (true)
        {
            stop.ThrowIfCancellationRequested();
            if (_hasCome || await _connection.WaitAsync(time < Slice ? time : Slice, CancellationToken.None))
            {
                _hasCome = false;
                return true;
            }
            time -= TimeProvider.System.GetElapsedTime(began);
            began = TimeProvider.System.GetTimestamp();
            // The driver takes less than a millisecond for no limit.
            if (time < TimeSpan.FromMilliseconds(1))
                return false;
        }
    }
}
