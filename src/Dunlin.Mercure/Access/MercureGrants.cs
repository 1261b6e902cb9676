using System.Text.Json;
using Dunlin.Mercure.Matchers;
using Dunlin.Mercure.Urls;

namespace Dunlin.Mercure.Access;

/// <summary>What a token permits: topics to publish to, and topics whose private updates may be read. Immutable.</summary>
/// <param name="Publish">Matchers of topics that may be published.</param>
/// <param name="Subscribe">Matchers of topics that may be read, in the order of the token.</param>
internal sealed record MercureGrants(IReadOnlyList<TopicMatcher> Publish, IReadOnlyList<SubscribeGrant> Subscribe)
{
    /// <summary>The type of the authorization details of the protocol, compared byte by byte.</summary>
    public const string DetailType = "https://mercure.rocks/authorization-detail";

    /// <summary>The largest number of authorization details of one token.</summary>
    public const int MaxDetails = 100;

    /// <summary>The largest number of matchers of one token, over all details.</summary>
    public const int MaxMatchers = 1_000;

    /// <summary>The longest matcher, in characters.</summary>
    public const int MaxLength = 2_048;

    public static readonly MercureGrants None = new([], []);

    /// <summary>Gets whether the token permits every topic, as tokens of back ends do.</summary>
    public bool MayPublishAnything => Publish.Any(static matcher => matcher is AnyTopic);

    /// <summary>Returns whether every topic of an update may be published.</summary>
    public bool MayPublish(IReadOnlyList<Topic> topics) => topics.All(topic => Publish.Any(matcher => matcher.IsMatch(topic)));

    /// <summary>Returns whether a private update with these topics may be read: one of them is enough.</summary>
    public bool MayRead(IReadOnlyList<Topic> topics)
    {
        for (var i = 0; i < topics.Count; i++)
        {
            for (var j = 0; j < Subscribe.Count; j++)
            {
                if (Subscribe[j].Matcher.IsMatch(topics[i]))
                    return true;
            }
        }
        return false;
    }

    /// <summary>Returns the payload of the first grant that matches the text of a subscription's matcher; null if it has none.</summary>
    public JsonElement? PayloadOf(TopicMatcher subscription, WebUrl hub)
    {
        var text = new Topic(subscription.Text, hub);
        foreach (var grant in Subscribe)
        {
            if (grant.Matcher.IsMatch(text) || grant.Matcher.Text == subscription.Text)
                return grant.Payload;
        }
        return null;
    }

    /// <summary>Reads the claim <c>authorization_details</c> of protocol 1.0.</summary>
    /// <param name="details">The claim; null if the token has none.</param>
    /// <param name="hub">The URL of the hub.</param>
    /// <exception cref="FormatException">A detail is faulty or over a limit. None of the others may be used then.</exception>
    public static MercureGrants FromDetails(JsonElement? details, WebUrl hub)
    {
        if (details is not { } list)
            return None;
        Require(list.ValueKind == JsonValueKind.Array, "authorization_details must be an array.");
        List<TopicMatcher> publish = [];
        List<SubscribeGrant> subscribe = [];
        var (count, matchers) = (0, 0);
        foreach (var detail in list.EnumerateArray())
        {
            Require(detail.ValueKind == JsonValueKind.Object, "An authorization detail must be an object.");
            if (Member(detail, "type") is not { ValueKind: JsonValueKind.String } type || type.GetString() != DetailType)
                continue; // a detail of another protocol
            Require(++count <= MaxDetails, $"A token must not have more than {MaxDetails} authorization details.");
            var actions = ActionsOf(detail);
            var payload = Member(detail, "payload");
            Require(payload is null or { ValueKind: JsonValueKind.Object }, "'payload' must be an object.");
            var topics = Member(detail, "topics");
            Require(
                topics is { ValueKind: JsonValueKind.Array } && topics.Value.GetArrayLength() > 0,
                "'topics' must be a non-empty array."
            );
            foreach (var topic in topics!.Value.EnumerateArray())
            {
                Require(++matchers <= MaxMatchers, $"A token must not have more than {MaxMatchers} topic matchers.");
                var matcher = MatcherOf(topic, hub);
                if (actions.Contains("publish"))
                    publish.Add(matcher);
                if (actions.Contains("subscribe"))
                    subscribe.Add(new SubscribeGrant(matcher, payload?.Clone()));
            }
        }
        return new MercureGrants(publish, subscribe);
    }

