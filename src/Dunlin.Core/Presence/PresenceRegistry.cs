using Dunlin.Cluster;
using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Scheduling;
using Dunlin.Topics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Dunlin.Presence;

/// <summary>A user who is connected to a topic. Immutable.</summary>
/// <param name="UserId">The user.</param>
/// <param name="Name">The display name.</param>
/// <param name="Since">The time since which the user is present without a gap longer than the grace period (UTC).</param>
/// <param name="Connections">The number of connections; 0 during the grace period.</param>
public sealed record Present(string UserId, string Name, DateTimeOffset Since, int Connections);

/// <summary>Tracks which users are connected to which topics. Thread-safe.</summary>
/// <remarks>
/// Counts connections with <see cref="ConnectionRequest.IsPresent"/>. A user joins with the first connection and leaves when the last one
/// has been closed for <see cref="PresenceOptions.Grace"/>. Both are announced on the topic as transient events <c>presence.joined</c> and
/// <c>presence.left</c> with <c>{userId, name}</c>. If nodes share a store, <see cref="ListAsync"/> covers all nodes, and a user who is
/// still connected to another node is not announced as gone.
/// </remarks>
public sealed class PresenceRegistry : IHostedService
{
    private readonly Lock _gate = new(); // guards _topics and its contents
    private readonly Dictionary<TopicName, Dictionary<string, Entry>> _topics = [];
    private readonly EventFanout _fanout;
    private readonly TimerWheel _wheel;
    private readonly TimeProvider _time;
    private readonly PresenceOptions _options;
    private readonly ClusterQuery? _questions;

    /// <summary>Creates the registry. For the service container.</summary>
    /// <param name="fanout">The fan-out with the connections of this node.</param>
    /// <param name="wheel">The timer wheel for grace periods.</param>
    /// <param name="time">The time provider.</param>
    /// <param name="options">The options.</param>
    /// <param name="questions">Queries the other nodes; null if there are none.</param>
    internal PresenceRegistry(
        EventFanout fanout,
        TimerWheel wheel,
        TimeProvider time,
        IOptions<PresenceOptions> options,
        ClusterQuery? questions = null
    )
    {
        _questions = questions;
        _fanout = fanout;
        _wheel = wheel;
        _time = time;
        _options = options.Value;
    }

