using System.Security.Cryptography;
using Dunlin.Cluster;
using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Scheduling;
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
internal sealed class AccessRelay : IHostedService, IDisposable
{
    private static readonly LoopBackoff Backoff = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2));

    /// <summary>How long the stopping node waits for a store that does not answer.</summary>
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(2);

    // Set while this node repeats what the journal tells, so that it is not told on. Listeners run on the thread that tells.
    [ThreadStatic]
    private static bool _isHearing;

    private readonly string _node = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
    private readonly AccessQueue _outbox = new();
    private readonly AccessQueue _inbox = new();
    private readonly AccessChanges _changes;
    private readonly IJournal _journal;
    private readonly EventFanout _fanout;
    private readonly bool _isShared;
    private readonly BackgroundLoop _sending;
    private readonly BackgroundLoop _hearing;
    private readonly List<IDisposable> _subscriptions = [];
    private AccessChange? _unsent;

    public AccessRelay(
        AccessChanges changes,
        IJournal journal,
        EventFanout fanout,
        TimeProvider time,
        ILogger<AccessRelay> logger,
        SharedStore? shared = null,
        BackgroundLoops? loops = null
    )
    {
        _changes = changes;
        _journal = journal;
        _fanout = fanout;
        _isShared = shared is not null;
        _sending = new BackgroundLoop("access changes to other nodes", SendAsync, time, logger, Backoff, loops);
        _hearing = new BackgroundLoop("access changes of other nodes", HearAsync, time, logger, Backoff, loops);
    }

    /// <summary>Called before the node begins.</summary>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (_isShared)
        {
            _subscriptions.Add(_changes.OnSessionEnded(ended => Tell(AccessChange.OfSession(ended))));
            _subscriptions.Add(_changes.OnRightsChanged(userId => Tell(AccessChange.OfRights(userId))));
            _subscriptions.Add(_changes.OnEverythingChanged(() => Tell(AccessChange.Everything)));
        }
        _subscriptions.Add(_fanout.EventsOf(AccessEvents.Topic).Subscribe(OnEvent));
        _sending.Start();
        _hearing.Start();
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        _outbox.Complete();
        await _sending
            .Completion.WaitAsync(StopLimit, TimeProvider.System, cancellationToken)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.WhenAll(_sending.StopAsync(cancellationToken), _hearing.StopAsync(cancellationToken));
    }

    public void Dispose()
    {
        foreach (var subscription in _subscriptions)
            subscription.Dispose();
    }

    // Ends when the queue is completed and empty.
    private async Task SendAsync(BackgroundLoop loop, CancellationToken stop)
    {
        while ((_unsent ??= await _outbox.TakeAsync(stop)) is { } change)
        {
            await _journal.AppendAsync(AccessEvents.Draft(change, _node), stop);
            _unsent = null;
            loop.ReportSuccess();
        }
    }

    private async Task HearAsync(BackgroundLoop loop, CancellationToken stop)
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

    // In the fan-out's intake, which must not wait: the listeners may take locks of their own.
    private void OnEvent(DunlinEvent entry)
    {
        if (entry.Origin?.DeviceId != _node && AccessEvents.Read(entry) is { } change)
            _inbox.Add(change);
    }
}