    /// <summary>Reads the claim <c>mercure</c> of protocol 0.x: selectors are texts or URI templates, with one payload for all.</summary>
    /// <exception cref="FormatException">The claim is faulty or over a limit.</exception>
    public static MercureGrants FromClaim(JsonElement? claim, WebUrl hub)
    {
        if (claim is not { } value)
            return None;
        Require(value.ValueKind == JsonValueKind.Object, "The claim 'mercure' must be an object.");
        var payload = Member(value, "payload");
        var matchers = 0;
        return new MercureGrants(
            [.. Selectors("publish")],
            [.. Selectors("subscribe").Select(matcher => new SubscribeGrant(matcher, payload?.Clone()))]
        );

        IEnumerable<TopicMatcher> Selectors(string name)
        {
            if (Member(value, name) is not { ValueKind: not JsonValueKind.Null } list)
                yield break;
            Require(list.ValueKind == JsonValueKind.Array, $"'mercure.{name}' must be an array.");
            foreach (var selector in list.EnumerateArray())
            {
                Require(selector.ValueKind == JsonValueKind.String, $"'mercure.{name}' must have texts only.");
                Require(++matchers <= MaxMatchers, $"A token must not have more than {MaxMatchers} topic selectors.");
                yield return Create(TopicMatcher.UriTemplate, selector.GetString()!, hub);
            }
        }
    }

    private static HashSet<string> ActionsOf(JsonElement detail)
    {
        var actions = Member(detail, "actions");
        Require(
            actions is { ValueKind: JsonValueKind.Array } && actions.Value.GetArrayLength() > 0,
            "'actions' must be a non-empty array."
        );
        HashSet<string> names = new(StringComparer.Ordinal);
        foreach (var action in actions!.Value.EnumerateArray())
        {
            Require(action.ValueKind == JsonValueKind.String, "'actions' must have texts only.");
            names.Add(action.GetString()!); // actions of later protocols grant nothing here
        }
        return names;
    }

    private static TopicMatcher MatcherOf(JsonElement topic, WebUrl hub)
    {
        Require(topic.ValueKind == JsonValueKind.Object, "A topic matcher must be an object.");
        var match = Member(topic, "match");
        Require(match is { ValueKind: JsonValueKind.String }, "A topic matcher must have a text 'match'.");
        var type = Member(topic, "match_type");
        Require(type is null or { ValueKind: JsonValueKind.String }, "'match_type' must be a text.");
        var name = type?.GetString() ?? TopicMatcher.Exact;
        // URI templates belong to 0.x tokens.
        Require(name is TopicMatcher.Exact or TopicMatcher.UrlPattern, $"'{name}' is not a matcher type of this hub.");
        return Create(name, match!.Value.GetString()!, hub);
    }

    private static TopicMatcher Create(string type, string text, WebUrl hub)
    {
        Require(text.Length <= MaxLength, $"A topic matcher must not be longer than {MaxLength} characters.");
        return TopicMatcher.Create(type, text, hub);
    }

    private static JsonElement? Member(JsonElement value, string name) => value.TryGetProperty(name, out var member) ? member : null;

    private static void Require(bool condition, string message)
    {
        if (!condition)
            throw new FormatException(message);
    }
}

/// <summary>One matcher of topics that may be read, and what the token says of subscriptions that it matches.</summary>
internal sealed record SubscribeGrant(TopicMatcher Matcher, JsonElement? Payload);
