using Dunlin.Journal;
using Dunlin.Records;
using Dunlin.Scheduling;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Dunlin.Replicache;

/// <summary>Removes client groups that no client has used for <see cref="ReplicacheOptions.ClientGroupIdleAge"/>. Several nodes may do so
/// at once.</summary>
/// <remarks>
/// A removal is a unit of work, as is a push, and the store runs units of work one after the other. A push before the removal sets the
/// time of its group, so the removal does not find it idle. A push after the removal finds the tombstone, and is refused.
/// </remarks>
internal sealed partial class IdleGroupRemoval : IHostedService
{
    private static readonly TimeSpan Interval = TimeSpan.FromHours(1);

    private readonly IStore _store;
    private readonly ReplicacheOptions _options;
    private readonly ReplicacheInstruments _instruments;
    private readonly ILogger _logger;
    private readonly BackgroundLoop _loop;

    public IdleGroupRemoval(
        IStore store,
        StoreClock clock,
        IOptions<ReplicacheOptions> options,
        ReplicacheInstruments instruments,
        ILogger<IdleGroupRemoval> logger,
        BackgroundLoops? loops = null
    )
    {
        (_store, _options, _instruments, _logger) = (store, options.Value, instruments, logger);
        _loop = BackgroundLoop.Periodic("idle client groups", static () => Interval, RunOnceAsync, clock.TimeProvider, logger, loops);
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (_options.ClientGroupIdleAge > TimeSpan.Zero)
            _loop.Start();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => _loop.StopAsync(cancellationToken);

    internal async Task RunOnceAsync(CancellationToken cancellationToken)
    {
        var total = 0;
        while (true)
        {
            var (groups, hasMore) = await _store.WriteAsync(
                (unit, ct) =>
                    new ClientGroups(unit.RecordTables().Records).RemoveIdleAsync(
                        // The stored time may be this much older than the last use.
                        unit.Now
                            - _options.ClientGroupIdleAge
                            - ClientGroups.SeenPrecision,
                        unit.Now,
                        ct
                    ),
                cancellationToken
            );
            total += groups;
            _instruments.GroupsRemoved(groups);
            if (!hasMore)
                break;
        }
        if (total > 0)
            LogRemoved(total, _options.ClientGroupIdleAge);
    }

    [LoggerMessage(
        5003,
        LogLevel.Information,
        "Removed {Count} client groups that were idle for {Age}. A client of one of them starts again without its pending mutations."
    )]
    private partial void LogRemoved(int count, TimeSpan age);
}
