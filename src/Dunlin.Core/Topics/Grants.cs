using System.Text.Json;

namespace Dunlin.Topics;

/// <summary>
/// What a credential itself allows, as patterns of topics and resources: the claim <c>dunlin</c> of a token,
/// <c>{"subscribe": [...], "publish": [...], "hold": [...], "take": [...]}</c>. What is not named is not allowed. Takes effect where
/// <c>AddTokenGrants()</c> lets it decide. Immutable.
/// </summary>
public sealed record Grants
{
    private static readonly JsonDocumentOptions Json = new() { MaxDepth = 3, AllowDuplicateProperties = false };

    /// <summary>Nothing.</summary>
    public static Grants None { get; } = new();

    /// <summary>Topics whose events and presence may be read.</summary>
    public IReadOnlyList<TopicPattern> Subscribe { get; init; } = [];

    /// <summary>Topics that may be published to.</summary>
    public IReadOnlyList<TopicPattern> Publish { get; init; } = [];

    /// <summary>Resources whose leases may be held and seen.</summary>
    public IReadOnlyList<TopicPattern> Hold { get; init; } = [];

    /// <summary>Resources whose leases may be preempted; holding them is included. <c>take</c> in the claim.</summary>
    public IReadOnlyList<TopicPattern> Preempt { get; init; } = [];

    /// <summary>Reads the claim. Strict: what is misspelt is refused rather than passed over, so that nobody believes to have
    /// granted what was not.</summary>
    /// <exception cref="FormatException">It is not of that form; the message says what is wrong.</exception>
    public static Grants Parse(string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json, Json);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw new FormatException("The claim is a JSON object.");
            var grants = None;
            foreach (var member in document.RootElement.EnumerateObject())
            {
                var patterns = Patterns(member);
                grants = member.Name switch
                {
                    "subscribe" => grants with { Subscribe = patterns },
                    "publish" => grants with { Publish = patterns },
                    "hold" => grants with { Hold = patterns },
                    "take" => grants with { Preempt = patterns },
                    _ => throw new FormatException($"'{member.Name}' is not known: subscribe, publish, hold and take are."),
                };
            }
            return grants;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException) // the latter for half a surrogate pair
        {
            throw new FormatException("The claim is not valid JSON.", exception);
        }
    }

    /// <summary>Reads the claim; false where it is not of that form.</summary>
    public static bool TryParse(string json, out Grants grants)
    {
        try
        {
            grants = Parse(json);
            return true;
        }
        catch (FormatException)
        {
            grants = None;
            return false;
        }
    }

    /// <summary>The claim.</summary>
    public string ToJson() =>
        JsonSerializer.Serialize(
            new[] { ("subscribe", Subscribe), ("publish", Publish), ("hold", Hold), ("take", Preempt) }
                .Where(part => part.Item2.Count > 0)
                .ToDictionary(part => part.Item1, part => part.Item2.Select(pattern => pattern.Text), StringComparer.Ordinal)
        );

    private static List<TopicPattern> Patterns(JsonProperty member)
    {
        if (
            member.Value.ValueKind != JsonValueKind.Array
            || member.Value.EnumerateArray().Any(item => item.ValueKind != JsonValueKind.String)
        )
            throw new FormatException($"'{member.Name}' is an array of texts.");
        return [.. member.Value.EnumerateArray().Select(item => TopicPattern.Parse(item.GetString()))];
    }
}
