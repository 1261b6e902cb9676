using Dunlin.Scheduling;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Dunlin.Relational.Outbox;

/// <summary>Moves committed rows of the outbox into the journal. Thread-safe.</summary>
/// <remarks>
/// <code>
/// asleep -- a signal, or its interval, and a row waits --> active (looks every 5 to 10 ms, and claims to be the mover each second)
/// active -- five seconds without a row ------------------> ending (has released its claim, and looks for 100 ms more)
/// ending -- a row waits ---------------------------------> active
/// active -- another node has claimed --------------------> asleep
/// ending ------------------------------------------------> asleep
/// </code>
/// While a node is active, commits notify nobody. A transaction that read the claim just before its end and commits after the last look
/// is found by the next look of an interval.
/// </remarks>
internal sealed class OutboxMover : IHostedService
{
    /// <summary>How often an active node looks: the delay of an event is up to this, and one commit.</summary>
    internal static readonly TimeSpan ActiveInterval = TimeSpan.FromMilliseconds(5);

    /// <summary>How often it looks while a move takes at least <see cref="BusyRows"/> rows. Fewer and larger moves leave more of the
    /// machine to the publishers.</summary>
    internal static readonly TimeSpan BusyInterval = TimeSpan.FromMilliseconds(10);

    private const int BusyRows = 20;

    /// <summary>The time after the last row at which an active node goes to sleep.</summary>
    internal static readonly TimeSpan Linger = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan ClaimInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ClaimTime = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan EndingTime = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan ReleaseLimit = TimeSpan.FromSeconds(5);
    private static readonly LoopBackoff Backoff = new(TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(5));

    // Tells the claims of nodes apart. Two nodes with the same number both move rows, which is slower and not wrong.
    private readonly long _node = Random.Shared.Next(1, 1000);
    private readonly RelationalStore _store;
    private readonly StoreOutbox _outbox;
    private readonly TimeProvider _time;
    private readonly BackgroundLoop _loop;

    public OutboxMover(
        RelationalStore store,
        StoreOutbox outbox,
        TimeProvider time,
        ILogger<OutboxMover> logger,
        BackgroundLoops? loops = null
    )
    {
        (_store, _outbox, _time) = (store, outbox, time);
        _loop = new BackgroundLoop("mover of the outbox", RunAsync, time, logger, Backoff, loops);
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _loop.Start();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => _loop.StopAsync(cancellationToken);

    private async Task RunAsync(BackgroundLoop loop, CancellationToken stop)
    {
        while (true)
        {
            var signal = _store.OutboxSignal.Renew();
            var look = await _outbox.LookAsync(_node, stop);
            loop.ReportSuccess();
            if (look.Waiting > 0 && await _outbox.ClaimAsync(_node, ClaimTime, stop))
                await MoveAsync(loop, stop);
            await WakeSignal.WaitAsync(signal, _store.OutboxInterval, _time, stop);
        }
    }

    private async Task MoveAsync(BackgroundLoop loop, CancellationToken stop)
    {
        do
        {
            try
            {
                if (!await MoveAllAsync(loop, stop))
                    return;
            }
            finally
            {
                await ReleaseAsync();
            }
        } while (await WaitsAfterReleaseAsync(stop) && await _outbox.ClaimAsync(_node, ClaimTime, stop));
    }

    /// <summary>Moves rows until none has come for a time.</summary>
    /// <returns>False if another node has claimed to be the mover.</returns>
    private async Task<bool> MoveAllAsync(BackgroundLoop loop, CancellationToken stop)
    {
        var (claimed, moved, hasMoved) = (_time.GetTimestamp(), _time.GetTimestamp(), true);
        while (_time.GetElapsedTime(moved) < Linger)
        {
            var (isFull, isBusy) = (false, false);
            // The lock of the writers is taken only if a row is likely to wait.
            if (hasMoved || (await _outbox.LookAsync(_node, stop)).Waiting > 0)
            {
                var move = await _outbox.MoveAsync(stop);
                (hasMoved, isFull, isBusy) = (move.Numbers.Count > 0, move.IsFull, move.Numbers.Count >= BusyRows);
                if (hasMoved)
                    moved = _time.GetTimestamp();
            }
            loop.ReportSuccess();
            if (_time.GetElapsedTime(claimed) >= ClaimInterval)
            {
                if (!await _outbox.ClaimAsync(_node, ClaimTime, stop))
                    return false;
                claimed = _time.GetTimestamp();
                // Measures the rows that wait.
                await _outbox.LookAsync(_node, stop);
            }
            if (!isFull)
                await Task.Delay(isBusy ? BusyInterval : ActiveInterval, _time, stop);
        }
        return true;
    }

    /// <summary>Returns whether a row came soon after the release. Its commit may have read the claim before, and then notified
    /// nobody.</summary>
    private async Task<bool> WaitsAfterReleaseAsync(CancellationToken stop)
    {
        for (var began = _time.GetTimestamp(); _time.GetElapsedTime(began) < EndingTime; )
        {
            if ((await _outbox.LookAsync(_node, stop)).Waiting > 0)
                return true;
            await Task.Delay(ActiveInterval, _time, stop);
        }
        return false;
    }

    /// <summary>Releases the claim, also at the end of the host, so that commits notify the other nodes.</summary>
    private async Task ReleaseAsync()
    {
        // Real time, because it limits the wait for a database that does not answer.
        using var limit = new CancellationTokenSource(ReleaseLimit, TimeProvider.System);
        try
        {
            await _outbox.ReleaseAsync(_node, limit.Token);
        }
#pragma warning disable CA1031 // the claim ends by itself
        catch (Exception)
#pragma warning restore CA1031
        {
            // The cause is reported by the loop or by the store.
        }
    }
}
