using Dunlin.Mercure.Access;
using Dunlin.Mercure.Matchers;

namespace Dunlin.Mercure.Subscriptions;

/// <summary>One stream with its subscriptions. Immutable.</summary>
/// <param name="Access">What its token permits; null for an anonymous reader.</param>
/// <param name="Form">The parameters of the request.</param>
internal sealed record Subscriber(MercureAccess? Access, SubscribeForm Form)
{
    /// <summary>Gets the identifier in subscription events: random, so that nobody can choose or guess it.</summary>
    public string Id { get; } = $"urn:uuid:{Guid.NewGuid()}";

    /// <summary>Returns the documents of the subscriptions, one for each matcher.</summary>
    public IReadOnlyList<SubscriptionDocument> Documents(MercureHub hub) =>
        [.. Form.Matchers.Select(matcher => SubscriptionDocument.Of(this, matcher, hub))];

    /// <summary>Returns the dialect of the subscription that a matcher makes.</summary>
    public static MercureDialects DialectOf(TopicMatcher matcher) =>
        matcher.Type == TopicMatcher.UriTemplate ? MercureDialects.Version0 : MercureDialects.Version1;
}
