using Dunlin.Diagnostics;
using Dunlin.Limits;
using Dunlin.Topics;
using Microsoft.Extensions.Options;

namespace Dunlin.Publishing;

/// <summary>Limits the events, idempotency keys and topics of one user. Administrators, and tokens that may publish everywhere, are back
/// ends and have no limit. Thread-safe.</summary>
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

    /// <summary>Counts a request.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.TooManyRequests"/>: a limit is exceeded. The exception carries the limit and
    /// the time to wait.</exception>
    public void Take(Caller caller, List<PublishItem> items, bool hasKey)
    {
        if (caller.IsAdministrator || caller.Grants.Publish.Any(static pattern => pattern.Text == "**"))
            return;
        rates.Take(_events, caller.UserId, items.Count);
        if (hasKey)
            rates.Take(_keys, caller.UserId);
        if (_topicsPerHour > 0)
            TakeTopics(caller.UserId, items);
    }

    // The store keeps each topic name for ever, in a few bytes. Only the store can tell whether a topic is new, so every topic counts.
    private void TakeTopics(string userId, List<PublishItem> items)
    {
        var now = time.GetTimestamp();
        lock (_gate)
        {
            if (!_hours.TryGetValue(userId, out var hour) || time.GetElapsedTime(hour.Began, now) >= Hour)
            {
                if (_hours.Count >= SweepAt)
                    Sweep(now);
                _hours[userId] = hour = new TopicHour(now, []);
            }
            foreach (var item in items)
            {
                var topic = item.Draft.Topic.GetHashCode();
                if (item.IsTransient || hour.Topics.Contains(topic))
                    continue;
                if (hour.Topics.Count >= _topicsPerHour)
                    throw TooMany(Hour - time.GetElapsedTime(hour.Began, now));
                hour.Topics.Add(topic);
            }
        }
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
