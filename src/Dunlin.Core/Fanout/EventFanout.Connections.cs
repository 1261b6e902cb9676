using System.Runtime.ExceptionServices;
using System.Security.Cryptography;
using Dunlin.Journal;
using Dunlin.Scheduling;
using Dunlin.Topics;

namespace Dunlin.Fanout;

/// <content>Opens, finds, narrows and closes the connections of this node.</content>
public sealed partial class EventFanout
{
    private readonly Lock _registry = new(); // guards _connections, _byUser, _draining
    private readonly Dictionary<string, EventStreamConnection> _connections = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<EventStreamConnection>> _byUser = new(StringComparer.Ordinal);
    private bool _draining;

    /// <summary>Gets the signal for new connections. Published on the opening thread, before the connection receives an event.</summary>
    internal Signal<EventStreamConnection> Opened { get; }

    /// <summary>
    /// Gets the signal for closed connections. Published once per connection, when it has left the registry and
    /// <see cref="EventStreamConnection.Completion"/> has its result.
    /// </summary>
    internal Signal<EventStreamConnection> Closed { get; }

    /// <summary>Gets the number of open connections of this node.</summary>
    public int ConnectionCount
    {
        get
        {
            lock (_registry)
                return _connections.Count;
        }
    }

    /// <summary>Gets whether <see cref="DrainAsync"/> has been called. A draining node accepts no connections.</summary>
    public bool IsDraining
    {
        get
        {
            lock (_registry)
                return _draining;
        }
    }

