using System.Security.Cryptography;
using System.Threading.Channels;
using Dunlin.Fanout;
using Dunlin.Hosting;
using Dunlin.Journal;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Dunlin.Topics;

/// <summary>
/// Joins <see cref="AccessChanges"/> of this node with the journal. What the journal tells of (<see cref="AccessEvents"/>), by whatever
/// node, is told here, one after another. What is told here outside a unit of work is appended for the other nodes of a shared store:
/// a store that is away is tried again until it is back, and what waits when the node stops is still sent. Safe for concurrent use.
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
    private readonly Channel<EventDraft> _outbox = Channel.CreateUnbounded<EventDraft>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Channel<Event> _inbox = Channel.CreateUnbounded<Event>(new UnboundedChannelOptions { SingleReader = true });
    private readonly TaskCompletionSource _isSent = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly AccessChanges _changes;
    private readonly IJournal _journal;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly IDisposable[] _subscriptions;

    /// <summary>Made by the container, before the node begins.</summary>
    public AccessRelay(AccessChanges changes, IJournal journal, EventFanout fanout, TimeProvider time, ILogger<AccessRelay> logger, SharedStore? shared = null)
    {
        _changes = changes;
        _journal = journal;
        _time = time;
        _logger = logger;
        _subscriptions = shared is null ? [] :
        [
            changes.OnSessionEnded(ended => Tell(AccessEvents.SessionEnded(ended, _node))),
            changes.OnRightsChanged(userId => Tell(AccessEvents.RightsChanged(userId, _node))),
        ];
        fanout.Listen(AccessEvents.Topic, OnEvent);
    }

    /// <inheritdoc/>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        _outbox.Writer.TryComplete();
        if (ExecuteTask is not null)
            await _isSent.Task.WaitAsync(StopLimit, TimeProvider.System, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
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
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(SendAsync(stoppingToken), HearAsync(stoppingToken));

    private async Task SendAsync(CancellationToken stop)
    {
        await foreach (var draft in _outbox.Reader.ReadAllAsync(stop))
        {
            while (!await TryAppendAsync(draft, stop))
                await Task.Delay(RetryDelay, _time, stop);
        }
        _isSent.TrySetResult();
    }

    private async Task HearAsync(CancellationToken stop)
    {
        await foreach (var entry in _inbox.Reader.ReadAllAsync(stop))
        {
            _isHearing = true;
            try
            {
                AccessEvents.Tell(entry, _changes);
            }
            finally
            {
                _isHearing = false;
            }
        }
    }

    private void Tell(EventDraft draft)
    {
        if (!_isHearing)
            _outbox.Writer.TryWrite(draft);
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
        if (entry.Origin?.DeviceId != _node)
            _inbox.Writer.TryWrite(entry);
    }

    [LoggerMessage(4091, LogLevel.Warning, "The other nodes could not be told of a change of access; trying again.")]
    private partial void LogFailed(Exception exception);
}
