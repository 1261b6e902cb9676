using Npgsql;

namespace Dunlin.Postgres.Backplane;

/// <summary>Waiting for a notification.</summary>
internal static class Notifications
{
    /// <summary>
    /// The driver ends a wait that is cancelled by asking the server, which takes seconds; one that has run out ends by itself.
    /// </summary>
    private static readonly TimeSpan Slice = TimeSpan.FromMilliseconds(200);

    /// <param name="connection">A connection that listens.</param>
    /// <param name="time">How long; a millisecond at least.</param>
    /// <param name="stop">Ends it, within a slice.</param>
    /// <returns>Whether one came, rather than the time being over.</returns>
    public static async Task<bool> WaitAsync(NpgsqlConnection connection, TimeSpan time, CancellationToken stop)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (true)
        {
            stop.ThrowIfCancellationRequested();
            if (await connection.WaitAsync(time < Slice ? time : Slice, CancellationToken.None))
                return true;
            time -= TimeProvider.System.GetElapsedTime(began);
            began = TimeProvider.System.GetTimestamp();
            // Less than a millisecond would be taken for none at all, which waits for ever.
            if (time < TimeSpan.FromMilliseconds(1))
                return false;
        }
    }
}
