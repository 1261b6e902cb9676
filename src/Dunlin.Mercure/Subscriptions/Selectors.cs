using Dunlin.Mercure.Matchers;
using Dunlin.Topics;

namespace Dunlin.Mercure.Subscriptions;

/// <summary>A topic with its parsed URL. Events share it among all readers.</summary>
internal sealed class MercureTopicView(TopicName name, string key, Topic topic) : TopicView(name, key)
{
    public Topic Topic { get; } = topic;
}

/// <summary>The kind of matchers that compare the text of a topic.</summary>
internal sealed class TextKind(RecentTopics topics) : SelectorKind
{
    public override TopicView? View(TopicName topic) => topic.Text is { } text ? new MercureTopicView(topic, text, topics.Get(text)) : null;
}

/// <summary>The kind of matchers that compare the URL of a topic. Topics that are no URLs have no view.</summary>
internal sealed class UrlKind(RecentTopics topics) : SelectorKind
{
    public override TopicView? View(TopicName topic)
    {
        if (topic.Text is not { } text)
            return null;
        var parsed = topics.Get(text);
        return parsed.Url is { } url ? new MercureTopicView(topic, $"//{url.Host}{url.Path}", parsed) : null;
    }
}

/// <summary>A matcher as a selector of the engine.</summary>
internal sealed class MatcherSelector : TopicSelector
{
    private readonly TopicMatcher _matcher;

    private MatcherSelector(SelectorKind kind, TopicMatcher matcher, string prefix)
        : base(kind, matcher.Text)
    {
        _matcher = matcher;
        Prefix = prefix[..(prefix.LastIndexOf('/') + 1)];
    }

    public override string Prefix { get; }

    public override bool Selects(TopicView topic) => _matcher.IsMatch(((MercureTopicView)topic).Topic);

    public static MatcherSelector Of(TopicMatcher matcher, MercureHub hub) =>
        matcher is UrlPatternMatcher { Pattern: var pattern }
            // The path alone would mix hosts, and the scheme rarely differs, so the key is host and path.
            ? new MatcherSelector(hub.Urls, matcher, pattern.Host is { } host ? $"//{host}{pattern.PathPrefix}" : "")
            : new MatcherSelector(hub.Texts, matcher, matcher.Prefix);
}
