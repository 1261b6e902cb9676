using Dunlin.Postgres.Journal;
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
internal sealed partial class HeadWatcher : IAsyncDisposable
{
    private static readonly TimeSpan MaxDelay = TimeSpan.FromSeconds(1);

    /// <summary>How long not to listen while a hint is expected: far shorter than the grace, of which it may be late.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly PostgresStore _store;
    private readonly NpgsqlDataSource _database;
    private readonly Writer _writer;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;
    private volatile bool _isWoken;

    public HeadWatcher(PostgresStore store, NpgsqlDataSource database, Writer writer, ILogger logger)
    {
        _store = store;
        _database = database;
        _writer = writer;
        _logger = logger;
        // Without the caller's context: its span would become the parent of all that this loop does.
        using (ExecutionContext.SuppressFlow())
            _loop = Task.Run(RunAsync);
    }

    /// <summary>Somebody could not reach the database: the next look tells whether that lasts.</summary>
    public void Wake() => _isWoken = true;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop;
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        for (var delay = TimeSpan.FromMilliseconds(50); !_stop.IsCancellationRequested; )
        {
            try
            {
                await WatchAsync(() => delay = TimeSpan.FromMilliseconds(50));
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // tried again whatever it was; a fault of the store ends it by its token
            catch (Exception exception)
#pragma warning restore CA1031
            {
                _store.Known.Lost(exception);
                LogLost(exception);
                await Task.Delay(delay, TimeProvider.System, _stop.Token).ContinueWith(static _ => { }, TaskScheduler.Default);
                delay = delay < MaxDelay ? 2 * delay : MaxDelay;
            }
        }
    }

    private async Task WatchAsync(Action onSuccess)
    {
        await using var connection = await _database.OpenConnectionAsync(_stop.Token);
        var notifications = new Notifications(connection);
        var listens = !_store.Options.ThroughPooler;
        if (listens)
        {
            connection.Notification += (_, notification) => OnNotified(notification);
            await using var listen = new NpgsqlCommand("LISTEN " + PostgresStore.Channel, connection);
            await listen.ExecuteNonQueryAsync(_stop.Token);
        }
        while (true)
        {
            // Cleared before the look: what comes during it asks for another.
            _isWoken = false;
            await _store.ObserveAsync(connection, _stop.Token);
            onSuccess();
            if (listens)
                await ListenAsync(notifications);
            else
                await Task.Delay(_store.Options.PollInterval, TimeProvider.System, _stop.Token);
        }
    }

    /// <summary>Completes when the head is to be asked for.</summary>
    private async Task ListenAsync(Notifications notifications)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (!_isWoken)
        {
            var left = _store.Options.PollInterval - TimeProvider.System.GetElapsedTime(began);
            if (left < TimeSpan.FromMilliseconds(1))
                return;
            var verdict = _store.Expected.Judge(_store.Known.Position, TimeProvider.System.GetElapsedTime(0));
            if (verdict.Through is { } through)
            {
                _store.Known.Observe(through);
            }
            else if (verdict.Patience is { } patience)
            {
                // A busy node is told many times a moment of what hints bring anyway: it listens now and then, and not to each by itself.
                await Task.Delay(patience < Pause ? patience : Pause, TimeProvider.System, _stop.Token);
                await notifications.WaitAsync(TimeSpan.FromMilliseconds(1), _stop.Token);
            }
            else
            {
                await notifications.WaitAsync(left, _stop.Token);
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

    [LoggerMessage(2140, LogLevel.Debug, "The look at the head failed; trying again.")]
    private partial void LogLost(Exception exception);
}
