using Dunlin.Diagnostics;
using Dunlin.Topics;
using Microsoft.Extensions.Primitives;

namespace Dunlin.Streams;

/// <summary>The topics and patterns of the <c>topic=</c> parameters of a request. Immutable.</summary>
/// <param name="Topics">The topic names. Repeated names count once, because an event is delivered once.</param>
/// <param name="Patterns">The patterns: texts with a <c>*</c>, which topic names cannot contain.</param>
internal sealed record AskedTopics(IReadOnlyList<TopicName> Topics, IReadOnlyList<TopicPattern> Patterns)
{
    public int Count => Topics.Count + Patterns.Count;

    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidTopic"/>: a text is neither a topic name nor a pattern.</exception>
    public static AskedTopics Of(StringValues texts)
    {
        return new AskedTopics(
            [.. texts.Where(static text => !IsPattern(text)).Select(TopicName.Parse).Distinct()],
            [.. texts.Where(IsPattern).Select(Pattern).Distinct()]
        );
    }

    /// <exception cref="DunlinException"><see cref="ErrorCode.Forbidden"/>: the caller may not read a topic; names the first
    /// one.</exception>
    public async ValueTask RequireReadAsync(AccessPolicies policies, Caller caller, CancellationToken cancellationToken)
    {
        foreach (var topic in Topics)
        {
            if (!await policies.MayReadAsync(caller, topic, cancellationToken))
                throw Refused(topic.Value, $"You do not have permission to read the topic '{topic}'.");
        }
        foreach (var pattern in Patterns)
        {
            if (!await policies.MayReadAllAsync(caller, pattern, cancellationToken))
            {
                throw Refused(
                    pattern.Text,
                    $"You do not have permission to read all topics that '{pattern}' matches. Use a narrower pattern or topic names. "
                        + "On the server, one access policy must cover the whole pattern and allow patterns."
                );
            }
        }
    }

    private static bool IsPattern(string? text) => text?.Contains('*', StringComparison.Ordinal) == true;

    private static TopicPattern Pattern(string? text)
    {
        try
        {
            return TopicPattern.Parse(text);
        }
        catch (FormatException fault)
        {
            throw new DunlinException(ErrorCode.InvalidTopic, fault.Message, "topic", fault);
        }
    }

    // The topic is also an extension of the problem. If several pages share a stream, only the pages that requested the topic fail.
    private static DunlinException Refused(string topic, string detail) =>
        new(ErrorCode.Forbidden, detail, "topic")
        {
            Extensions = new Dictionary<string, object?>(StringComparer.Ordinal) { ["topic"] = topic },
        };
}
