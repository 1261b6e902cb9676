using System.Security.Cryptography;
using System.Text.Json;
using System.Threading.Channels;
using Dunlin.Fanout;
using Dunlin.Journal;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Dunlin.Topics;

/// <summary>
/// Carries <see cref="AccessChanges"/> to the other nodes of a shared store, through the journal: every node reads all of it,
/// in order, whatever hint was lost, so none misses that access has ended. What a node tells itself is heard at once; the
/// others hear it with its commit. A store that is away is tried again until it is back. Safe for concurrent use.
/// </summary>
public sealed partial class AccessRelay : BackgroundService
{
    private static readonly TopicName Topic = TopicName.Of(AccessPolicies.OwnPrefix, "access");
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);

    // Set while this node repeats what another told, so that it is not told on. Listeners run on the thread that tells.
    [ThreadStatic]
    private static bool _isHearing;

    private readonly string _node = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
    private readonly Channel<EventDraft> _outbox = Channel.CreateUnbounded<EventDraft>(new UnboundedChannelOptions { SingleReader = true });
    private readonly AccessChanges _changes;
    private readonly IJournal _journal;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly IDisposable[] _subscriptions;

    /// <summary>Made by the container, before the node begins.</summary>
    public AccessRelay(AccessChanges changes, IJournal journal, EventFanout fanout, TimeProvider time, ILogger<AccessRelay> logger)
    {
        _changes = changes;
        _journal = journal;
        _time = time;
        _logger = logger;
        _subscriptions =
        [
            changes.OnSessionEnded(ended => Tell(Draft(ended, _node))),
            changes.OnRightsChanged(userId => Tell(EventDraft.Of(Topic, "rights.changed", new RelayedChange(userId, null, null), new EventOrigin(DeviceId: _node)))),
        ];
        fanout.Listen(Topic, OnEvent);
    }

    /// <summary>The event that tells all nodes of a session's end: for stores that remove a session and tell of it in one transaction.</summary>
    public static EventDraft Draft(EndedSession ended) => Draft(ended, null);

    /// <inheritdoc/>
    public override void Dispose()
    {
        foreach (var subscription in _subscriptions)
            subscription.Dispose();
        base.Dispose();
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var draft in _outbox.Reader.ReadAllAsync(stoppingToken))
        {
            while (!await TryAppendAsync(draft, stoppingToken))
                await Task.Delay(RetryDelay, _time, stoppingToken);
        }
    }

    private static EventDraft Draft(EndedSession ended, string? node) => EventDraft.Of(
        Topic, "session.ended", new RelayedChange(ended.UserId, ended.SessionId, ended.Reason), new EventOrigin(DeviceId: node));

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
            ThreadPool.UnsafeQueueUserWorkItem(static state => state.Relay.Hear(state.Entry), (Relay: this, Entry: entry), preferLocal: false);
    }

    private void Hear(Event entry)
    {
        if (JsonSerializer.Deserialize<RelayedChange>(entry.Data.Span, JsonSerializerOptions.Web) is not { } change)
            return;
        _isHearing = true;
        try
        {
            if (change.SessionId is { } sessionId)
                _changes.SessionEnded(change.UserId, sessionId, change.Reason ?? "");
            else
                _changes.RightsChanged(change.UserId);
        }
        finally
        {
            _isHearing = false;
        }
    }

    [LoggerMessage(4091, LogLevel.Warning, "The other nodes could not be told of a change of access; trying again.")]
    private partial void LogFailed(Exception exception);

    private sealed record RelayedChange(string UserId, string? SessionId, string? Reason);
}
