using Dunlin.Diagnostics;
using Dunlin.Limits;
using Dunlin.Topics;
using Microsoft.Extensions.Options;

namespace Dunlin.Publishing;

/// <summary>Limits the events, idempotency keys and topics of one user, over all protocols that store events. Administrators, and tokens
/// that may publish everywhere, are back ends and have no limit. Thread-safe.</summary>
internal sealed class PublishRate(IOptions<PublishOptions> options, UserRates rates, TimeProvider time)
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    // Number of users above which users with an expired hour are removed.
    private const int SweepAt = 10_000;

    private readonly UserRate _events = new("events", options.Value.PerSecond, options.Value.Burst);
    private readonly UserRate _keys = UserRate.Hourly("idempotency keys", options.Value.KeysPerHour);
    private readonly int _topicsPerHour = options.Value.TopicsPerHour;
    private readonly Lock _gate = new(); // guards _hours
    private readonly Dictionary<string, TopicHour> _hours = new(StringComparer.Ordinal);

    /// <summary>Counts a publish request.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.TooManyRequests"/>: a limit is exceeded. The exception carries the limit and
    /// the time to wait.</exception>
    public void Take(Caller caller, List<PublishItem> items, bool hasKey)
    {
        if (IsBackEnd(caller))
            return;
        rates.Take(_events, caller.UserId, items.Count);
        if (hasKey)
            rates.Take(_keys, caller.UserId);
        if (_topicsPerHour == 0)
            return;
        var now = time.GetTimestamp();
        lock (_gate)
        {
            foreach (var item in items)
            {
                if (!item.IsTransient)
                    TakeTopic(caller.UserId, item.Draft.Topic, now);
            }
        }
    }

    /// <summary>Counts what a request of another protocol changes: events, or changes that are no events.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.TooManyRequests"/>: a limit is exceeded. The exception carries the limit and
    /// the time to wait.</exception>
    public void Take(Caller caller, int events, params ReadOnlySpan<TopicName> topics)
    {
        if (!IsBackEnd(caller))
            Take(caller.UserId, events, topics);
    }

    /// <summary>Counts the same for a user without such an exception.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.TooManyRequests"/>: a limit is exceeded. The exception carries the limit and
    /// the time to wait.</exception>
    public void Take(string userId, int events, params ReadOnlySpan<TopicName> topics)
    {
        rates.Take(_events, userId, events);
        if (_topicsPerHour == 0 || topics.IsEmpty)
            return;
        var now = time.GetTimestamp();
        lock (_gate)
        {
            foreach (var topic in topics)
                TakeTopic(userId, topic, now);
        }
    }

    private static bool IsBackEnd(Caller caller) =>
        caller.IsAdministrator || caller.Grants.Publish.Any(static pattern => pattern.Text == "**");

    // The store keeps each topic name for ever, in a few bytes. Only the store can tell whether a topic is new, so every topic counts.
    // Call while holding _gate.
    private void TakeTopic(string userId, TopicName name, long now)
    {
        if (!_hours.TryGetValue(userId, out var hour) || time.GetElapsedTime(hour.Began, now) >= Hour)
        {
            if (_hours.Count >= SweepAt)
                Sweep(now);
            _hours[userId] = hour = new TopicHour(now, []);
        }
        var topic = name.GetHashCode();
        if (hour.Topics.Contains(topic))
            return;
        if (hour.Topics.Count >= _topicsPerHour)
            throw TooMany(Hour - time.GetElapsedTime(hour.Began, now));
        hour.Topics.Add(topic);
    }

    private DunlinException TooMany(TimeSpan wait) =>
        new(ErrorCode.TooManyRequests, $"The limit for one user is {_topicsPerHour} topics per hour.", "topic")
        {
            RetryAfter = wait,
            Extensions = new Dictionary<string, object?>(StringComparer.Ordinal) { ["limit"] = _topicsPerHour },
        };

    private void Sweep(long now)
    {
        foreach (var (user, hour) in _hours)
        {
            if (time.GetElapsedTime(hour.Began, now) >= Hour)
                _hours.Remove(user);
        }
    }

    /// <param name="Began">The timestamp of the first publish of this hour.</param>
    /// <param name="Topics">Hash codes of the topic names. Two names with the same hash code count as one, in favour of the user.</param>
    private sealed record TopicHour(long Began, HashSet<int> Topics);
}
