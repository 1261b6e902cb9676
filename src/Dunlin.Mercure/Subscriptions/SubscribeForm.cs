using Dunlin.Mercure.Matchers;

namespace Dunlin.Mercure.Subscriptions;

/// <summary>The parameters of a subscription: the Mercure protocol, section Subscription.</summary>
/// <param name="Matchers">The matchers, without repetitions.</param>
/// <param name="Dialect">The dialect of the parameters.</param>
/// <param name="LastEventId">The id to resume after; null for none.</param>
internal sealed record SubscribeForm(IReadOnlyList<TopicMatcher> Matchers, MercureDialects Dialect, string? LastEventId)
{
    /// <summary>Reads the parameters of the query, then those of the body.</summary>
    /// <exception cref="FormatException">A parameter is not valid, or there is no matcher: 400.</exception>
    public static SubscribeForm Read(
        IEnumerable<KeyValuePair<string, string>> query,
        IEnumerable<KeyValuePair<string, string>> body,
        MercureHub hub
    )
    {
        var (matchers, isNew) = (new List<TopicMatcher>(), false);
        string? lastEventId = null;
        foreach (var (name, value) in query.Concat(body))
        {
            if (TypeOf(name, hub) is { } type)
            {
                isNew |= type != TopicMatcher.UriTemplate;
                var matcher = MatcherOf(name, type, value, hub);
                if (!matchers.Contains(matcher))
                    matchers.Add(matcher);
                if (matchers.Count > hub.Options.MaxMatchers)
                    throw new FormatException($"A stream must not have more than {hub.Options.MaxMatchers} topic matchers.");
            }
            // The query comes first, so its value wins.
            else if (
                (name == "last_event_id" && hub.Speaks(MercureDialects.Version1))
                || (name is "lastEventID" or "Last-Event-ID" && hub.Speaks(MercureDialects.Version0))
            )
                lastEventId ??= value;
        }
        if (matchers.Count == 0)
            throw new FormatException(
                hub.Speaks(MercureDialects.Version1)
                    ? "The request has no topic matcher. Add a parameter 'match' or 'match_urlpattern'."
                    : "The request has no parameter 'topic'."
            );
        return new SubscribeForm(matchers, isNew ? MercureDialects.Version1 : MercureDialects.Version0, lastEventId);
    }

    // A misspelt matcher is refused: the reader would wait for updates that never come.
    private static string? TypeOf(string name, MercureHub hub)
    {
        if (hub.Speaks(MercureDialects.Version1) && name.StartsWith("match", StringComparison.OrdinalIgnoreCase))
            return name switch
            {
                "match" or "match_exact" => TopicMatcher.Exact,
                "match_urlpattern" => TopicMatcher.UrlPattern,
                _ => throw new FormatException($"'{name}' is not a matcher of this hub. Use match, match_exact or match_urlpattern."),
            };
        return name == "topic" && hub.Speaks(MercureDialects.Version0) ? TopicMatcher.UriTemplate : null;
    }

    private static TopicMatcher MatcherOf(string name, string type, string text, MercureHub hub) =>
        text.Length is > 0 and <= Access.MercureGrants.MaxLength
            ? TopicMatcher.Create(type, text, hub.Url.Url)
            : throw new FormatException($"'{name}' must have 1 to {Access.MercureGrants.MaxLength} characters.");
}
