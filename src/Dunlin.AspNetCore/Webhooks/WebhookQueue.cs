namespace Dunlin.Webhooks;

/// <summary>The waiting deliveries of one endpoint on the node that sends them: in order for each topic, within the limits of the endpoint.
/// Thread-safe.</summary>
/// <remarks>Only the first delivery of a topic is sent. It leaves the queue when it is delivered or dead, so that no later one overtakes
/// it.</remarks>
/// <param name="maxConcurrent">The maximum number of deliveries that are sent at the same time.</param>
/// <param name="maxPerSecond">The maximum number of attempts in a second; 0 for no limit.</param>
internal sealed class WebhookQueue(int maxConcurrent, int maxPerSecond)
{
    private static readonly Comparer<WebhookDelivery> ByTime = Comparer<WebhookDelivery>.Create(
        static (one, other) => (one.At, one.Offset).CompareTo((other.At, other.Offset))
    );

    private readonly Lock _gate = new();
    private readonly Dictionary<string, SortedDictionary<long, WebhookDelivery>> _topics = new(StringComparer.Ordinal);
    private readonly HashSet<string> _sending = new(StringComparer.Ordinal);
    private readonly SortedSet<WebhookDelivery> _free = new(ByTime); // the first delivery of each topic that is not being sent
    private DateTimeOffset _nextSlot;
    private int _count;

    public int Count => Volatile.Read(ref _count);

    public void Add(WebhookDelivery delivery)
    {
        lock (_gate)
        {
            if (!_topics.TryGetValue(delivery.Facts.Topic, out var topic))
                _topics.Add(delivery.Facts.Topic, topic = []);
            var isSending = _sending.Contains(delivery.Facts.Topic);
            if (!isSending && topic.Count > 0)
                _free.Remove(First(topic));
            if (topic.TryAdd(delivery.Offset, delivery))
                _count++;
            if (!isSending)
                _free.Add(First(topic));
        }
    }

    /// <summary>Takes the first deliveries of topics that are due.</summary>
    /// <returns>The deliveries, and when to look again; null if only an end of a delivery or a new one makes another due.</returns>
    public (IReadOnlyList<WebhookDelivery> Due, DateTimeOffset? Next) Take(DateTimeOffset now)
    {
        lock (_gate)
        {
            var due = new List<WebhookDelivery>();
            while (_free.Min is { } delivery)
            {
                if (_sending.Count >= maxConcurrent)
                    return (due, null);
                if (delivery.At > now)
                    return (due, delivery.At);
                if (maxPerSecond > 0)
                {
                    if (_nextSlot > now)
                        return (due, _nextSlot);
                    _nextSlot = now + TimeSpan.FromSeconds(1d / maxPerSecond);
                }
                _free.Remove(delivery);
                _sending.Add(delivery.Facts.Topic);
                due.Add(delivery);
            }
            return (due, null);
        }
    }

    /// <summary>Ends an attempt.</summary>
    /// <param name="delivery">The delivery of the attempt.</param>
    /// <param name="waiting">The delivery with its next attempt; null if it is delivered or dead.</param>
    public void End(WebhookDelivery delivery, WebhookDelivery? waiting)
    {
        lock (_gate)
        {
            var topic = _topics[delivery.Facts.Topic];
            _sending.Remove(delivery.Facts.Topic);
            if (waiting is null)
            {
                topic.Remove(delivery.Offset);
                _count--;
            }
            else
                topic[delivery.Offset] = waiting;
            if (topic.Count == 0)
                _topics.Remove(delivery.Facts.Topic);
            else
                _free.Add(First(topic));
        }
    }

    private static WebhookDelivery First(SortedDictionary<long, WebhookDelivery> topic) => topic.Values.First();
}
