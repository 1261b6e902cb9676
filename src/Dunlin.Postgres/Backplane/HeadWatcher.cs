using Dunlin.Postgres.Journal;
using Dunlin.Scheduling;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Dunlin.Postgres.Backplane;

/// <summary>
/// Finds out what other nodes have committed. One connection of its own listens for the notification that every committing
/// transaction sends, which names the position reached; whether that is acted on at once is for <see cref="ExpectedHead"/> to say. Every
/// <see cref="PostgresOptions.PollInterval"/> it asks for the head all the same, so that nothing depends on a notification, and
/// an outage is noticed. Through a transaction pooler it only asks. A lost connection is opened again, later and later up to
/// a second.
/// </summary>
internal sealed class HeadWatcher : IAsyncDisposable
{
    private static readonly LoopBackoff Backoff = new(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(1));

    /// <summary>How long not to listen while a hint is expected: far shorter than the grace, of which it may be late.</summary>
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
        // In no registry: the store itself reports an outage to the health check.
        _loop = new BackgroundLoop("head of the journal", RunAsync, TimeProvider.System, logger, Backoff);
        _loop.Start();
    }

    /// <summary>Somebody could not reach the database: the next look tells whether that lasts.</summary>
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
            await using var listen = new NpgsqlCommand("LISTEN " + PostgresStore.Channel, connection);
            await listen.ExecuteNonQueryAsync(stop);
        }
        while (true)
        {
            // Cleared before the look: what comes during it asks for another.
            _isWoken = false;
            await _store.ObserveAsync(connection, stop);
            loop.ReportSuccess();
            if (listens)
                await ListenAsync(notifications, stop);
            else
                await Task.Delay(_store.Options.PollInterval, TimeProvider.System, stop);
        }
    }

    /// <summary>Completes when the head is to be asked for.</summary>
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
                // A busy node is told many times a moment of what hints bring anyway: it listens now and then, and not to each by itself.
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
