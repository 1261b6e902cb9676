using System.Security.Cryptography;
using Dunlin.Cluster;
using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Scheduling;
using Dunlin.Topics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Dunlin.Access;

/// <summary>Relays access changes between <see cref="AccessChanges"/> of this node and the journal. Thread-safe.</summary>
/// <remarks>
/// Incoming: changes announced in the journal (<see cref="AccessEvents"/>) by any node are published on this node, one at a time. Outgoing:
/// changes published on this node outside a unit of work are appended for the other nodes of a shared store. Appends are retried until the
/// store is available, and the remaining changes are sent when the node stops. Both queues are bounded: see <see cref="AccessQueue"/>.
/// </remarks>
internal sealed class AccessRelay : IHostedService, IDisposable
{
    private static readonly LoopBackoff Backoff = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2));

    /// <summary>The time that a stopping node waits for the remaining changes to be sent.</summary>
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(2);

    // Set while this node publishes a change from the journal, so that it is not sent again. Listeners run on the publishing thread.
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

    /// <summary>Subscribes and starts the loops. Call before the node starts.</summary>
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
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | Background.Context);
        await Task.WhenAll(_sending.StopAsync(cancellationToken), _hearing.StopAsync(cancellationToken));
    }

    public void Dispose()
    {
        foreach (var subscription in _subscriptions)
            subscription.Dispose();
    }

    // Returns when the queue is completed and empty.
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

    // Runs in the intake of the fan-out, which must not block: queue the change, since listeners may take locks.
    private void OnEvent(DunlinEvent entry)
    {
        if (entry.Origin?.DeviceId != _node && AccessEvents.Read(entry) is { } change)
            _inbox.Add(change);
    }
}