    /// <summary>Subscribes to connection changes and starts to answer other nodes. Called before the first connection opens.</summary>
    /// <param name="cancellationToken">Not used.</param>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        _questions?.Answer(
            "present",
            topic => List(TopicName.Parse(topic)),
            PresenceJson.Default.String,
            PresenceJson.Default.IReadOnlyListPresent
        );
        _questions?.Answer(
            "is-present",
            whom => List(TopicName.Parse(whom.Topic)).Any(present => present.UserId == whom.UserId && present.Connections > 0),
            PresenceJson.Default.PresenceQuery,
            PresenceJson.Default.Boolean
        );
        _fanout.Opened.Subscribe(connection => Each(connection, Join));
        _fanout.Closed.Subscribe(connection => Each(connection, Leave));
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>
    /// Returns the users who are connected to a topic on any node, ordered by user id, each with the earliest time and the sum of
    /// connections.
    /// </summary>
    /// <param name="topic">The topic.</param>
    /// <param name="cancellationToken">Stops waiting for other nodes.</param>
    public async Task<ClusterAnswer<IReadOnlyList<Present>>> ListAsync(TopicName topic, CancellationToken cancellationToken = default)
    {
        var own = List(topic);
        if (_questions is null)
            return new(own, 0);
        var others = await _questions.AskAsync(
            "present",
            topic.Value,
            PresenceJson.Default.String,
            PresenceJson.Default.IReadOnlyListPresent,
            cancellationToken: cancellationToken
        );
        IReadOnlyList<Present> all =
        [
            .. own.Concat(others.Value.SelectMany(present => present))
                .GroupBy(present => present.UserId, StringComparer.Ordinal)
                .OrderBy(user => user.Key, StringComparer.Ordinal)
                .Select(user =>
                    user.First() with
                    {
                        Since = user.Min(present => present.Since),
                        Connections = user.Sum(present => present.Connections),
                    }
                ),
        ];
        return new(all, others.UnresponsiveNodes);
    }

    /// <summary>Returns the users who are connected to a topic on this node, ordered by user id.</summary>
    /// <param name="topic">The topic.</param>
    public IReadOnlyList<Present> List(TopicName topic)
    {
        lock (_gate)
        {
            return _topics.TryGetValue(topic, out var users)
                ?
                [
                    .. users
                        .Values.OrderBy(e => e.UserId, StringComparer.Ordinal)
                        .Select(e => new Present(e.UserId, e.Name, e.Since, e.Connections)),
                ]
                : [];
        }
    }

    // Use the topics at the time of opening: a join on a topic that was revoked later needs its leave too.
    private static void Each(EventStreamConnection connection, Action<TopicName, EventStreamConnection> action)
    {
        if (!connection.IsPresent)
            return;
        foreach (var topic in connection.OpenedTopics)
            action(topic, connection);
    }

    private void Join(TopicName topic, EventStreamConnection connection)
    {
        lock (_gate)
        {
            if (!_topics.TryGetValue(topic, out var users))
                _topics.Add(topic, users = new Dictionary<string, Entry>(1, StringComparer.Ordinal));
            if (users.TryGetValue(connection.Caller.UserId, out var entry))
            {
                entry.Connections++;
                _wheel.Cancel(entry);
                return;
            }
            users.Add(
                connection.Caller.UserId,
                new Entry(this, topic, connection.Caller.UserId, connection.Caller.Name, _time.GetUtcNow())
            );
            if (users.Count > _options.MaxAnnounced)
                return;
        }
        Announce(topic, "presence.joined", connection.Caller.UserId, connection.Caller.Name, connection.Caller.AsOrigin());
    }

    private void Leave(TopicName topic, EventStreamConnection connection)
    {
        lock (_gate)
        {
            if (!_topics.TryGetValue(topic, out var users) || !users.TryGetValue(connection.Caller.UserId, out var entry))
                return;
            if (--entry.Connections == 0)
                _wheel.Schedule(entry, _options.Grace);
        }
    }

    private void Remove(Entry entry)
    {
        lock (_gate)
        {
            // A user who came back and left again, before this call began, has a grace period of its own.
            if (entry.Connections > 0 || _wheel.IsScheduled(entry))
                return;
            if (!_topics.TryGetValue(entry.Topic, out var users) || !users.Remove(entry.UserId))
                return;
            if (users.Count == 0)
                _topics.Remove(entry.Topic);
            if (users.Count >= _options.MaxAnnounced)
                return;
        }
        if (_questions is null)
            Announce(entry.Topic, "presence.left", entry.UserId, entry.Name, null);
        else
            _ = AnnounceUnlessElsewhereAsync(_questions, entry);
    }

    private async Task AnnounceUnlessElsewhereAsync(ClusterQuery questions, Entry entry)
    {
        if (
            !(
                await questions.AnyAsync(
                    "is-present",
                    new PresenceQuery(entry.Topic.Value, entry.UserId),
                    PresenceJson.Default.PresenceQuery
                )
            ).Value
        )
            Announce(entry.Topic, "presence.left", entry.UserId, entry.Name, null);
    }

    private void Announce(TopicName topic, string type, string userId, string name, EventOrigin? origin) =>
        _fanout.PublishTransient(
            EventDraft.OfEngine(topic, type, new PresenceChange(userId, name), PresenceJson.Default.PresenceChange, origin)
        );

    internal sealed record PresenceQuery(string Topic, string UserId);

    /// <summary>The data of <c>presence.joined</c> and <c>presence.left</c>.</summary>
    internal sealed record PresenceChange(string UserId, string Name);

    private sealed class Entry(PresenceRegistry registry, TopicName topic, string userId, string name, DateTimeOffset since) : WheelEntry
    {
        public TopicName Topic => topic;

        public string UserId => userId;

        public string Name => name;

        public DateTimeOffset Since => since;

        public int Connections { get; set; } = 1;

        protected internal override void OnDue() => registry.Remove(this);
    }
}
