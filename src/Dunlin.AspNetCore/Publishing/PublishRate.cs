using Dunlin.Diagnostics;
using Dunlin.Limits;
using Dunlin.Topics;
using Microsoft.Extensions.Options;

namespace Dunlin.Publishing;

/// <summary>What one user may publish: events, idempotency keys and topics. Administrators, and tokens that may publish everywhere, are
/// back ends and are not counted.</summary>
internal sealed class PublishRate(IOptions<PublishOptions> options, UserRates rates, TimeProvider time)
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    // Users whose topics of the hour are remembered; above it, those whose hour is over are forgotten at once.
    private const int SweepAt = 10_000;

    private readonly UserRate _events = new("events", options.Value.PerSecond, options.Value.Burst);
    private readonly UserRate _keys = UserRate.Hourly("idempotency keys", options.Value.KeysPerHour);
    private readonly int _topicsPerHour = options.Value.TopicsPerHour;
    private readonly Lock _gate = new(); // guards _hours
    private readonly Dictionary<string, TopicHour> _hours = new(StringComparer.Ordinal);

    /// <summary>Counts a request.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.TooManyRequests"/> with the limit and the time to wait.</exception>
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

    // A topic is kept for ever, in a few bytes. Whether it is new only the store knows, so all that a user publishes to are counted.
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

    /// <param name="Began">When the first of them was published to.</param>
    /// <param name="Topics">Hashes of their names: two that are alike count as one, which favours the user.</param>
    private sealed record TopicHour(long Began, HashSet<int> Topics);
}