    /// <summary>Opens and registers a connection. It receives no event before <see cref="StartAsync"/>.</summary>
    /// <param name="request">The caller, topics and sink.</param>
    /// <returns>The connection.</returns>
    /// <exception cref="Diagnostics.DunlinException"><see cref="Diagnostics.ErrorCode.Draining"/>: the node is draining.</exception>
    internal EventStreamConnection Open(ConnectionRequest request)
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
            connection.UserIndex = list.Count;
            list.Add(connection);
        }
        Instruments.Connections.Add(1);
        Opened.Publish(connection);
        return connection;
    }

    /// <summary>
    /// Returns the start position of a stream: the resume position, or the head. If the stream cannot resume, also returns the reason.
    /// </summary>
    /// <remarks>A resume position after the local head may come from another node, so the head is then read from the store.</remarks>
    /// <param name="resume">The position to resume from; null to start at the head.</param>
    /// <param name="cancellationToken">Cancels the read of the head.</param>
    /// <exception cref="Diagnostics.DunlinException"><see cref="Diagnostics.ErrorCode.StoreUnavailable"/>: the head cannot be
    /// read.</exception>
    internal async ValueTask<(Position Start, ResetReason? Reset)> LocateAsync(
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
    /// Sends the opening frames and starts delivery after <paramref name="start"/>. Completes when the connection has caught up or closed.
    /// </summary>
    /// <param name="connection">The connection from <see cref="Open"/>.</param>
    /// <param name="opening">The bytes to send first.</param>
    /// <param name="start">The position that the opening represents.</param>
    internal Task StartAsync(EventStreamConnection connection, ReadOnlyMemory<byte> opening, Position start) =>
        connection.StartAsync(opening, start.Offset);

    /// <summary>Returns the connection with this id; null if it is not open on this node.</summary>
    /// <param name="connectionId">The connection id.</param>
    public EventStreamConnection? Find(string connectionId)
    {
        lock (_registry)
            return _connections.GetValueOrDefault(connectionId);
    }

    /// <summary>Returns the open connections of a user on this node.</summary>
    /// <param name="userId">The user.</param>
    public IReadOnlyList<EventStreamConnection> OfUser(string userId)
    {
        lock (_registry)
            return _byUser.TryGetValue(userId, out var list) ? [.. list] : [];
    }

    /// <summary>Returns all open connections of this node.</summary>
    public IReadOnlyList<EventStreamConnection> All()
    {
        lock (_registry)
            return [.. _connections.Values];
    }

    /// <summary>Adds a handler for connections of this node that closed, with the reason. For display and measurement.</summary>
    /// <param name="handler">The handler, called once for each connection after it has left the list. Must be thread-safe and fast. It must
    /// not block. An exception is logged.</param>
    /// <returns>A subscription; dispose it to remove the handler.</returns>
    public IDisposable OnClosed(Action<ClosedConnection> handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return Closed.Subscribe(connection => handler(ClosedConnection.Of(connection, Time.GetUtcNow())));
    }

    /// <summary>Closes all connections of a session on this node.</summary>
    /// <param name="userId">The user.</param>
    /// <param name="sessionId">The session.</param>
    /// <param name="lastFrame">A frame to send before <c>dunlin.goodbye</c>, for example the reason for the page. Queued frames are
    /// dropped. Empty sends <c>dunlin.goodbye</c> alone.</param>
    public void CloseSession(string userId, string sessionId, ReadOnlyMemory<byte> lastFrame = default)
    {
        foreach (var connection in OfUser(userId))
        {
            if (string.Equals(connection.Caller.SessionId, sessionId, StringComparison.Ordinal))
                connection.Close(ConnectionEnd.SignedOut, lastFrame.IsEmpty ? default : WithGoodbye(lastFrame));
        }
    }

    /// <summary>
    /// Checks the open connections of a user on this node against the given policies, and removes the topics and patterns that are no
    /// longer allowed.
    /// </summary>
    /// <remarks>
    /// Closes a connection with <see cref="ConnectionEnd.Revoked"/> if no topic, pattern or selector remains. Selectors remain, and text
    /// topics of a connection whose protocol checks its events: the policies know path names. If a policy throws, closes the connection
    /// with <see cref="ConnectionEnd.TokenExpired"/>, continues, and throws the exception at the end.
    /// </remarks>
    /// <param name="userId">The user.</param>
    /// <param name="mayRead">Returns whether the caller may read a topic.</param>
    /// <param name="mayReadAll">Returns whether the caller may read every topic of a pattern. Null allows no pattern.</param>
    internal async Task ReauthorizeAsync(
        string userId,
        Func<Caller, TopicName, ValueTask<bool>> mayRead,
        Func<Caller, TopicPattern, ValueTask<bool>>? mayReadAll = null
    )
    {
        Exception? failure = null;
        foreach (var connection in OfUser(userId))
        {
            try
            {
                await ReauthorizeAsync(connection, mayRead, mayReadAll);
            }
#pragma warning disable CA1031 // fail closed: the client reconnects and is authorised again
            catch (Exception error)
#pragma warning restore CA1031
            {
                connection.Close(ConnectionEnd.TokenExpired);
                failure ??= error;
            }
        }
        if (failure is not null)
            ExceptionDispatchInfo.Throw(failure);
    }

    private static async Task ReauthorizeAsync(
        EventStreamConnection connection,
        Func<Caller, TopicName, ValueTask<bool>> mayRead,
        Func<Caller, TopicPattern, ValueTask<bool>>? mayReadAll
    )
    {
        var topics = new List<TopicName>();
        var patterns = new List<TopicPattern>();
        foreach (var topic in connection.Topics)
        {
            if (!(topic.IsText && connection.HasOwnChecks) && !await mayRead(connection.Caller, topic))
                topics.Add(topic);
        }
        foreach (var pattern in connection.Patterns)
        {
            if (mayReadAll is null || !await mayReadAll(connection.Caller, pattern))
                patterns.Add(pattern);
        }
        if (topics.Count + patterns.Count == 0)
            return;
        if (!connection.KeepsAny(topics, patterns))
        {
            connection.Close(ConnectionEnd.Revoked);
            return;
        }
        connection.Shard.Narrow(connection, topics, patterns);
        if (connection.SendsControlFrames)
            connection.Send(
                ControlFrames.Revoked([.. topics.Select(static topic => topic.Value), .. patterns.Select(static pattern => pattern.Text)])
            );
    }

    /// <summary>Refuses new connections and closes the open ones evenly over <paramref name="window"/>.</summary>
    /// <remarks>
    /// Each connection gets its own reconnection delay, so that the clients do not reconnect to the next node all at once.
    /// </remarks>
    /// <param name="window">The time over which the connections are closed.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <exception cref="TimeoutException">Some connections are still open 10 seconds after the last close.</exception>
    internal async Task DrainAsync(TimeSpan window, CancellationToken cancellationToken)
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

    /// <summary>Removes a connection from the registry. Returns false if the registry did not have it.</summary>
    internal bool Forget(EventStreamConnection connection)
    {
        connection.Shard.Leave(connection);
        lock (_registry)
        {
            if (!_connections.Remove(connection.Id))
                return false;
            var list = _byUser[connection.Caller.UserId];
            // Constant time: all anonymous readers of a node are one user. The last connection takes the free place.
            var last = list[^1];
            list[connection.UserIndex] = last;
            last.UserIndex = connection.UserIndex;
            list.RemoveAt(list.Count - 1);
            if (list.Count == 0)
                _byUser.Remove(connection.Caller.UserId);
        }
        Instruments.Connections.Add(-1);
        return true;
    }

    private byte[] WithGoodbye(ReadOnlyMemory<byte> lastFrame)
    {
        var goodbye = ControlFrames.Goodbye(ConnectionEnd.SignedOut, ReconnectDelay(ConnectionEnd.SignedOut));
        return [.. lastFrame.Span, .. goodbye.Span];
    }
}
