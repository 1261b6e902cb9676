using Dunlin.Mercure.UrlPatterns;
using Dunlin.Mercure.Urls;
using Dunlin.Topics;

namespace Dunlin.Mercure.Matchers;

/// <summary>An expression that selects topics. Immutable; two matchers of the same type and text are equal.</summary>
internal abstract record TopicMatcher(string Type, string Text)
{
    public const string Exact = "exact";
    public const string UrlPattern = "urlpattern";
    public const string UriTemplate = "uritemplate";

    /// <summary>The text that selects every topic, with any type.</summary>
    public const string Wildcard = "*";

    /// <summary>The text that every matching topic begins with; empty if there is none. The index sorts by it.</summary>
    public virtual string Prefix => "";

    public abstract bool IsMatch(Topic topic);

    /// <summary>Returns a matcher of a type of the protocol.</summary>
    /// <exception cref="FormatException">The type is unknown, or the text is no expression of the type.</exception>
    public static TopicMatcher Create(string type, string text, WebUrl hub)
    {
        if (!TopicText.IsValid(text))
            throw new FormatException("A matcher must not contain control or format characters.");
        return (type, text) switch
        {
            (Exact or UrlPattern or UriTemplate, Wildcard) => new AnyTopic(type),
            (Exact, _) => new ExactMatcher(text),
            (UrlPattern, _) => new UrlPatternMatcher(text, UrlPatterns.UrlPattern.Parse(text, hub)),
            (UriTemplate, _) => UriTemplateMatcher.Parse(text),
            _ => throw new FormatException($"'{type}' is not a matcher type of this hub. Types: {Exact}, {UrlPattern}."),
        };
    }
}

/// <summary>Matches every topic.</summary>
internal sealed record AnyTopic(string Type) : TopicMatcher(Type, Wildcard)
{
    public override bool IsMatch(Topic topic) => true;
}

/// <summary>Matches one topic, byte for byte.</summary>
internal sealed record ExactMatcher(string Text) : TopicMatcher(Exact, Text)
{
    public override string Prefix => Text;

    public override bool IsMatch(Topic topic) => topic.Text == Text;
}

/// <summary>Matches topics whose URL matches a URL pattern.</summary>
internal sealed record UrlPatternMatcher(string Text, UrlPattern Pattern) : TopicMatcher(UrlPattern, Text)
{
    public override bool IsMatch(Topic topic) => topic.Url is { } url && Pattern.IsMatch(url);

    public bool Equals(UrlPatternMatcher? other) => other?.Text == Text;

    public override int GetHashCode() => Text.GetHashCode(StringComparison.Ordinal);
}
