using Dunlin.Topics;

namespace Dunlin.Core.Tests.Fanout;

/// <summary>Selects text topics by their beginning, and counts its tests.</summary>
internal sealed class BeginsWith(string text) : TopicSelector(TextTopics.Instance, text)
{
    private int _tests;

    public int Tests => Volatile.Read(ref _tests);

    public override string Prefix => Text[..(Text.LastIndexOf('/') + 1)];

    public override bool Selects(TopicView topic)
    {
        Interlocked.Increment(ref _tests);
        return topic.Key.StartsWith(Text, StringComparison.Ordinal);
    }
}

internal sealed class TextTopics : SelectorKind
{
    public static readonly TextTopics Instance = new();

    public override TopicView? View(TopicName topic) => topic.Text is { } text ? new TopicView(topic, text) : null;
}
