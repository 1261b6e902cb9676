using Dunlin.Postgres.Journal;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Dunlin.Postgres.Backplane;

/// <summary>
/// Finds out what other nodes have committed. One connection of its own listens for the empty notification that every
/// committing transaction sends, and asks for the head: at each notification (those that came meanwhile are one), and every
/// <see cref="PostgresOptions.PollInterval"/> all the same, so that nothing depends on a notification. Through a transaction
/// pooler it only asks. A lost connection is opened again, later and later up to a second.
/// </summary>
internal sealed partial class HeadWatcher : IAsyncDisposable
{
    private static readonly TimeSpan MaxDelay = TimeSpan.FromSeconds(1);

    private readonly PostgresStore _store;
    private readonly NpgsqlDataSource _database;
    private readonly Writer _writer;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;
    private volatile bool _isNotified;

    public HeadWatcher(PostgresStore store, NpgsqlDataSource database, Writer writer, ILogger logger)
    {
        _store = store;
        _database = database;
        _writer = writer;
        _logger = logger;
        _loop = Task.Run(RunAsync);
    }

    /// <summary>Somebody could not reach the database: the next look tells whether that lasts.</summary>
    public void Wake() => _isNotified = true;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop;
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        for (var delay = TimeSpan.FromMilliseconds(50); !_stop.IsCancellationRequested;)
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
        var listens = !_store.Options.ThroughPooler;
        if (listens)
        {
            connection.Notification += (_, notification) => _isNotified |= notification.PID != _writer.ProcessId;
            await using var listen = new NpgsqlCommand("LISTEN " + PostgresStore.Channel, connection);
            await listen.ExecuteNonQueryAsync(_stop.Token);
        }
        while (true)
        {
            // Cleared before the look: what comes during it asks for another.
            _isNotified = false;
            await _store.ObserveAsync(connection, _stop.Token);
            onSuccess();
            if (!listens)
                await Task.Delay(_store.Options.PollInterval, TimeProvider.System, _stop.Token);
            else if (_isNotified || await Notifications.WaitAsync(connection, _store.Options.PollInterval, _stop.Token))
                await Task.Delay(_store.Options.WakeDelay, TimeProvider.System, _stop.Token);
        }
    }

    [LoggerMessage(2140, LogLevel.Debug, "The look at the head failed; trying again.")]
    private partial void LogLost(Exception exception);
}
