using System.Security.Cryptography;
using Dunlin.Cluster;
using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Topics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Dunlin.Access;

/// <summary>
/// Joins <see cref="AccessChanges"/> of this node with the journal. What the journal tells of (<see cref="AccessEvents"/>), by whatever
/// node, is told here, one after another. What is told here outside a unit of work is appended for the other nodes of a shared store:
/// a store that is away is tried again until it is back, and what waits when the node stops is still sent. What waits is bounded:
/// see <see cref="AccessQueue"/>. Safe for concurrent use.
/// </summary>
internal sealed partial class AccessRelay : BackgroundService
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);

    /// <summary>How long the stopping node waits for a store that does not answer.</summary>
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(2);

    // Set while this node repeats what the journal tells, so that it is not told on. Listeners run on the thread that tells.
    [ThreadStatic]
    private static bool _isHearing;

    private readonly string _node = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
    private readonly AccessQueue _outbox = new();
    private readonly AccessQueue _inbox = new();
    private readonly TaskCompletionSource _isSent = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly AccessChanges _changes;
    private readonly IJournal _journal;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly IDisposable[] _subscriptions;

    /// <summary>Made by the container, before the node begins.</summary>
    public AccessRelay(
        AccessChanges changes,
        IJournal journal,
        EventFanout fanout,
        TimeProvider time,
        ILogger<AccessRelay> logger,
        SharedStore? shared = null
    )
    {
        _changes = changes;
        _journal = journal;
        _time = time;
        _logger = logger;
        _subscriptions = shared is null
            ? []
            :
            [
                changes.OnSessionEnded(ended => Tell(AccessChange.OfSession(ended))),
                changes.OnRightsChanged(userId => Tell(AccessChange.OfRights(userId))),
                changes.OnEverythingChanged(() => Tell(AccessChange.Everything)),
            ];
        fanout.EventsOf(AccessEvents.Topic).Subscribe(OnEvent);
    }

    /// <inheritdoc/>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        _outbox.Complete();
        if (ExecuteTask is not null)
            await _isSent
                .Task.WaitAsync(StopLimit, TimeProvider.System, cancellationToken)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await base.StopAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        foreach (var subscription in _subscriptions)
            subscription.Dispose();
        base.Dispose();
    }

    /// <inheritdoc/>
    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(SendAsync(stoppingToken), HearAsync(stoppingToken));

    private async Task SendAsync(CancellationToken stop)
    {
        while (await _outbox.TakeAsync(stop) is { } change)
        {
            var draft = AccessEvents.Draft(change, _node);
            while (!await TryAppendAsync(draft, stop))
                await Task.Delay(RetryDelay, _time, stop);
        }
        _isSent.TrySetResult();
    }

    private async Task HearAsync(CancellationToken stop)
    {
        while (await _inbox.TakeAsync(stop) is { } change)
        {
            _isHearing = true;
            try
            {
                change.Tell(_changes);
            }
            finally
            {
                _isHearing = false;
            }
        }
    }

    private void Tell(AccessChange change)
    {
        if (!_isHearing)
            _outbox.Add(change);
    }

    private async Task<bool> TryAppendAsync(EventDraft draft, CancellationToken cancellationToken)
    {
        try
        {
            await _journal.AppendAsync(draft, cancellationToken);
            return true;
        }
#pragma warning disable CA1031 // until it succeeds: the others must hear of it
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
        {
            LogFailed(exception);
            return false;
        }
    }

    // In the fan-out's intake, which must not wait: the listeners may take locks of their own.
    private void OnEvent(Event entry)
    {
        if (entry.Origin?.DeviceId != _node && AccessEvents.Read(entry) is { } change)
            _inbox.Add(change);
    }

    [LoggerMessage(4091, LogLevel.Warning, "The other nodes could not be told of a change of access; trying again.")]
    private partial void LogFailed(Exception exception);
}
