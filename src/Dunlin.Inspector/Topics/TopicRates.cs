using Dunlin.Journal;
using Dunlin.Topics;
using Microsoft.Extensions.Options;

namespace Dunlin.Inspector.Topics;

/// <summary>Measures the events of each topic while the node samples. Bounded by <see cref="InspectorOptions.MaxTopics"/>.
/// Thread-safe.</summary>
internal sealed class TopicRates(IOptions<InspectorOptions> options)
{
    /// <summary>The prefix of the engine's own topics.</summary>
    public const string EnginePrefix = "dunlin";

    /// <summary>The share of the newest interval in a rate, so that a rate is readable and follows within seconds.</summary>
    private const double Newest = 0.4;

    private readonly Lock _gate = new(); // guards _topics and _unmeasured
    private readonly Dictionary<TopicName, Entry> _topics = [];
    private long _unmeasured;

    /// <summary>Gets the events of topics beyond the limit.</summary>
    public long Unmeasured => Interlocked.Read(ref _unmeasured);

    public void Count(DunlinEvent entry)
    {
        lock (_gate)
        {
            if (!_topics.TryGetValue(entry.Topic, out var topic))
            {
                if (_topics.Count >= options.Value.MaxTopics)
                {
                    _unmeasured++;
                    return;
                }
                _topics.Add(entry.Topic, topic = new Entry());
            }
            topic.Events++;
            topic.Bytes += entry.Data.Length;
            topic.LastAt = entry.Time;
            topic.LastType = entry.Type;
        }
    }

    /// <summary>Ends an interval. Forgets idle topics when the table is half full.</summary>
    public void Roll(double seconds)
    {
        lock (_gate)
        {
            List<TopicName>? idle = null;
            foreach (var (name, topic) in _topics)
            {
                topic.Rate += Newest * ((topic.Events / seconds) - topic.Rate);
                topic.ByteRate += Newest * ((topic.Bytes / seconds) - topic.ByteRate);
                topic.Events = topic.Bytes = 0;
                if (topic.Rate < 0.001 && _topics.Count > options.Value.MaxTopics / 2)
                    (idle ??= []).Add(name);
            }
            idle?.ForEach(name => _topics.Remove(name));
        }
    }

    public void Clear()
    {
        lock (_gate)
        {
            _topics.Clear();
            _unmeasured = 0;
        }
    }

    /// <summary>Adds the rates of this node to rows.</summary>
    public void AddTo(Dictionary<string, TopicRow> rows)
    {
        lock (_gate)
        {
            foreach (var (name, topic) in _topics)
            {
                var row = rows.GetValueOrDefault(name.Value) ?? new TopicRow(name.Value);
                rows[name.Value] = row with
                {
                    Rate = Math.Round(topic.Rate, 3),
                    Bytes = Math.Round(topic.ByteRate, 1),
                    LastAt = topic.LastAt,
                    LastType = topic.LastType,
                };
            }
        }
    }

    private sealed class Entry
    {
        public long Events { get; set; }

        public long Bytes { get; set; }

        public double Rate { get; set; }

        public double ByteRate { get; set; }

        public DateTimeOffset LastAt { get; set; }

        public string LastType { get; set; } = "";
    }
}
