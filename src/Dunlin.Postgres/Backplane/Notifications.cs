using Npgsql;

namespace Dunlin.Postgres.Backplane;

/// <summary>Waits for the notifications of one connection. Not thread-safe.</summary>
/// <remarks>It counts each notification, because one may arrive with the result of a query, where
/// <see cref="NpgsqlConnection.WaitAsync(TimeSpan, CancellationToken)"/> does not see it.</remarks>
internal sealed class Notifications
{
    // Npgsql cancels a wait by a request to the server, which takes seconds. A wait that times out ends without one.
    private static readonly TimeSpan Slice = TimeSpan.FromMilliseconds(200);

    private readonly NpgsqlConnection _connection;
    private bool _hasCome;

    /// <param name="connection">A connection that listens, or will listen.</param>
    public Notifications(NpgsqlConnection connection)
    {
        _connection = connection;
        connection.Notification += (_, _) => _hasCome = true;
    }

    /// <summary>Waits for a notification, or returns at once if one has arrived since the last wait.</summary>
    /// <param name="time">How long to wait: at least a millisecond.</param>
    /// <param name="stop">Cancels the wait within 200 ms.</param>
    /// <returns>Whether a notification has arrived. False after the time has elapsed.</returns>
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
            // Npgsql treats less than a millisecond as no limit.
            if (time < TimeSpan.FromMilliseconds(1))
                return false;
        }
    }
}
