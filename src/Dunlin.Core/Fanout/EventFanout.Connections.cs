using System.Security.Cryptography;
using Dunlin.Journal;
using Dunlin.Scheduling;
using Dunlin.Topics;

namespace Dunlin.Fanout;

/// <content>The connections of this node: opening, finding, narrowing, closing.</content>
public sealed partial class EventFanout
{
    private readonly Lock _registry = new(); // guards _connections, _byUser, _draining
    private readonly Dictionary<string, EventStreamConnection> _connections = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<EventStreamConnection>> _byUser = new(StringComparer.Ordinal);
    private bool _draining;

    /// <summary>A connection is registered. Published on the opener's thread, before the first event of the connection.</summary>
    internal Signal<EventStreamConnection> Opened { get; }

    /// <summary>A connection is gone. Published once for each connection.</summary>
    internal Signal<EventStreamConnection> Closed { get; }

    /// <summary>Open connections of this node.</summary>
    public int ConnectionCount
    {
        get
        {
            lock (_registry)
                return _connections.Count;
        }
    }

    /// <summary>Whether <see cref="DrainAsync"/> has begun: no connection is taken any more.</summary>
    public bool IsDraining
    {
        get
        {
            lock (_registry)
                return _draining;
        }
    }

    /// <summary>Registers a connection. It receives nothing before <see cref="StartAsync"/>.</summary>
    /// <exception cref="Diagnostics.DunlinException"><see cref="Diagnostics.ErrorCode.Draining"/>.</exception>
    public EventStreamConnection Open(ConnectionRequest request)
    {
        var id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(12));
        var shard = _shards[(uint)Interlocked.Increment(ref _nextShard) % _shards.Length];
        var connection = new EventStreamConnection(this, request, id, shard, Time.GetUtcNow());
        lock (_registry)
        {
            if (_draining)
                throw new Diagnostics.DunlinException(Diagnostics.ErrorCode.Draining);
            _connections.Add(id, connection);
            if (!_byUser.TryGetValue(request.Caller.UserId, out var list))
                _byUser.Add(request.Caller.UserId, list = new List<EventStreamConnection>(1));
            list.Add(connection);
        }
        Instruments.Connections.Add(1);
        Opened.Publish(connection);
        return connection;
    }

    /// <summary>Where a new stream begins: the position resumed from, or the newest one. Where resuming is impossible, says why.</summary>
    /// <remarks>A position that lies after everything this node knows may come from another node: the store is asked.</remarks>
    public async ValueTask<(Position Start, ResetReason? Reset)> LocateAsync(
        Position? resume,
        CancellationToken cancellationToken = default
    )
    {
        var reached = DeliveredHead;
        if (resume is not { } position)
            return (reached, null);
        if (position.Epoch != reached.Epoch)
            return (reached, ResetReason.Epoch);
        if (position.Offset <= _journal.Head.Offset || position.Offset <= (await _journal.ReadHeadAsync(cancellationToken)).Offset)
            return (position, null);
        return (reached, ResetReason.Ahead);
    }

    /// <summary>
    /// Sends the opening and goes live from <paramref name="start"/>; returns when the connection is up to date or closed.
    /// </summary>
    public Task StartAsync(EventStreamConnection connection, ReadOnlyMemory<byte> opening, Position start) =>
        connection.StartAsync(opening, start.Offset);

    /// <summary>The connection with this id, if it is open on this node.</summary>
    public EventStreamConnection? Find(string connectionId)
    {
        lock (_registry)
            return _connections.GetValueOrDefault(connectionId);
    }

    /// <summary>The open connections of one user on this node.</summary>
    public IReadOnlyList<EventStreamConnection> OfUser(string userId)
    {
        lock (_registry)
            return _byUser.TryGetValue(userId, out var list) ? [.. list] : [];
    }

    /// <summary>All open connections of this node.</summary>
    public IReadOnlyList<EventStreamConnection> All()
    {
        lock (_registry)
            return [.. _connections.Values];
    }

    /// <summary>Closes every connection of a session at once.</summary>
    /// <param name="userId">Whose.</param>
    /// <param name="sessionId">Which session.</param>
    /// <param name="lastFrame">Sent before the goodbye, for an application that tells the page why; nothing queued is sent
    /// after it or instead of it. Empty sends the goodbye alone.</param>
    public void CloseSession(string userId, string sessionId, ReadOnlyMemory<byte> lastFrame = default)
    {
        foreach (var connection in OfUser(userId))
        {
            if (string.Equals(connection.Caller.SessionId, sessionId, StringComparison.Ordinal))
                connection.Close(ConnectionEnd.SignedOut, lastFrame.IsEmpty ? default : WithGoodbye(lastFrame));
        }
    }

    /// <summary>Asks again which topics and patterns a user may read, and takes away the others from open connections.</summary>
    /// <param name="userId">Whose connections.</param>
    /// <param name="mayRead">Whether a topic may be read.</param>
    /// <param name="mayReadAll">Whether all that a pattern covers may be read; null where no pattern may.</param>
    public async Task ReauthorizeAsync(
        string userId,
        Func<Caller, TopicName, ValueTask<bool>> mayRead,
        Func<Caller, TopicPattern, ValueTask<bool>>? mayReadAll = null
    )
    {
        foreach (var connection in OfUser(userId))
        {
            var topics = new List<TopicName>();
            var patterns = new List<TopicPattern>();
            var lost = new List<string>();
            foreach (var topic in connection.Topics)
            {
                if (await mayRead(connection.Caller, topic))
                    topics.Add(topic);
                else
                    lost.Add(topic.Value);
            }
            foreach (var pattern in connection.Patterns)
            {
                if (mayReadAll is not null && await mayReadAll(connection.Caller, pattern))
                    patterns.Add(pattern);
                else
                    lost.Add(pattern.Text);
            }
            if (topics.Count + patterns.Count == 0)
                connection.Close(ConnectionEnd.Revoked);
            else if (lost.Count > 0)
                Narrow(connection, topics, patterns, lost);
        }
    }

    /// <summary>Takes no more connections and closes the open ones over <paramref name="window"/>, each with its own delay for
    /// coming back, so that the next node is not stormed.</summary>
    public async Task DrainAsync(TimeSpan window, CancellationToken cancellationToken)
    {
        lock (_registry)
            _draining = true;
        var open = All();
        var waves = Math.Clamp((int)(window / TimeSpan.FromMilliseconds(100)), 1, Math.Max(1, open.Count));
        foreach (var wave in open.Chunk(Math.Max(1, (open.Count + waves - 1) / waves)))
        {
            foreach (var connection in wave)
                connection.Close(ConnectionEnd.Draining);
            if (waves > 1)
                await Task.Delay(window / waves, Time, cancellationToken);
        }
        await Task.WhenAll(open.Select(c => c.Completion)).WaitAsync(TimeSpan.FromSeconds(10), Time, cancellationToken);
    }

    internal void Forget(EventStreamConnection connection)
    {
        connection.Shard.Leave(connection);
        lock (_registry)
        {
            if (!_connections.Remove(connection.Id))
                return;
            var list = _byUser[connection.Caller.UserId];
            list.Remove(connection);
            if (list.Count == 0)
                _byUser.Remove(connection.Caller.UserId);
        }
        Instruments.Connections.Add(-1);
        Closed.Publish(connection);
    }

    private byte[] WithGoodbye(ReadOnlyMemory<byte> lastFrame)
    {
        var goodbye = ControlFrames.Goodbye(ConnectionEnd.SignedOut, ReconnectDelay(ConnectionEnd.SignedOut));
        return [.. lastFrame.Span, .. goodbye.Span];
    }

    private static void Narrow(EventStreamConnection connection, List<TopicName> topics, List<TopicPattern> patterns, List<string> lost)
    {
        connection.Shard.Narrow(connection, topics, patterns);
        connection.Send(ControlFrames.Revoked(lost));
    }
}
