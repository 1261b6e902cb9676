using Dunlin.Cluster;
using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Scheduling;
using Dunlin.Topics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Dunlin.Presence;

/// <summary>One user who is connected to a topic.</summary>
/// <param name="UserId">The user.</param>
/// <param name="Name">The name shown to others.</param>
/// <param name="Since">Since when, without a break longer than the grace.</param>
/// <param name="Connections">How many connections; 0 while the grace runs.</param>
public sealed record Present(string UserId, string Name, DateTimeOffset Since, int Connections);

/// <summary>
/// Who is connected to a topic now, of the connections that take part (<see cref="ConnectionRequest.IsPresent"/>). A user joins with the
/// first connection and leaves when the last one has been gone for the grace; both are announced on the topic as transient events
/// <c>presence.joined</c> and <c>presence.left</c>
/// <c>{userId, name}</c>. Where nodes share a store, <see cref="ListAsync"/> holds those of all of them, and who is still
/// connected to another is not announced as gone. Safe for concurrent use.
/// </summary>
public sealed class PresenceRegistry : IHostedService
{
    private readonly Lock _gate = new(); // guards _topics and everything in it
    private readonly Dictionary<TopicName, Dictionary<string, Entry>> _topics = [];
    private readonly EventFanout _fanout;
    private readonly TimerWheel _wheel;
    private readonly TimeProvider _time;
    private readonly PresenceOptions _options;
    private readonly ClusterQuery? _questions;

    /// <summary>Made by the container.</summary>
    public PresenceRegistry(
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

    /// <summary>Begins to follow connections and to answer other nodes. Called before the first connection opens.</summary>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        _questions?.Answer<string, IReadOnlyList<Present>>("present", topic => List(TopicName.Parse(topic)));
        _questions?.Answer<PresenceQuery, bool>(
            "is-present",
            whom => List(TopicName.Parse(whom.Topic)).Any(present => present.UserId == whom.UserId && present.Connections > 0)
        );
        _fanout.Opened.Subscribe(connection => Each(connection, Join));
        _fanout.Closed.Subscribe(connection => Each(connection, Leave));
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Who is connected to this topic on any node, by user id: with the first time and all connections of each.</summary>
    public async Task<ClusterAnswer<IReadOnlyList<Present>>> ListAsync(TopicName topic, CancellationToken cancellationToken = default)
    {
        var own = List(topic);
        if (_questions is null)
            return new(own, 0);
        var others = await _questions.AskAsync<string, IReadOnlyList<Present>>(
            "present",
            topic.Value,
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

    /// <summary>Who is connected to this topic on this node, by user id.</summary>
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

    // The topics that it was opened with: those taken away meanwhile must be left as well.
    private static void Each(Connection connection, Action<TopicName, Connection> action)
    {
        if (!connection.IsPresent)
            return;
        foreach (var topic in connection.OpenedTopics)
            action(topic, connection);
    }

    private void Join(TopicName topic, Connection connection)
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

    private void Leave(TopicName topic, Connection connection)
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
            if (entry.Connections > 0 || !_topics.TryGetValue(entry.Topic, out var users) || !users.Remove(entry.UserId))
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
        if (!(await questions.AnyAsync("is-present", new PresenceQuery(entry.Topic.Value, entry.UserId))).Value)
            Announce(entry.Topic, "presence.left", entry.UserId, entry.Name, null);
    }

    private void Announce(TopicName topic, string type, string userId, string name, EventOrigin? origin) =>
        _fanout.PublishTransient(EventDraft.OfEngine(topic, type, new { userId, name }, origin));

    private sealed record PresenceQuery(string Topic, string UserId);

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
