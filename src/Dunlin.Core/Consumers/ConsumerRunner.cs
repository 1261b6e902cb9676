using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Scheduling;
using Dunlin.Topics;
using Microsoft.Extensions.Logging;

namespace Dunlin.Consumers;

/// <summary>Runs one group on this node: claims it, delivers batches, and moves its cursor. Thread-safe.</summary>
/// <remarks>
/// <code>
/// standby -- claim -----------------------------> holding: read, deliver, checkpoint, again
/// holding -- stop, or a fault of the store -----> standby (releases the claim)
/// holding -- the claim ended or was taken ------> standby (the consumer is cancelled)
/// </code>
/// The node stops to deliver when its claim ends by its own clock, counted from before the request that extended it. The clock of the store
/// gives the claim to another node later than that.
/// </remarks>
internal sealed partial class ConsumerRunner
{
    // Real time, because it limits the wait for a database that does not answer.
    private static readonly TimeSpan ReleaseLimit = TimeSpan.FromSeconds(5);

    private readonly ConsumerGroup _group;
    private readonly IEventConsumer _consumer;
    private readonly ConsumerNode _node;
    private readonly EventConsumerOptions _options;
    private readonly ILogger _logger;
    private ConsumerProgress? _progress;

    public ConsumerRunner(ConsumerGroup group, IEventConsumer consumer, ConsumerNode node)
    {
        (_group, _consumer, _node, _options, _logger) = (group, consumer, node, group.Options, node.Logger);
        Loop = new BackgroundLoop(
            $"consumer group {group.Name}",
            // Run on the thread pool: the consumer must not delay the start.
            (loop, stopping) => Background.Run(() => RunAsync(loop, stopping)),
            node.Clock.TimeProvider,
            node.Logger,
            registry: node.Loops
        );
    }

    public string Name => _group.Name;

    public BackgroundLoop Loop { get; }

    /// <summary>Gets the signal that events may wait.</summary>
    internal WakeSignal Wake { get; } = new();

    /// <summary>Returns the number of events after the cursor; null in standby.</summary>
    public long? LagInEvents() =>
        Volatile.Read(ref _progress) is { } progress ? Math.Max(_node.Journal.Head.Offset - Math.Max(progress.Through, 0), 0) : null;

    /// <summary>Returns the age of the oldest event in work, in seconds; null in standby.</summary>
    public double? LagInSeconds() =>
        Volatile.Read(ref _progress) is { } progress
            ? Math.Max((_node.Clock.Now - (progress.Oldest ?? _node.Clock.Now)).TotalSeconds, 0)
            : null;

    /// <summary>Ends the wait for events if one of them is on a topic of the group.</summary>
    public void OnCommitted(IReadOnlyList<DunlinEvent> events)
    {
        for (var i = 0; i < events.Count; i++)
        {
            if (Covers(events[i]))
            {
                Signal();
                return;
            }
        }
    }

    /// <summary>Ends the wait for events or for the claim.</summary>
    public void Signal() => Wake.Set();

    private bool Covers(DunlinEvent entry)
    {
        if (_group.Patterns.AnyCovers(entry.Topic))
            return true;
        for (var i = 0; i < entry.AlsoOn.Count; i++)
        {
            if (_group.Patterns.AnyCovers(entry.AlsoOn[i]))
                return true;
        }
        return false;
    }

    private async Task RunAsync(BackgroundLoop loop, CancellationToken stopping)
    {
        var request = new ClaimRequest(Name, _node.Id, _options.ClaimDuration, _options.Start, _node.IsAlone);
        while (true)
        {
            var signal = Wake.Renew();
            var asked = _node.Clock.Now;
            var (claim, row) = await _node.Store.WriteAsync((unit, ct) => ConsumerClaim.TryAsync(unit, request, ct), stopping);
            if (claim is not null)
            {
                await HoldAsync(claim, row, asked, loop, stopping);
                continue;
            }
            loop.ReportSuccess();
            await WakeSignal.WaitAsync(signal, _options.PollInterval, _node.Clock.TimeProvider, stopping);
        }
    }

