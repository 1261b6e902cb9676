using Dunlin.Mercure.Urls;

namespace Dunlin.Mercure.Matchers;

/// <summary>Holds topics of the last updates. Updates with the same text then share one object, and one parsed URL. Thread-safe.</summary>
/// <remarks>A text whose place another one has taken gets a new object, so the size has a bound.</remarks>
internal sealed class RecentTopics(WebUrl hub)
{
    private const int Places = 256; // a power of two

    private readonly Topic?[] _topics = new Topic?[Places];

    public Topic Get(string text)
    {
        ref var place = ref _topics[text.GetHashCode(StringComparison.Ordinal) & (Places - 1)];
        if (Volatile.Read(ref place) is { } known && known.Text == text)
            return known;
        var topic = new Topic(text, hub);
        Volatile.Write(ref place, topic);
        return topic;
    }
}
