using Dunlin.Postgres.Journal;
using Dunlin.Scheduling;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Dunlin.Postgres.Backplane;

/// <summary>Detects commits of other nodes. Thread-safe.</summary>
/// <remarks>A separate connection listens for the notification of each committing transaction, which contains its last position.
/// <see cref="ExpectedHead"/> decides when to act on it. The watcher also queries the head at each
/// <see cref="PostgresOptions.PollInterval"/>, so that correctness does not depend on notifications and an outage is detected. Through a
/// transaction pooler it only polls. It reopens a lost connection with increasing delays of up to a second.</remarks>
internal sealed class HeadWatcher : IAsyncDisposable
{
    private static readonly LoopBackoff Backoff = new(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(1));

    /// <summary>How long to stop listening while events are expected from the backplane. Far shorter than the grace period, which it may
    /// delay by this much.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly PostgresStore _store;
    private readonly NpgsqlDataSource _database;
    private readonly Writer _writer;
    private readonly BackgroundLoop _loop;
    private volatile bool _isWoken;

    public HeadWatcher(PostgresStore store, NpgsqlDataSource database, Writer writer, ILogger logger)
    {
        _store = store;
        _database = database;
        _writer = writer;
        // Not registered with the health check of loops: the store itself reports an outage.
        _loop = new BackgroundLoop("head of the journal", RunAsync, TimeProvider.System, logger, Backoff);
        _loop.Start();
    }

    /// <summary>Requests a query of the head, after another component failed to reach the database.</summary>
    public void Wake() => _isWoken = true;

    public ValueTask DisposeAsync() => _loop.DisposeAsync();

    private async Task RunAsync(BackgroundLoop loop, CancellationToken stop)
    {
        try
        {
            await WatchAsync(loop, stop);
        }
        catch (Exception exception) when (!stop.IsCancellationRequested)
        {
            _store.Known.Lost(exception);
            throw;
        }
    }

    private async Task WatchAsync(BackgroundLoop loop, CancellationToken stop)
    {
        await using var connection = await _database.OpenConnectionAsync(stop);
        var notifications = new Notifications(connection);
        var listens = !_store.Options.ThroughPooler;
        if (listens)
        {
            connection.Notification += (_, notification) => OnNotified(notification);
            await using var listen = new NpgsqlCommand($"LISTEN {PostgresStore.Channel}; LISTEN {PostgresStore.OutboxChannel}", connection);
            await listen.ExecuteNonQueryAsync(stop);
        }
        while (true)
        {
            // Cleared before the query, so that a request during the query causes another one.
            _isWoken = false;
            await _store.ObserveAsync(connection, stop);
            loop.ReportSuccess();
            if (listens)
                await ListenAsync(notifications, stop);
            else
                await Task.Delay(_store.Options.PollInterval, TimeProvider.System, stop);
        }
    }

    /// <summary>Returns when the head must be queried.</summary>
    private async Task ListenAsync(Notifications notifications, CancellationToken stop)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (!_isWoken)
        {
            var left = _store.Options.PollInterval - TimeProvider.System.GetElapsedTime(began);
            if (left < TimeSpan.FromMilliseconds(1))
                return;
            var decision = _store.Expected.Decide(_store.Known.Position, TimeProvider.System.GetElapsedTime(0));
            if (decision.Through is { } through)
            {
                _store.Known.Observe(through);
            }
            else if (decision.Patience is { } patience)
            {
                // A busy node receives many notifications of commits that the backplane delivers anyway. It handles them in groups instead
                // of one by one.
                await Task.Delay(patience < Pause ? patience : Pause, TimeProvider.System, stop);
                await notifications.WaitAsync(TimeSpan.FromMilliseconds(1), stop);
            }
            else
            {
                await notifications.WaitAsync(left, stop);
            }
        }
    }

    private void OnNotified(NpgsqlNotificationEventArgs notification)
    {
        if (notification.Channel == PostgresStore.OutboxChannel)
        {
            _store.WakeOutbox();
            return;
        }
        if (notification.PID == _writer.ProcessId)
            return;
        if (!CommitNotice.TryParse(notification.Payload, out var position, out var commit))
        {
            _isWoken = true; // from a node of another version
            return;
        }
        if (commit is { } span)
            _store.Feed.Trace(position, span);
        _store.Expected.OnTold(position, _store.Known.Position);
    }
}
