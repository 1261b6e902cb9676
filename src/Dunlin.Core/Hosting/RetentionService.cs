using Dunlin.DurableStreams;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Records;
using Dunlin.Scheduling;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Dunlin.Hosting;

/// <summary>
/// Removes expired data every <see cref="RetentionOptions.TrimInterval"/>: events, idempotency keys, rows of ended leases, deleted
/// records, and streams that have ended.
/// </summary>
internal sealed partial class RetentionService : IHostedService
{
    private const int MaxEnded = 100;

    private readonly IJournal _journal;
    private readonly IStore _store;
    private readonly StoreClock _clock;
    private readonly RetentionOptions _options;
    private readonly ILogger _logger;
    private readonly BackgroundLoop _loop;

    public RetentionService(
        IJournal journal,
        IStore store,
        StoreClock clock,
        IOptions<RetentionOptions> options,
        ILogger<RetentionService> logger,
        BackgroundLoops? loops = null
    )
    {
        (_journal, _store, _clock, _options, _logger) = (journal, store, clock, options.Value, logger);
        _loop = BackgroundLoop.Periodic("retention", () => _options.TrimInterval, RunOnceAsync, clock.TimeProvider, logger, loops);
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (_options.TrimInterval > TimeSpan.Zero)
            _loop.Start();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => _loop.StopAsync(cancellationToken);

    internal async Task RunOnceAsync(CancellationToken cancellationToken)
    {
        await EndStreamsAsync(cancellationToken);
        var removed = await _journal.TrimAsync(cancellationToken);
        if (removed > 0)
            LogTrimmed(removed);
        await _store.WriteAsync(
            async (unit, ct) =>
            {
                await unit.LeaseTable.ForgetEndedAsync(_clock.Now - _options.EndedLeaseAge, ct);
                if (unit is IRecordScope scope)
                    await scope.Records.ForgetAsync(_clock.Now - _options.DeletedRecordAge, ct);
            },
            cancellationToken
        );
    }

    /// <summary>Ends streams in small units of work, so that other writers run in between.</summary>
    private async Task EndStreamsAsync(CancellationToken cancellationToken)
    {
        var ended = MaxEnded;
        while (ended == MaxEnded)
        {
            ended = await _store.WriteAsync(
                static (unit, ct) => unit is IStreamScope ? unit.Streams.EndExpiredAsync(MaxEnded, ct) : new(0),
                cancellationToken
            );
        }
    }

    [LoggerMessage(2090, LogLevel.Debug, "Retention removed {Count} events from the journal.")]
    private partial void LogTrimmed(long count);
}
