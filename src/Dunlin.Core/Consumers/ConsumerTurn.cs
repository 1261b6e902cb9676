using Dunlin.Journal;
using Dunlin.Scheduling;
using Microsoft.Extensions.Logging;

namespace Dunlin.Consumers;

/// <summary>Delivers the events of a group while this node holds its claim. Not thread-safe.</summary>
internal sealed partial class ConsumerTurn(
    ConsumerGroup group,
    IEventConsumer consumer,
    ConsumerNode node,
    ConsumerClaim claim,
    ConsumerProgress progress,
    BackgroundLoop loop,
    ConsumerRunner runner
)
{
    /// <summary>The number of events of other topics after which the cursor moves without a batch.</summary>
    private const int MaxSkipped = 4_096;

    private const int MaxBytes = 1024 * 1024;

    private readonly ILogger _logger = node.Logger;
    private long _saved;
    private int _failures;

    /// <summary>Runs until the token is cancelled or the claim is lost.</summary>
    /// <param name="row">The row of the claim.</param>
    /// <param name="holding">Cancelled when the claim ends or the host stops.</param>
    public async Task RunAsync(ConsumerRow row, CancellationToken holding)
    {
        (_saved, _failures) = (row.Through, row.Failures);
        if (row.RetryAt is { } retry && await NowAsync(holding) is var now && retry > now)
            await Task.Delay(retry - now, node.Clock.TimeProvider, holding);
        while (true)
        {
            var signal = runner.Wake.Renew();
            var page = await ReadAsync(holding);
            if (_failures == 0)
                loop.ReportSuccess();
            if (page.HasMore)
                continue;
            // Another node, or EventConsumers.SeekAsync, may have changed the cursor since.
            if (page.Events.Count == 0 && (await FindAsync(holding))?.Token != claim.Token)
                throw claim.Lost();
            await WakeSignal.WaitAsync(signal, group.Options.PollInterval, node.Clock.TimeProvider, holding);
        }
    }

    private async Task<JournalPage> ReadAsync(CancellationToken holding)
    {
        var query = new JournalQuery(Math.Max(progress.Through, 0), [], group.Options.BatchSize, MaxBytes) { Patterns = group.Patterns };
        var page = await node.Journal.ReadAsync(query, holding);
        var isTrimmed = page.Trimmed;
        if (progress.Through == ConsumerRow.NotStarted)
        {
            // Events removed before the start of the group are no gap. Events removed later are one, so the start is stored.
            progress.Through = page.Events is [var first, ..] ? first.Position.Offset - 1 : page.Through;
            isTrimmed = false;
            await CheckpointAsync(progress.Through, holding);
        }
        if (isTrimmed || page.Events.Count > 0)
        {
            await DeliverAsync(page, isTrimmed, holding);
            return page;
        }
        progress.Through = page.Through;
        if (page.Through - _saved >= MaxSkipped)
            await CheckpointAsync(page.Through, holding);
        return page;
    }

    /// <summary>Delivers a page until it succeeds.</summary>
    private async Task DeliverAsync(JournalPage page, bool isTrimmed, CancellationToken holding)
    {
        var head = node.Journal.Head;
        var (after, through) = (head with { Offset = progress.Through }, head with { Offset = page.Through });
        progress.Oldest = page.Events.Count > 0 ? page.Events[0].Time : null;
        if (isTrimmed)
        {
            node.Instruments.Gap(group.Name);
            LogGap(group.Name, after, through);
        }
        while (true)
        {
            try
            {
                if (isTrimmed)
                    await consumer.OnGapAsync(new EventGap(group.Name, after, through), holding);
                isTrimmed = false;
                if (page.Events.Count > 0)
                    await ConsumeAsync(page, after, through, holding);
                break;
            }
            catch (OperationCanceledException) when (holding.IsCancellationRequested)
            {
                throw;
            }
#pragma warning disable CA1031 // any fault of the consumer delays its batch
            catch (Exception error)
#pragma warning restore CA1031
            {
                // Refused if the claim is lost: then the exception of the consumer is a result of that.
                await FailAsync(error, holding);
            }
            if (await FindAsync(holding) is { } row && row.Through > after.Offset)
                page = Rest(page, after = after with { Offset = row.Through });
        }
        await SaveAsync(page.Through, holding);
        node.Instruments.Delivered(group.Name, page.Events.Count);
        progress.Oldest = null;
    }

    private async ValueTask ConsumeAsync(JournalPage page, Position after, Position through, CancellationToken holding) =>
        await consumer.ConsumeAsync(new EventBatch(node.Store, claim, page.Events, after, through, _failures), holding);

    /// <summary>Stores the failure, and waits for the back-off.</summary>
    private async Task FailAsync(Exception error, CancellationToken holding)
    {
        var delay = group.Backoff.Delay(_failures + 1);
        await node.Store.WriteAsync((unit, ct) => claim.FailAsync(unit, _failures + 1, delay, error.Message, ct), holding);
        _failures++;
        node.Instruments.Failed(group.Name);
        loop.CountFault(error);
        LogFailed(error, group.Name, new(node.Journal.Head.Epoch, progress.Through), _failures, delay);
        await Task.Delay(delay, node.Clock.TimeProvider, holding);
    }

    /// <summary>Moves the cursor, unless the consumer has done so in its own unit of work.</summary>
    private async Task SaveAsync(long through, CancellationToken holding)
    {
        // Before the write: if the host stops now, the release stores it.
        progress.Through = through;
        var row = await FindAsync(holding);
        if (row is null || row.Token != claim.Token || row.Through < through || row.Failures > 0)
            await CheckpointAsync(through, holding);
        (_saved, _failures) = (through, 0);
    }

    private async Task CheckpointAsync(long through, CancellationToken holding)
    {
        await node.Store.WriteAsync((unit, ct) => claim.CheckpointAsync(unit, through, ct), holding);
        _saved = through;
    }

    private ValueTask<ConsumerRow?> FindAsync(CancellationToken holding) =>
        node.Store.ReadAsync((scope, ct) => ConsumerClaim.TableOf(scope).FindAsync(group.Name, ct), holding);

    private ValueTask<DateTimeOffset> NowAsync(CancellationToken holding) =>
        node.Store.ReadAsync(static (scope, _) => new ValueTask<DateTimeOffset>(scope.Now), holding);

    /// <summary>Returns the part of a page after a checkpoint of the consumer.</summary>
    private static JournalPage Rest(JournalPage page, Position after) =>
        page with
        {
            Events = [.. page.Events.SkipWhile(entry => entry.Position.Offset <= after.Offset)],
        };

    [LoggerMessage(
        1255,
        LogLevel.Warning,
        "The consumer group '{Group}' failed after {Position} (failure {Failures}); retrying in {Delay}. Its later events wait. "
            + "If this repeats, correct the cause in the exception."
    )]
    private partial void LogFailed(Exception error, string group, Position position, int failures, TimeSpan delay);

    [LoggerMessage(
        1254,
        LogLevel.Error,
        "Retention removed events of the consumer group '{Group}' between {After} and {Through} before they were delivered. "
            + "Raise RetentionOptions.MaxAge for its topics, or remove the cause of its delay."
    )]
    private partial void LogGap(string group, Position after, Position through);
}