    private async Task HoldAsync(
        ConsumerClaim claim,
        ConsumerRow row,
        DateTimeOffset asked,
        BackgroundLoop loop,
        CancellationToken stopping
    )
    {
        LogClaimed(Name, claim.Token);
        var time = _node.Clock.TimeProvider;
        var progress = new ConsumerProgress(row.Through);
        using var ended = new CancellationTokenSource(Remaining(asked), time);
        using var holding = CancellationTokenSource.CreateLinkedTokenSource(ended.Token, stopping);
        var renewing = RenewAsync(claim, ended, holding.Token);
        Volatile.Write(ref _progress, progress);
        try
        {
            var turn = new ConsumerTurn(_group, _consumer, _node, claim, progress, loop, this);
            if (_consumer is IHeldConsumer held)
                await RunBothAsync(turn, held, claim, row, holding);
            else
                await turn.RunAsync(row, holding.Token);
        }
        catch (Exception error) when (!stopping.IsCancellationRequested && IsLost(error, ended.Token))
        {
            LogLost(Name, claim.Token);
        }
        finally
        {
            Volatile.Write(ref _progress, null);
            await Background.CancelAsync(holding);
            await renewing;
            await ReleaseAsync(claim, progress.Through);
        }
    }

    /// <summary>Runs a turn and the work of its consumer. The end of one ends the other.</summary>
    private static async Task RunBothAsync(
        ConsumerTurn turn,
        IHeldConsumer consumer,
        ConsumerClaim claim,
        ConsumerRow row,
        CancellationTokenSource holding
    )
    {
        await consumer.BeginAsync(claim, holding.Token);
        Task[] both = [turn.RunAsync(row, holding.Token), consumer.HoldAsync(holding.Token)];
        var first = await Task.WhenAny(both);
        await Background.CancelAsync(holding);
        await Task.WhenAll(both).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | Background.Context);
        await first;
    }

    /// <summary>Extends the claim at a third of its duration. Cancels <paramref name="ended"/> when it is lost.</summary>
    private async Task RenewAsync(ConsumerClaim claim, CancellationTokenSource ended, CancellationToken holding)
    {
        var time = _node.Clock.TimeProvider;
        while (true)
        {
            try
            {
                await Task.Delay(_options.ClaimDuration / 3, time, holding);
                var asked = _node.Clock.Now;
                await _node.Store.WriteAsync((unit, ct) => claim.RenewAsync(unit, ct), holding);
                ended.CancelAfter(Remaining(asked));
            }
            catch (OperationCanceledException) when (holding.IsCancellationRequested)
            {
                return;
            }
            catch (DunlinException error) when (error.Code == ErrorCode.LeaseLost)
            {
                await Background.CancelAsync(ended);
                return;
            }
#pragma warning disable CA1031 // the next attempt may succeed; without one, the claim ends by its own time
            catch (Exception error)
#pragma warning restore CA1031
            {
                LogRenewalFailed(error, Name);
            }
        }
    }

    private async Task ReleaseAsync(ConsumerClaim claim, long through)
    {
        using var limit = new CancellationTokenSource(ReleaseLimit, TimeProvider.System);
        try
        {
            await _node.Store.WriteAsync((unit, ct) => claim.ReleaseAsync(unit, through, ct), limit.Token);
        }
#pragma warning disable CA1031 // the claim ends by itself, and the store reports its fault
        catch (Exception error)
#pragma warning restore CA1031
        {
            LogReleaseFailed(error, Name, _options.ClaimDuration);
        }
    }

    private TimeSpan Remaining(DateTimeOffset asked)
    {
        var left = asked + _options.ClaimDuration - _node.Clock.Now;
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    private static bool IsLost(Exception error, CancellationToken ended) =>
        error is DunlinException { Code: var code } && code == ErrorCode.LeaseLost
        || (error is OperationCanceledException && ended.IsCancellationRequested);

    [LoggerMessage(1250, LogLevel.Information, "This node claimed the consumer group '{Group}' with token {Token}.")]
    private partial void LogClaimed(string group, long token);

    [LoggerMessage(
        1251,
        LogLevel.Warning,
        "This node lost the consumer group '{Group}' (token {Token}). Events after the last checkpoint are delivered again. "
            + "If this repeats, look for long pauses of the process or of the store."
    )]
    private partial void LogLost(string group, long token);

    [LoggerMessage(1252, LogLevel.Warning, "The claim on the consumer group '{Group}' was not renewed; the node tries again.")]
    private partial void LogRenewalFailed(Exception error, string group);

    [LoggerMessage(1253, LogLevel.Warning, "The consumer group '{Group}' was not released. Another node claims it within {Duration}.")]
    private partial void LogReleaseFailed(Exception error, string group, TimeSpan duration);
}
