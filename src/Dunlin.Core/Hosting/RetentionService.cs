using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Records;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Dunlin.Hosting;

/// <summary>Removes, every <see cref="RetentionOptions.TrimInterval"/>, what the store need not keep: events, idempotency
/// keys, the rows of leases that ended long ago, and deleted records.</summary>
internal sealed partial class RetentionService(
    IJournal journal,
    IStore store,
    StoreClock clock,
    IOptions<RetentionOptions> options,
    ILogger<RetentionService> logger
) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (options.Value.TrimInterval <= TimeSpan.Zero)
            return;
        using var timer = new PeriodicTimer(options.Value.TrimInterval, clock.TimeProvider);
        while (await Tick(timer, stoppingToken))
        {
            try
            {
                await RunOnceAsync(stoppingToken);
            }
            catch (Exception exception) when (exception is not OperationCanceledException || !stoppingToken.IsCancellationRequested)
            {
                // Tried again at the next tick: nothing is lost by keeping too much for a while.
                LogFailed(exception);
            }
        }
    }

    internal async Task RunOnceAsync(CancellationToken cancellationToken)
    {
        var removed = await journal.TrimAsync(cancellationToken);
        if (removed > 0)
            LogTrimmed(removed);
        await store.WriteAsync(
            async (unit, ct) =>
            {
                await unit.LeaseTable.ForgetEndedAsync(clock.Now - options.Value.EndedLeaseAge, ct);
                if (unit is IRecordScope scope)
                    await scope.Records.ForgetAsync(clock.Now - options.Value.DeletedRecordAge, ct);
            },
            cancellationToken
        );
    }

    private static async ValueTask<bool> Tick(PeriodicTimer timer, CancellationToken cancellationToken)
    {
        try
        {
            return await timer.WaitForNextTickAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    [LoggerMessage(2090, LogLevel.Debug, "Retention removed {Count} events.")]
    private partial void LogTrimmed(long count);

    [LoggerMessage(2091, LogLevel.Warning, "Retention failed; it is tried again at the next interval.")]
    private partial void LogFailed(Exception exception);
}
