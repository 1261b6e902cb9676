using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Dunlin.Journal;
using Dunlin.Scheduling;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Dunlin.Apps.Focus.Timer;

/// <summary>
/// Moves timers on when their time has come, with or without a device connected. What is due stands in the store: at the
/// start every timer is reminded of, and a sweep finds what a failure, or another node that ended, left behind.
/// </summary>
internal sealed partial class TimerKeeper(
    TimerService timers,
    TimerSchedule schedule,
    IStore store,
    TimerWheel wheel,
    StoreClock clock,
    ILogger<TimerKeeper> logger
) : IHostedService
{
    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(5);

    private const int PageSize = 1_000;

    private readonly ConcurrentDictionary<Task, bool> _running = [];
    private readonly CancellationTokenSource _stopping = new();
    private SweepEntry? _sweep;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        schedule.OnDue = userId => Run(ct => SettleAsync(userId, ct));
        // Settled one by one rather than reminded of: a clock that stands before the last write is to be kept now.
        await foreach (var userId in DueAsync(long.MaxValue, cancellationToken))
            await SettleAsync(userId, cancellationToken);
        _sweep = new SweepEntry(this, wheel);
        wheel.Schedule(_sweep, SweepInterval);
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        schedule.OnDue = null;
        if (_sweep is not null)
            wheel.Cancel(_sweep);
        await _stopping.CancelAsync();
        await Task.WhenAll(_running.Keys).WaitAsync(cancellationToken);
    }

    /// <summary>Completes when nothing that has fallen due is still being done.</summary>
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
#pragma warning disable CA1031 // tried again, and the store's own errors are many
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
#pragma warning disable CA1031 // the next sweep tries again
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

    private sealed class SweepEntry(TimerKeeper keeper, TimerWheel wheel) : WheelEntry
    {
        protected override void OnDue()
        {
            keeper.Run(keeper.SweepAsync);
            wheel.Schedule(this, SweepInterval);
        }
    }

    [LoggerMessage(6400, LogLevel.Error, "A timer could not be moved on; it is tried again")]
    private static partial void LogFailed(ILogger logger, Exception error);
}
