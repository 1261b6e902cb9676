using Npgsql;

namespace Dunlin.Postgres.Backplane;

/// <summary>Waiting for a notification.</summary>
internal static class Notifications
{
    /// <summary>The driver ends a wait that is cancelled by asking the server, which takes seconds; one that has run out ends by itself.</summary>
    private static readonly TimeSpan Slice = TimeSpan.FromMilliseconds(200);

    /// <returns>Whether one came, rather than the time being over.</returns>
    public static async Task<bool> WaitAsync(NpgsqlConnection connection, TimeSpan time, CancellationToken stop)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (true)
        {
            stop.ThrowIfCancellationRequested();
            var left = time - TimeProvider.System.GetElapsedTime(began);
            // Less than a millisecond would be taken for none at all, which waits for ever.
            if (left < TimeSpan.FromMilliseconds(1))
                return false;
            if (await connection.WaitAsync(left < Slice ? left : Slice, CancellationToken.None))
                return true;
        }
    }
}
