using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Dunlin.Journal;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Dunlin.Apps.Focus.Timer;

/// <summary>
/// Advances timers at their due times, also without a connected device. The store holds the due times. At the start every timer is advanced
/// and scheduled. A sweep finds timers that a failure or a stopped node left overdue.
/// </summary>
internal sealed partial class TimerKeeper(
    TimerService timers,
    TimerSchedule schedule,
    IStore store,
    StoreClock clock,
    ILogger<TimerKeeper> logger
) : IHostedService
{
    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(5);

    private const int PageSize = 1_000;

    private readonly ConcurrentDictionary<Task, bool> _running = [];
    private readonly CancellationTokenSource _stopping = new();
    private ITimer? _sweep;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        schedule.OnDue = userId => Run(ct => SettleAsync(userId, ct));
        // Advance every timer now instead of only scheduling it, so that a clock that was set back is recorded at the start.
        await foreach (var userId in DueAsync(long.MaxValue, cancellationToken))
            await SettleAsync(userId, cancellationToken);
        _sweep = clock.TimeProvider.CreateTimer(_ => Run(SweepAsync), null, SweepInterval, SweepInterval);
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        schedule.OnDue = null;
        if (_sweep is not null)
            await _sweep.DisposeAsync();
        await _stopping.CancelAsync();
        await Task.WhenAll(_running.Keys).WaitAsync(cancellationToken);
    }

    /// <summary>Completes when no due timer is being processed.</summary>
    internal async Task IdleAsync()
    {
        while (!_running.IsEmpty)
            await Task.WhenAll(_running.Keys);
    }

    private async IAsyncEnumerable<string> DueAsync(long until, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        IReadOnlyList<string> page = [];
        do
        {
            var after = page.Count == 0 ? "" : page[^1];
            page = await store.ReadAsync(
                async (scope, _) => await TimerRows.DueAsync(scope.Connection, until, after, PageSize),
                cancellationToken
            );
            foreach (var userId in page)
                yield return userId;
        } while (page.Count == PageSize);
    }

    private async Task SettleAsync(string userId, CancellationToken cancellationToken)
    {
        try
        {
            schedule.Watch(userId, await timers.SettleAsync(userId, cancellationToken));
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The host stops; the row stays due.
        }
#pragma warning disable CA1031 // every failure is logged and retried
        catch (Exception error)
#pragma warning restore CA1031
        {
            LogFailed(logger, error);
            schedule.Remind(userId, RetryDelay);
        }
    }

    private async Task SweepAsync(CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var userId in DueAsync(clock.Now.ToUnixTimeMilliseconds(), cancellationToken))
                await SettleAsync(userId, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The host stops.
        }
#pragma warning disable CA1031 // the next sweep retries
        catch (Exception error)
#pragma warning restore CA1031
        {
            LogFailed(logger, error);
        }
    }

    private void Run(Func<CancellationToken, Task> work)
    {
        var task = Task.Run(() => work(_stopping.Token), CancellationToken.None);
        _running.TryAdd(task, true);
        _ = task.ContinueWith(
            done => _running.TryRemove(done, out _),
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default
        );
    }

    [LoggerMessage(6400, LogLevel.Error, "Advancing a timer failed; retrying. Its phase changes late.")]
    private static partial void LogFailed(ILogger logger, Exception error);
}
